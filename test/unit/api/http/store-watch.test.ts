import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreWatch } from '../../../../src/api/http/store-watch.ts'
import { NoConnectionError, whyAway } from '../../../../src/store/connection/database.ts'

test('PostgreSQL away is one line however many requests meet it, and one when it is back; the next time is logged again', async () => {
  const lines: string[] = []
  let isBack = false
  let told: (() => void) | undefined
  const log = {
    error: (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`),
    info: (_: object, message: string) => {
      lines.push(message)
      told?.()
    },
  }
  const watch = new StoreWatch(log, () => (isBack ? Promise.resolve() : Promise.reject(new Error('away'))))
  for (let times = 1; times <= 2; times++) {
    isBack = false
    const back = new Promise<void>((resolve) => {
      told = resolve
    })
    for (let i = 0; i < 3; i++) watch.away(new Error('connect ECONNREFUSED 127.0.0.1:5432'))
    assert.equal(lines.length, 2 * times - 1)
    isBack = true
    // Its timer keeps no process alive.
    const alive = setInterval(() => undefined, 1000)
    await back
    clearInterval(alive)
  }
  assert.deepEqual(
    lines.filter((_, i) => i % 2 === 1),
    ['PostgreSQL answers again', 'PostgreSQL answers again'],
  )
  assert.match(lines[0] ?? '', /does not answer.*connect ECONNREFUSED/)
})

test('why PostgreSQL is away is logged in the words of an operator', () => {
  const pool = new NoConnectionError(new Error('timeout exceeded when trying to connect'))
  assert.equal(whyAway(pool), 'no connection within 3000 ms')
  const both = new AggregateError([
    new Error('connect ECONNREFUSED ::1:5432'),
    new Error('connect ECONNREFUSED 127.0.0.1:5432'),
  ])
  assert.equal(whyAway(both), 'connect ECONNREFUSED ::1:5432; connect ECONNREFUSED 127.0.0.1:5432')
})
