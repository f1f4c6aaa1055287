import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TroubleLog } from '../../../src/notify/trouble-log.ts'

function logged() {
  const lines: unknown[] = []
  const log = {
    info: (facts: object, message: string) => void lines.push(['info', facts, message]),
    warn: (facts: object, message: string) => void lines.push(['warn', facts, message]),
  }
  return { lines, log }
}

const SENTENCES = { trouble: 'it cannot be done', recovery: 'it is done again' }

test('of several failures in a row only the first is logged, and then the first success', () => {
  const { lines, log } = logged()
  const trouble = new TroubleLog(log, SENTENCES, { receiver: 'webhooks' })
  const [first, second] = [new Error('first'), new Error('second')]
  trouble.failed(first)
  trouble.failed(second)
  trouble.worked()
  trouble.worked()
  trouble.failed(second)
  assert.deepEqual(lines, [
    ['warn', { err: first, receiver: 'webhooks' }, 'it cannot be done'],
    ['info', { receiver: 'webhooks' }, 'it is done again'],
    ['warn', { err: second, receiver: 'webhooks' }, 'it cannot be done'],
  ])
})

test('what always works logs nothing', () => {
  const { lines, log } = logged()
  new TroubleLog(log, SENTENCES).worked()
  assert.deepEqual(lines, [])
})
