/**
 * Probes in a network namespace of a test: a line with a target on stdin is answered by a line with the results of all
 * ways that there are for it, the one by the batch first, or of that one alone.
 */
import { createInterface } from 'node:readline'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import type { Probe } from '../../src/probe/probe.ts'
import { probeWithin } from './probing.ts'
import {
  noHalfOpenCore,
  noPingCore,
  noUdpCore,
  probeHalfOpenDedicated,
  probePing,
  probePingByCore,
  probePingDedicated,
  probeTcp,
  probeTcpByCore,
  probeTcpByNode,
  probeUdpByCore,
  probeUdpConnect,
  probeUdpDedicated,
  runtime,
} from './probers.ts'

/** What a way has found. */
export interface Seen {
  readonly reason: string
  readonly detail: string
  readonly totalMs: number
}

export interface Answer {
  /** Why there is no way by the batch; false = there is. */
  readonly unavailable: string | false
  readonly seen: readonly Seen[]
  /** That the half-open core has sent so far. */
  readonly resets: number
}

export interface Question {
  readonly target: ProbeTarget
  readonly ways: 'all' | 'batch'
}

interface Ways {
  readonly unavailable: () => string | false
  readonly byCore: Probe
  readonly others: readonly Probe[]
}

const WAYS: Partial<Record<ProbeTarget['type'], Ways>> = {
  TCP: {
    unavailable: noHalfOpenCore,
    byCore: probeTcpByCore,
    others: [probeTcp, probeTcpByNode, probeHalfOpenDedicated],
  },
  PING: { unavailable: noPingCore, byCore: probePingByCore, others: [probePing, probePingDedicated] },
  'UDP-CONNECT': {
    unavailable: noUdpCore,
    byCore: probeUdpByCore,
    others: [probeUdpConnect, probeUdpDedicated],
  },
}

async function answer({ target, ways }: Question): Promise<Answer> {
  const found = WAYS[target.type]
  if (found === undefined) throw new Error(`there is one way for ${target.type}`)
  const { unavailable, byCore, others } = found
  const probes = ways === 'all' ? [byCore, ...others] : [byCore]
  const results = await Promise.all(probes.map((probe) => probeWithin(probe, target)))
  const seen = results.map(({ reason, detail, phases }) => ({ reason, detail, totalMs: phases.totalMs }))
  return { unavailable: unavailable(), seen, resets: runtime.halfOpen.counts.resets }
}

if (process.argv[1]?.endsWith('ways-child.js') === true) {
  for await (const line of createInterface(process.stdin)) {
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as Question))}\n`)
  }
}
