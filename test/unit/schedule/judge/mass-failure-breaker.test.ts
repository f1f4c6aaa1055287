import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CANARY_ROUND_EVERY_MS,
  MASS_FAILURE_LOOK_EVERY_MS,
  WITNESSES_ASKED_EVERY_MS,
} from '../../../../src/domain/limits.ts'
import type { ProbeResult } from '../../../../src/domain/result/probe-result.ts'
import { initialState, step } from '../../../../src/domain/status/state-machine.ts'
import { createMetrics } from '../../../../src/runtime/metrics/metrics.ts'
import { Check } from '../../../../src/schedule/loop/check.ts'
import { MassFailureBreaker } from '../../../../src/schedule/judge/mass-failure-breaker.ts'
import { config, DELAY_MS, shareOf } from '../../../support/scheduling.ts'

const FAILED: ProbeResult = {
  outcome: 'failed',
  reason: 'CONNECT_TIMEOUT',
  detail: '',
  phases: { totalMs: 1 },
}
const PASSED: ProbeResult = { outcome: 'passed', reason: 'PASSED', detail: '', phases: { totalMs: 1 } }
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

/** Checks in pools and networks of their own that have just passed, and a breaker over them. */
function breakerOver(
  count: number,
  canaries: { count: number; answer: boolean | Promise<boolean> },
  fall = 1,
  votes?: { readonly contradict: boolean },
) {
  let nowMs = 1_000_000
  const checks = Array.from({ length: count }, (_, i) => {
    const own = config(`m${i}`, {
      rise: 1,
      fall,
      poolId: `p${i}`,
      ...(votes === undefined ? {} : { isVote: true }),
    })
    const check = new Check(own, undefined, {
      nowMs,
      pool: { isGone: false },
      share: shareOf(`10.0.${i}.1`),
      denied: undefined,
    })
    check.lastResult = PASSED
    check.state = step(own.policy, initialState(own.policy), 'passed')
    return check
  })
  const concluded: string[] = []
  const breaker = new MassFailureBreaker({
    checks: () => checks,
    canaries: { count: canaries.count, ask: async () => await canaries.answer },
    askOtherSites: async () => {
      if (votes === undefined) throw new Error('there are no votes to ask about')
      return votes.contradict
    },
    conclude: (_, __, { reason }) => void concluded.push(reason),
    metrics: createMetrics('test'),
    log: quiet,
    now: () => nowMs,
  })
  const reconsider = (i: number, result = FAILED) => {
    const check = checks[i] ?? assert.fail()
    if (result.outcome === 'passed') check.conclusiveMs = nowMs
    return breaker.reconsider(check, result, nowMs)?.reason
  }
  const settle = () => new Promise((resolve) => setTimeout(resolve, 30))
  return { breaker, reconsider, concluded, settle, pass: (ms: number) => void (nowMs += ms) }
}

test('decisive failures wait, count for nothing once most have failed without a canary, and count after one interval', async () => {
  const { breaker, reconsider, concluded, settle, pass } = breakerOver(10, { count: 1, answer: false })
  for (let i = 0; i < 6; i++) assert.equal(reconsider(i), undefined, 'it waits')
  assert.equal(breaker.facts.state, 'suspicious')
  await settle()
  assert.deepEqual(
    concluded,
    Array.from({ length: 6 }, () => 'PROBER_MASS_FAILURE'),
  )
  assert.equal(breaker.facts.state, 'holding')
  assert.equal(reconsider(7), 'PROBER_MASS_FAILURE')
  pass(DELAY_MS + 1)
  assert.equal(breaker.facts.state, 'closed')
  assert.equal(reconsider(0), 'CONNECT_TIMEOUT', 'what was held back once is not held back again')
  assert.deepEqual(
    [breaker.facts.trips, breaker.facts.massFailures, breaker.facts.canariesAnswer],
    [1, 1, false],
  )
  breaker.destroy()
})

test('a canary that answers lets everything that waited count', async () => {
  const { breaker, reconsider, concluded, settle } = breakerOver(10, { count: 1, answer: true })
  for (let i = 0; i < 6; i++) assert.equal(reconsider(i), undefined)
  await settle()
  assert.deepEqual(
    concluded,
    Array.from({ length: 6 }, () => 'CONNECT_TIMEOUT'),
  )
  assert.equal(breaker.facts.trips, 0)
  breaker.destroy()
})

test('nothing waits without canaries, among fewer than eight networks, and for failures that decide nothing', () => {
  for (const { reconsider, breaker } of [
    breakerOver(10, { count: 0, answer: false }),
    breakerOver(7, { count: 1, answer: false }),
    breakerOver(10, { count: 1, answer: false }, 3),
  ]) {
    for (let i = 0; i < 7; i++) assert.equal(reconsider(i), 'CONNECT_TIMEOUT')
    breaker.destroy()
  }
})

test('when it ends, waiting results are not reported', async () => {
  const { breaker, reconsider, concluded, settle } = breakerOver(10, { count: 1, answer: true })
  assert.equal(reconsider(0), undefined)
  breaker.destroy()
  assert.equal(reconsider(1), 'CONNECT_TIMEOUT', 'nothing waits any more')
  await settle()
  assert.deepEqual(concluded, [])
})

test('when it ends while canaries are being asked, their answer changes nothing', async () => {
  let answer: (answers: boolean) => void = () => undefined
  const asked = new Promise<boolean>((resolve) => (answer = resolve))
  const { breaker, reconsider, concluded, settle } = breakerOver(10, { count: 1, answer: asked })
  for (let i = 0; i < 6; i++) assert.equal(reconsider(i), undefined)
  await settle()
  breaker.destroy()
  answer(false)
  await settle()
  const { trips, canariesAnswer, state } = breaker.facts
  assert.deepEqual([trips, canariesAnswer, state, concluded], [0, null, 'closed', []])
})

test('what was held back counts from then on, until its target answers: a result that tells nothing changes nothing', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const canaries = { count: 1, answer: false }
  const { breaker, reconsider, pass } = breakerOver(30, canaries)
  t.after(() => breaker.destroy())
  const wait = async (ms: number) => {
    pass(ms)
    t.mock.timers.tick(ms)
    await new Promise((resolve) => setImmediate(resolve))
  }
  for (let i = 0; i < 16; i++) reconsider(i)
  await wait(1)
  const [silent, answering, other] = [16, 17, 18]
  for (const i of [silent, answering]) assert.equal(reconsider(i), 'PROBER_MASS_FAILURE')
  const tellsNothing = { ...FAILED, outcome: 'inconclusive', reason: 'PROBER_NO_SOCKET' } as const
  assert.equal(reconsider(silent, tellsNothing), 'PROBER_NO_SOCKET')
  assert.equal(reconsider(answering, PASSED), 'PASSED')
  canaries.answer = true
  await wait(Math.max(CANARY_ROUND_EVERY_MS.max, DELAY_MS + 1))
  assert.equal(reconsider(other), undefined, 'what fails first waits for the canaries again')
  assert.equal(reconsider(silent), 'CONNECT_TIMEOUT')
  assert.equal(reconsider(answering), undefined, 'it fails first, too')
})

for (const canaries of [
  { count: 0, answer: false },
  { count: 1, answer: true },
]) {
  const how = canaries.count === 0 ? 'without canaries' : 'though a canary answers'
  test(`${how}, votes are held while most fail here and other sites see them ONLINE, and count when they do not`, async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const votes = { contradict: true }
    const { breaker, reconsider, concluded, pass } = breakerOver(10, canaries, 1, votes)
    t.after(() => breaker.destroy())
    const wait = async (ms: number) => {
      pass(ms)
      t.mock.timers.tick(ms)
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
    }
    for (let i = 0; i < 6; i++) assert.equal(reconsider(i), undefined, 'it waits')
    await wait(1)
    assert.deepEqual(
      concluded,
      Array.from({ length: 6 }, () => 'PROBER_MASS_FAILURE'),
    )
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 10; i++) assert.equal(reconsider(i), 'PROBER_MASS_FAILURE')
      await wait(WITNESSES_ASKED_EVERY_MS)
    }
    assert.deepEqual([breaker.facts.state, breaker.facts.suspect], ['holding', true])
    votes.contradict = false
    await wait(WITNESSES_ASKED_EVERY_MS)
    assert.deepEqual([breaker.facts.state, breaker.facts.suspect], ['closed', false])
    for (let i = 0; i < 10; i++) assert.equal(reconsider(i), 'CONNECT_TIMEOUT')
  })
}

test('the site is no suspect any more when most of what failed has passed', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { breaker, reconsider, pass } = breakerOver(10, { count: 0, answer: false }, 1, { contradict: true })
  t.after(() => breaker.destroy())
  const wait = async (ms: number) => {
    pass(ms)
    t.mock.timers.tick(ms)
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
  }
  for (let i = 0; i < 10; i++) reconsider(i)
  await wait(1)
  assert.equal(breaker.facts.suspect, true)
  await wait(1)
  for (let i = 0; i < 6; i++) assert.equal(reconsider(i, PASSED), 'PASSED')
  await wait(WITNESSES_ASKED_EVERY_MS)
  assert.equal(breaker.facts.suspect, false)
  assert.equal(reconsider(9), 'CONNECT_TIMEOUT')
})

test('failures of members that one site probes count, whatever other sites would say', async () => {
  const { breaker, reconsider, settle } = breakerOver(10, { count: 0, answer: false })
  for (let i = 0; i < 10; i++) assert.equal(reconsider(i), 'CONNECT_TIMEOUT')
  await settle()
  assert.equal(breaker.facts.suspect, false)
})

test('what failed before the site was the suspect is a part of what fails while it is', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { breaker, reconsider, pass } = breakerOver(10, { count: 0, answer: false }, 2, { contradict: true })
  t.after(() => breaker.destroy())
  const wait = async (ms: number) => {
    pass(ms)
    t.mock.timers.tick(ms)
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
  }
  for (let i = 0; i < 6; i++) {
    assert.equal(reconsider(i), 'CONNECT_TIMEOUT', 'one failure makes nobody OFFLINE')
    await wait(100)
  }
  await wait(1)
  for (let i = 6; i < 10; i++) assert.equal(reconsider(i), 'PROBER_MASS_FAILURE')
  await wait(WITNESSES_ASKED_EVERY_MS)
  assert.equal(breaker.facts.suspect, true)
  for (let i = 0; i < 6; i++) assert.equal(reconsider(i), 'PROBER_MASS_FAILURE')
})

test('failures that all come at one time are a mass failure, though the look at the first of them was before the others', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { breaker, reconsider, pass } = breakerOver(10, { count: 0, answer: false })
  t.after(() => breaker.destroy())
  for (let i = 0; i < 10; i++) assert.equal(reconsider(i), 'CONNECT_TIMEOUT')
  assert.equal(breaker.facts.massFailures, 0)
  pass(MASS_FAILURE_LOOK_EVERY_MS)
  t.mock.timers.tick(MASS_FAILURE_LOOK_EVERY_MS)
  assert.equal(breaker.facts.massFailures, 1)
})

test('the site stays the suspect while nothing that failed before has a second result', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const votes = { contradict: true }
  const { breaker, reconsider, pass } = breakerOver(10, { count: 0, answer: false }, 2, votes)
  t.after(() => breaker.destroy())
  const wait = async (ms: number) => {
    pass(ms)
    t.mock.timers.tick(ms)
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
  }
  for (let i = 0; i < 9; i++)
    assert.equal(reconsider(i), 'CONNECT_TIMEOUT', 'one failure makes nobody OFFLINE')
  await wait(MASS_FAILURE_LOOK_EVERY_MS)
  await wait(1)
  assert.equal(breaker.facts.suspect, true)
  for (let second = 0; second < 3; second++) await wait(WITNESSES_ASKED_EVERY_MS)
  assert.equal(breaker.facts.suspect, true)
  for (let i = 0; i < 9; i++) assert.equal(reconsider(i), 'PROBER_MASS_FAILURE')
  votes.contradict = false
  await wait(WITNESSES_ASKED_EVERY_MS)
  assert.equal(breaker.facts.suspect, false)
})
