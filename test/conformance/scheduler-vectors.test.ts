import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { FIRST_PROBE_WITHIN_MS, INTERVAL_FLOOR_MS, WHEEL_TICK_MS } from '../../src/domain/limits.ts'
import type { Reason } from '../../src/domain/result/reasons.ts'
import type { ProbeResult } from '../../src/domain/result/probe-result.ts'
import { simulateTrace } from '../../src/domain/status/simulation.ts'
import { parseUnifiedConfig } from '../../src/domain/status/unified-config.ts'
import { config, harness, pool } from '../support/scheduling.ts'

interface Vector {
  readonly id: string
  readonly results: readonly string[]
  readonly unified_config: unknown
}

/** How a probe ends that gives the result of a word. */
const ENDS: Readonly<Record<string, readonly [Reason, ProbeResult['flag']?]>> = {
  success: ['PASSED'],
  degraded: ['PASSED', 'degraded'],
  warning: ['PASSED', 'warning'],
  cond_pass: ['PASSED', 'draining'],
  network_fail: ['CONNECT_REFUSED'],
  timeout: ['RECV_TIMEOUT'],
  retriable_fail: ['STATUS_RETRIABLE'],
  status_fail: ['STATUS_MISMATCH'],
  payload_fail: ['BODY_MISMATCH'],
  immediate_fail: ['IMMEDIATE_FAIL'],
  inconclusive: ['PROBER_NO_SOCKET'],
}

/** Milliseconds that a probe takes here. */
const PROBE_MS = 30
/** The wheel turns in ticks, and a probe starts with the tick after it is due. */
const LATENESS_MS = 2 * WHEEL_TICK_MS
/** Milliseconds after which a check that has not been probed is probed no more. */
const NEVER_MS = 20_000

const vectors = ['state-vectors.json', 'further-state-vectors.json'].flatMap(
  (file) =>
    (JSON.parse(readFileSync(`test/vectors/${file}`, 'utf8')) as { vectors: readonly Vector[] }).vectors,
)

/** No probe gives a failure on traffic, and reported traffic ends a wait: both are tested elsewhere. */
function isOfProbes({ unified_config, results }: Vector): boolean {
  return unified_config !== null && results.every((word) => word === '@restart' || Object.hasOwn(ENDS, word))
}

for (const vector of vectors.filter(isOfProbes)) {
  test(`${vector.id}: the scheduler publishes what simulate says, and probes when it says`, () => {
    const policy = parseUnifiedConfig(vector.unified_config)
    const { steps } = simulateTrace(vector)
    const { scheduler, attempts, run, last, now } = harness()
    let generation = 1
    const apply = () => scheduler.applyPool(pool(config('a', { policy, generation })))
    apply()
    run(FIRST_PROBE_WITHIN_MS)
    let wanted = 1
    for (const [i, word] of vector.results.entries()) {
      const where = `${word}, result ${i + 1}`
      const step = steps?.[i] ?? null
      if (step === null) {
        generation++
        apply()
        run(FIRST_PROBE_WITHIN_MS + LATENESS_MS)
        wanted = attempts.length
        continue
      }
      const isHalted = attempts.length < wanted
      const [check] = scheduler.checks()
      assert.ok(check !== undefined)
      if (!isHalted) {
        const [reason, flag] = ENDS[word] ?? assert.fail(word)
        run(PROBE_MS)
        last().end(reason, flag)
      }
      const { status, decided, degraded, warning, draining } = check.state
      assert.equal(status, step.status, where)
      assert.equal(check.verdict?.status, decided ? step.status : undefined, where)
      const flags = [step.degraded, step.warning, step.draining].map((each) => each === true)
      assert.deepEqual([degraded, warning, draining], flags, where)
      wanted = attempts.length + 1
      if (step.next_interval_ms === null) {
        run(NEVER_MS)
        assert.equal(attempts.length, wanted - 1, `${where}: no probe follows`)
        continue
      }
      const waitMs = Math.max(INTERVAL_FLOOR_MS, step.next_interval_ms)
      const fromMs = policy.anchor === 'start' ? last().startedMs : now()
      run(fromMs + waitMs - now() - LATENESS_MS)
      assert.equal(attempts.length, wanted - 1, `${where}: the next probe comes too soon`)
      run(2 * LATENESS_MS)
      assert.equal(attempts.length, wanted, `${where}: the next probe comes too late`)
    }
  })
}
