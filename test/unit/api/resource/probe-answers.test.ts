import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AnsweredRequest, ProbeAnswers } from '../../../../src/api/resource/probe-answers.ts'
import { until } from '../../../support/probing.ts'

function world() {
  const stored = new Map<string, AnsweredRequest>()
  const reads: (readonly string[])[] = []
  const told: string[] = []
  const state = { trouble: undefined as Error | undefined }
  const answers = new ProbeAnswers({
    read: (ids) => {
      reads.push(ids)
      if (state.trouble !== undefined) return Promise.reject(state.trouble)
      return Promise.resolve(ids.flatMap((id) => stored.get(id) ?? []))
    },
    onTrouble: () => told.push('trouble'),
    onRecovery: () => told.push('recovery'),
  })
  const store = (id: string) => stored.set(id, { id, proberId: 'prober', answer: { noResult: 'not_probed' } })
  return { answers, reads, told, state, store }
}

test('an answer comes with its notification, and one that is not waited for is not read', async () => {
  const { answers, reads, store } = world()
  const one = answers.waitFor('one', 60_000)
  store('one')
  answers.notify('another')
  assert.deepEqual(reads, [])
  answers.notify('one')
  assert.equal((await one)?.id, 'one')
  assert.deepEqual(reads, [['one']])
  assert.equal(answers.waiting, 0)
})

test('answers that come together are read together', async () => {
  const { answers, reads, store } = world()
  const ids = ['a', 'b', 'c']
  const waits = ids.map((id) => answers.waitFor(id, 60_000))
  for (const id of ids) store(id)
  for (const id of ids) answers.notify(id)
  await Promise.all(waits)
  assert.deepEqual(reads, [['a'], ['b', 'c']])
})

test('an answer whose notification was lost is found within a second, by one read for all who wait', async () => {
  const { answers, reads, store } = world()
  const waits = ['a', 'b'].map((id) => answers.waitFor(id, 60_000))
  store('a')
  store('b')
  const began = performance.now()
  await Promise.all(waits)
  assert.ok(performance.now() - began < 5000)
  assert.deepEqual(reads, [['a', 'b']])
})

test('who waits gets nothing when the time is over, when it gives up, and when the process ends', async () => {
  const { answers } = world()
  assert.equal(await answers.waitFor('late', 20), undefined)
  const given = answers.waitFor('given up', 60_000)
  answers.giveUp('given up')
  answers.giveUp('unknown')
  assert.equal(await given, undefined)
  const open = answers.waitFor('open', 60_000)
  assert.equal(answers.isClosed, false)
  await answers.close()
  assert.equal(answers.isClosed, true)
  assert.equal(await open, undefined)
  assert.equal(await answers.waitFor('after the end', 60_000), undefined)
  assert.equal(answers.waiting, 0)
})

test('reads that fail are reported once, and who waits is answered when they work again', async () => {
  const { answers, told, state, store } = world()
  const one = answers.waitFor('one', 60_000)
  state.trouble = new Error('away')
  answers.notify('one')
  await until(() => told.length === 1)
  answers.notify('one')
  store('one')
  await until(() => told.length === 1)
  state.trouble = undefined
  answers.notify('')
  assert.equal((await one)?.id, 'one')
  await until(() => told.length === 2)
  assert.deepEqual(told, ['trouble', 'recovery'])
})
