/**
 * Half-open probes in a network namespace of a test: a line with a target on stdin is answered by a line with the
 * results of all ways, or of the one by the batch alone.
 */
import { createInterface } from 'node:readline'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import { probeWithin } from './probing.ts'
import { noHalfOpenCore, probeTcp, probeTcpByCore, probeTcpByNode, runtime } from './probers.ts'

/** What a way has found; `resets` that the core has sent so far. */
export interface Seen {
  readonly reason: string
  readonly detail: string
  readonly totalMs: number
}

export interface Answer {
  readonly unavailable: string | false
  readonly seen: readonly Seen[]
  readonly resets: number
}

export interface Question {
  readonly target: ProbeTarget
  readonly ways: 'all' | 'batch'
}

async function answer({ target, ways }: Question): Promise<Answer> {
  const unavailable = noHalfOpenCore()
  const probes = ways === 'all' ? [probeTcpByCore, probeTcp, probeTcpByNode] : [probeTcpByCore]
  const results = await Promise.all(probes.map((probe) => probeWithin(probe, { ...target, halfOpen: true })))
  const seen = results.map(({ reason, detail, phases }) => ({ reason, detail, totalMs: phases.totalMs }))
  return { unavailable, seen, resets: runtime.halfOpen.counts.resets }
}

if (process.argv[1]?.endsWith('half-open-child.js') === true) {
  for await (const line of createInterface(process.stdin)) {
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as Question))}\n`)
  }
}
