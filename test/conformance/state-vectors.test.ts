import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type SimulatedStep, simulateTrace } from '../../src/domain/status/simulation.ts'

interface Vector {
  readonly id: string
  readonly results: readonly unknown[]
  readonly expect: readonly (Readonly<Record<string, unknown>> | null)[]
  readonly unified_config: unknown
}

function vectorsOf(file: string): readonly Vector[] {
  return (JSON.parse(readFileSync(`test/vectors/${file}`, 'utf8')) as { vectors: readonly Vector[] }).vectors
}

const vectors = vectorsOf('state-vectors.json')
/** Further traces, written by hand; all of them are reproduced. */
const furtherVectors = vectorsOf('further-state-vectors.json')

/** Traces that the unified model leaves out on purpose, and why. */
const NOT_REPRODUCED: Readonly<Record<string, string>> = {
  'envoy-17': 'a threshold of 0, which never ejects: a trap; thresholds below 1 are refused',
  'haproxy-14': 'observe with on-error mark-down: traffic does not pass through us, so nothing observes it',
  'haproxy-16': 'observe with on-error fail-check, as haproxy-14',
  'haproxy-17': 'observe with on-error fastinter, as haproxy-14',
  'keepalived-08': 'quirk: the two successes that recovery needs need not be consecutive there',
  'consul-05': 'failures_before_warning: a warning stage between passing and critical',
  'route53-01': 'an aggregate over many checkers, no trace of one check',
  'route53-02': 'an aggregate over many checkers, no trace of one check',
}

/** What a step reports; the peers' own words and Envoy's two further flags are not ours. */
const COMPARED = ['status', 'next_interval_ms', 'timer', 'degraded', 'warning', 'draining'] as const

function comparable(row: Readonly<Record<string, unknown>> | null, withTransition: boolean): unknown {
  if (row === null) return null
  const keys = withTransition ? [...COMPARED, 'transition'] : COMPARED
  return Object.fromEntries(keys.filter((key) => key in row).map((key) => [key, row[key]]))
}

for (const vector of [...vectors, ...furtherVectors].filter(
  ({ unified_config }) => unified_config !== null,
)) {
  test(`${vector.id}: status, flags, transition and next interval are those of the peer after every result`, () => {
    const { steps } = simulateTrace(vector)
    assert.ok(steps !== null)
    assert.equal(steps.length, vector.expect.length)
    for (const [index, expected] of vector.expect.entries()) {
      const withTransition = expected !== null && 'transition' in expected
      const told: SimulatedStep | null = steps[index] ?? null
      assert.deepEqual(
        comparable(told === null ? null : { ...told }, withTransition),
        comparable(expected, withTransition),
        `after result ${index + 1}, ${JSON.stringify(vector.results[index])}`,
      )
    }
  })
}

test('no trace is there twice, and none of the further ones is left out', () => {
  const ids = [...vectors, ...furtherVectors].map(({ id }) => id)
  assert.deepEqual(ids, [...new Set(ids)])
  assert.ok(furtherVectors.every(({ unified_config }) => unified_config !== null))
})

test('exactly the traces of this list are not reproduced, each for a reason', () => {
  const without = vectors.filter(({ unified_config }) => unified_config === null).map(({ id }) => id)
  assert.deepEqual(without.sort(), Object.keys(NOT_REPRODUCED).sort())
  for (const vector of vectors.filter(({ id }) => id in NOT_REPRODUCED)) {
    assert.equal(simulateTrace(vector).steps, null)
  }
})
