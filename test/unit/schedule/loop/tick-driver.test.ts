import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { WHEEL_SLEEP_MAX_MS } from '../../../../src/domain/limits.ts'
import { TickDriver } from '../../../../src/schedule/loop/tick-driver.ts'

/** A driver with timers that the test moves; what it called, and for how long it sleeps after a tick. */
function withFakes(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let clockMs = 1000
  t.mock.method(performance, 'now', () => clockMs)
  const called: string[] = []
  const sleep: { ms: number | undefined } = { ms: undefined }
  const driver = new TickDriver({
    tick: () => void called.push('tick'),
    noticeTime: () => void called.push('time'),
    sleepMs: () => sleep.ms,
  })
  t.after(() => driver.stop())
  /** Time passes, and the event loop turns; what was called meanwhile. */
  const pass = async (ms: number): Promise<string> => {
    clockMs += ms
    t.mock.timers.tick(ms)
    await turn()
    await turn()
    return called.splice(0).join()
  }
  return { driver, sleep, pass }
}

test('a tick comes when it is due and not before; the time is noticed before sockets are read', async (t) => {
  const { driver, pass } = withFakes(t)
  driver.wake(20)
  assert.equal(await pass(19), '')
  assert.equal(await pass(1), 'time,tick')
  assert.equal(await pass(1000), '', 'once')
})

test('an earlier tick takes the place of a later one, and a later one changes nothing', async (t) => {
  const { driver, pass } = withFakes(t)
  driver.wake(50)
  driver.wake(20)
  driver.wake(30)
  assert.equal(await pass(20), 'time,tick')
  assert.equal(await pass(50), '')
})

test('what is due now comes in this turn of the event loop, once however often it is asked for', async (t) => {
  const { driver, pass } = withFakes(t)
  for (const inMs of [0, -1, 0, 20]) driver.wake(inMs)
  assert.equal(await pass(0), 'tick')
  assert.equal(await pass(20), '')
})

test('after a tick it sleeps until the next, at most for its bound, or until it is woken', async (t) => {
  const { driver, sleep, pass } = withFakes(t)
  sleep.ms = 10
  driver.wake(0)
  assert.equal(await pass(0), 'tick')
  assert.equal(await pass(9), '')
  sleep.ms = 10 * WHEEL_SLEEP_MAX_MS
  assert.equal(await pass(1), 'time,tick')
  assert.equal(await pass(WHEEL_SLEEP_MAX_MS - 1), '')
  sleep.ms = undefined
  assert.equal(await pass(1), 'time,tick')
  assert.equal(await pass(10 * WHEEL_SLEEP_MAX_MS), '')
  driver.wake(5)
  assert.equal(await pass(5), 'time,tick')
})

test('one that has stopped does nothing more, whatever was planned', async (t) => {
  for (const inMs of [0, 20]) {
    await t.test(`planned in ${inMs} ms`, async (inner) => {
      const { driver, pass } = withFakes(inner)
      driver.wake(inMs)
      driver.stop()
      driver.wake(inMs)
      assert.equal(await pass(100), '')
    })
  }
})
