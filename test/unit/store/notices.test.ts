/** What is committed is reported soon, once, and many together; nothing that goes wrong stops it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Notice, Notices } from '../../../src/store/connection/notices.ts'
import { eventually } from '../../support/configuration.ts'

const shard = (payload: string): Notice => ({ channel: 'config', payload })
const OUTBOX: Notice = { channel: 'outbox', payload: '' }

/** Records what is sent; `answer` lets the one under way end. */
function sending() {
  const sent: (readonly Notice[])[] = []
  let end: ((error?: Error) => void) | undefined
  const notices = new Notices((given) => {
    sent.push(given)
    return new Promise((resolve, reject) => {
      end = (error) => (error === undefined ? resolve() : reject(error))
    })
  })
  return { notices, sent, answer: (error?: Error) => end?.(error) }
}

test('the first is sent at once; what comes meanwhile is sent together, each once', async () => {
  const { notices, sent, answer } = sending()
  notices.tell([shard('1'), OUTBOX])
  assert.deepEqual(sent, [[shard('1'), OUTBOX]])
  for (const payload of ['2', '3', '2']) notices.tell([shard(payload), OUTBOX])
  assert.equal(sent.length, 1, 'one at a time')
  answer()
  await eventually('the others are sent', () => sent.length === 2)
  assert.deepEqual(sent[1], [shard('2'), shard('3'), OUTBOX])
  answer()
  await notices.close()
  assert.equal(sent.length, 2)
})

test('one that fails is lost, and those after it are sent', async () => {
  const { notices, sent, answer } = sending()
  notices.tell([shard('1')])
  notices.tell([shard('2')])
  answer(new Error('no connection'))
  await eventually('the next is sent', () => sent.length === 2)
  assert.deepEqual(sent[1], [shard('2')])
  answer()
  await notices.close()
})

test('closing sends what is due, and nothing to tell sends nothing', async () => {
  const { notices, sent, answer } = sending()
  notices.tell([])
  assert.deepEqual(sent, [])
  notices.tell([shard('1')])
  notices.tell([shard('2')])
  const closed = notices.close()
  answer()
  await eventually('the second is sent', () => sent.length === 2)
  answer()
  await closed
})
