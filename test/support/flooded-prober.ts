/**
 * A prober in a network namespace of a test, without a database: a scheduler over real cores, whose shared sockets have the
 * smallest receive buffers that there are (or, with `real`, those of the product), so that a small flood fills them.
 *
 *   flooded-prober.js <small|real> <checks as JSON>
 *
 * Each verdict is a line; a line on stdin is answered by a line of counts.
 */
import { createInterface } from 'node:readline'
import { statePolicy } from '../../src/domain/options/profiles.ts'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import { findBatchCalls } from '../../src/probe/batch/batch-calls.ts'
import type { BatchCore } from '../../src/probe/batch/core.ts'
import { makeBatchedPing } from '../../src/probe/icmp/batched-ping.ts'
import { ProbeRuntime } from '../../src/probe/probe-runtime.ts'
import { makeProbers } from '../../src/probe/probers.ts'
import { HalfOpen } from '../../src/probe/tcp/half-open/half-open.ts'
import { makeBatchedUdp, makeBatchedUdpAfterEcho } from '../../src/probe/udp/batched-udp.ts'
import { createMetrics } from '../../src/runtime/metrics/metrics.ts'
import { Scheduler } from '../../src/schedule/loop/scheduler.ts'
import { TickDriver } from '../../src/schedule/loop/tick-driver.ts'
import { withSmallBuffers } from './broken-kernels.ts'
import { config } from './scheduling.ts'

/** A member of a project. */
export interface FloodedCheck {
  readonly member: string
  readonly project: string
  readonly target: ProbeTarget
  readonly intervalMs: number
  readonly fall: number
}

export type FloodedLine =
  | { readonly what: 'verdict'; readonly member: string; readonly status: string; readonly atMs: number }
  | {
      readonly what: 'counts'
      /** Probes that were inconclusive because their answers may have been lost, and those on sockets of their own. */
      readonly lost: number
      readonly dedicated: number
      /** Why probes are not made by the batch here; false = they are. */
      readonly unavailable: string | false
    }

function tell(line: FloodedLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

function smallCores(runtime: ProbeRuntime): (target: ProbeTarget) => BatchCore | undefined {
  const calls = findBatchCalls()
  const small = () => calls && withSmallBuffers(calls)
  const halfOpen = new HalfOpen(runtime, small)
  const ping = makeBatchedPing(runtime.hostAddresses, small)
  const udp = makeBatchedUdp(runtime.hostAddresses, small)
  const udpAfterEcho = makeBatchedUdpAfterEcho(runtime.hostAddresses, small)
  return (target) =>
    halfOpen.coreOf(target) ?? ping.coreOf(target) ?? udp.coreOf(target) ?? udpAfterEcho.coreOf(target)
}

function probe(buffers: string, checks: readonly FloodedCheck[]): void {
  const runtime = new ProbeRuntime()
  const metrics = createMetrics('flooded')
  const none = (): void => undefined
  const coreOf = buffers === 'real' ? (target: ProbeTarget) => runtime.coreOf(target) : smallCores(runtime)
  const scheduler = new Scheduler({
    probers: makeProbers(runtime),
    coreOf,
    dedicatedCoreOf: (target) => runtime.dedicatedCoreOf(target),
    denies: () => undefined,
    budget: 1000,
    metrics,
    log: { debug: none, info: none, warn: none, error: none },
    events: {
      onVerdict: ({ config: { memberId: member }, decidedStatus: status }) =>
        tell({ what: 'verdict', member, status, atMs: performance.timeOrigin + performance.now() }),
      onWorthCheckpoint: none,
      onWithheld: none,
      onStaleChange: none,
    },
    wake: (inMs) => driver.wake(inMs),
  })
  const driver = new TickDriver(scheduler)
  for (const { member, project, target, intervalMs, fall } of checks) {
    const options = { interval_ms: intervalMs }
    const policy = statePolicy({ profile: 'elb', rise: 1, fall, delaySeconds: 1, timeoutSeconds: 1, options })
    const check = config(member, { projectId: project, poolId: member, target, policy })
    scheduler.applyPool({ poolId: member, shard: 7, configVersion: 1, checks: [{ config: check }] })
  }
  driver.wake(0)
  createInterface(process.stdin)
    .on('close', () => process.exit())
    .on('line', () => void count(checks, coreOf, metrics))
}

async function count(
  checks: readonly FloodedCheck[],
  coreOf: (target: ProbeTarget) => BatchCore | undefined,
  { registry }: ReturnType<typeof createMetrics>,
): Promise<void> {
  const text = await registry.metrics()
  const sum = (of: RegExp): number => [...text.matchAll(of)].reduce((all, [, n]) => all + Number(n), 0)
  const isCored = checks.every(({ target }) => coreOf(target) !== undefined)
  tell({
    what: 'counts',
    lost: sum(/^hm_probe_inconclusive_total\{reason="PROBER_OVERLOAD"\} (\d+)$/gm),
    dedicated: sum(/^hm_probes_dedicated_total\{[^}]*\} (\d+)$/gm),
    unavailable: isCored ? false : 'this process has no raw sockets, or no koffi',
  })
}

if (process.argv[1]?.endsWith('flooded-prober.js') === true) {
  const [buffers = 'small', checks = '[]'] = process.argv.slice(2)
  probe(buffers, JSON.parse(checks) as readonly FloodedCheck[])
}
