import assert from 'node:assert/strict'
import { setImmediate as settled } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { LISTEN_RETRY_MS } from '../../../../src/domain/limits.ts'
import { ChannelListener } from '../../../../src/schedule/configuration/channel-listener.ts'
import { keepingLog } from '../../../support/prober.ts'

/** A listener whose connections the test makes, refuses and breaks, with timers that the test moves. */
function withFakes(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const database = { isAway: false, tries: 0, ended: 0 }
  const payloads: string[] = []
  const log = keepingLog()
  let notify: (payload: string) => void = () => undefined
  let breakOff: (error: Error | undefined) => void = () => undefined
  const listener = new ChannelListener({
    log,
    subject: 'events',
    onPayload: (payload) => void payloads.push(payload),
    listen: (onPayload, onEnd) => {
      database.tries++
      if (database.isAway) return Promise.reject(new Error('away'))
      notify = onPayload
      breakOff = onEnd
      return Promise.resolve({ end: () => Promise.resolve(void database.ended++) })
    },
  })
  t.after(() => listener.close())
  return {
    listener,
    database,
    payloads,
    levels: () => log.lines.map(({ level }) => level),
    notify: (payload: string) => notify(payload),
    breakOff: () => breakOff(new Error('broken')),
    advance: async (ms: number) => {
      t.mock.timers.tick(ms)
      await settled()
    },
  }
}

test('what arrives is passed on, and a connection begins with a look at everything that changed before it', async (t) => {
  const { listener, payloads, notify, levels } = withFakes(t)
  assert.equal(listener.isListening, false)
  listener.start()
  await settled()
  assert.equal(listener.isListening, true)
  notify('7')
  assert.deepEqual(payloads, ['', '7'])
  assert.deepEqual(levels(), [])
})

test('a connection that breaks is made again, at first soon and then ever more rarely; it is logged once', async (t) => {
  const { listener, database, payloads, breakOff, advance, levels } = withFakes(t)
  listener.start()
  await settled()
  database.isAway = true
  breakOff()
  assert.equal(listener.isListening, false)
  let waitMs = LISTEN_RETRY_MS.min
  for (let tries = 2; tries < 12; tries++) {
    await advance(waitMs - 1)
    assert.equal(database.tries, tries - 1)
    await advance(1)
    assert.equal(database.tries, tries, `after ${waitMs} ms`)
    waitMs = Math.min(LISTEN_RETRY_MS.max, 2 * waitMs)
  }
  assert.equal(waitMs, LISTEN_RETRY_MS.max)
  assert.deepEqual(levels(), ['warn'])
  database.isAway = false
  await advance(waitMs)
  assert.equal(listener.isListening, true)
  assert.deepEqual(payloads, ['', ''], 'changes meanwhile are looked for')
  assert.deepEqual(levels(), ['warn', 'info'])
  breakOff()
  await advance(LISTEN_RETRY_MS.min)
  assert.equal(listener.isListening, true, 'the next break is not waited for longer')
  assert.deepEqual(levels(), ['warn', 'info', 'warn', 'info'], 'each time that it is away')
})

test('one that is closed ends its connection and makes no other', async (t) => {
  const { listener, database, breakOff, advance, levels } = withFakes(t)
  listener.start()
  await settled()
  await listener.close()
  assert.deepEqual([listener.isListening, database.ended], [false, 1])
  breakOff()
  await advance(LISTEN_RETRY_MS.max)
  assert.deepEqual([database.tries, levels()], [1, []])
})

test('one that is closed while it waits for the next try makes none', async (t) => {
  const { listener, database, advance } = withFakes(t)
  database.isAway = true
  listener.start()
  await settled()
  await listener.close()
  await advance(LISTEN_RETRY_MS.max)
  assert.deepEqual([database.tries, database.ended], [1, 0])
})
