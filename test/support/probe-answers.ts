/** Requests for a probe that are answered without a prober. */
import { randomUUID } from 'node:crypto'
import type { ApiDependencies } from '../../src/api/http/context.ts'
import type { ProbeFinding } from '../../src/domain/prober/probe-request.ts'

const PASSED: ProbeFinding = {
  outcome: 'passed',
  reason: 'PASSED',
  detail: '',
  phases: { totalMs: 1 },
  evidence: {},
  at: 0,
  counted: false,
}

/** As if a prober found at once that every member passes; as often as somebody asks. */
export function answeredAtOnce(): ApiDependencies['probes'] {
  return {
    answers: {
      waitFor: (id) => Promise.resolve({ id, proberId: randomUUID(), answer: { finding: PASSED } }),
      giveUp: () => undefined,
      isClosed: false,
    },
    allowance: { take: () => () => undefined },
    ended: () => undefined,
  }
}
