/** What is done with a core before it is used: one probe on this host, and the reason where it cannot be opened. */
import { constants } from 'node:os'
import { BATCH_TRIAL_MS } from '../../domain/limits.ts'
import type { ProbeResult } from '../../domain/result/probe-result.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { type BatchCore, NO_SLOT } from './core.ts'

/** The result of a probe that never leaves this host, within BATCH_TRIAL_MS; undefined where the core gives none, or others too. */
export function tryOnce(core: BatchCore, target: ProbeTarget): ProbeResult | undefined {
  const slot = core.hold(target)
  if (slot === NO_SLOT) return undefined
  const startMs = performance.now()
  core.start(Int32Array.of(slot), 1, startMs)
  for (let nowMs = startMs; core.ended.count === 0; nowMs = performance.now()) {
    // Before the deadline is judged, as a scheduler does: this process may have had no processor meanwhile.
    core.collect(nowMs)
    if (core.ended.count === 0 && nowMs - startMs > BATCH_TRIAL_MS) core.expire(slot, nowMs)
  }
  const result = core.ended.count === 1 ? core.resultOf(0) : undefined
  core.ended.clear()
  core.release(slot)
  return result
}

const { EPERM, EMFILE, ENFILE } = constants.errno

/** A sentence about `failed`: a call, and its errno where it is known. */
export function whyNot(failed: string): string {
  const [call, errno] = failed.split(' ')
  if (call === 'socket' && Number(errno) === EPERM) return 'no right to open a raw socket (CAP_NET_RAW)'
  if (Number(errno) === EMFILE) return 'this process has reached its limit of open files (EMFILE)'
  if (Number(errno) === ENFILE) return 'this host has reached its limit of open files (ENFILE)'
  return `${failed} failed`
}
