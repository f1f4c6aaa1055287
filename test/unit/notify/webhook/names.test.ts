import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { type TestContext, test } from 'node:test'
import {
  WEBHOOK_LOOKUPS,
  WEBHOOK_NAME_FRESH_MS,
  WEBHOOK_NAME_KEPT_MS,
  WEBHOOK_NAME_PATIENCE_MS,
  WEBHOOK_NAMES_PER_PROJECT,
} from '../../../../src/domain/limits.ts'
import { Names } from '../../../../src/notify/webhook/names.ts'

const found = (address: string): readonly LookupAddress[] => [{ address, family: 4 }]
const never = () => new Promise<never>(() => undefined)

/** Names over a host and a DNS that the test changes, and a clock that only the test moves. */
function aWorld(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const clock = { ms: 0 }
  t.mock.method(performance, 'now', () => clock.ms)
  const asked: string[] = []
  const answers = {
    host: (_name: string): Promise<readonly LookupAddress[]> => Promise.resolve(found('192.0.2.1')),
    dns: (_name: string): Promise<readonly LookupAddress[]> => Promise.resolve([]),
  }
  const ask = (who: 'host' | 'dns') => (name: string) => {
    asked.push(`${who} ${name}`)
    return answers[who](name)
  }
  const names = new Names({ host: ask('host'), dns: ask('dns') })
  const pass = async (ms: number): Promise<void> => {
    clock.ms += ms
    for (let i = 0; i < 10; i++) await Promise.resolve()
    t.mock.timers.tick(ms)
    for (let i = 0; i < 10; i++) await Promise.resolve()
  }
  return { names, asked, answers, pass }
}

test('a name is asked for once, until its answer is not fresh any more or led to no connection', async (t) => {
  const { names, asked, answers, pass } = aWorld(t)
  for (let i = 0; i < 3; i++) assert.deepEqual(await names.addressesOf('p', 'a.test'), ['192.0.2.1'])
  assert.deepEqual(asked, ['host a.test'])
  await pass(WEBHOOK_NAME_FRESH_MS)
  answers.host = () => Promise.resolve(found('192.0.2.2'))
  assert.deepEqual(await names.addressesOf('p', 'a.test'), ['192.0.2.2'])
  names.doubt('p', 'a.test')
  await names.addressesOf('p', 'a.test')
  assert.equal(asked.length, 3)
})

test('while a look-up takes long, the answer before it is used; one that is too old is not', async (t) => {
  const { names, asked, answers, pass } = aWorld(t)
  await names.addressesOf('p', 'a.test')
  answers.host = never
  await pass(WEBHOOK_NAME_FRESH_MS)
  const late = names.addressesOf('p', 'a.test')
  await pass(WEBHOOK_NAME_PATIENCE_MS)
  assert.deepEqual(await late, ['192.0.2.1'])
  await pass(WEBHOOK_NAME_KEPT_MS)
  answers.dns = () => Promise.resolve(found('192.0.2.3'))
  const old = names.addressesOf('p', 'a.test')
  await pass(WEBHOOK_NAME_PATIENCE_MS)
  assert.deepEqual(await old, ['192.0.2.3'])
  assert.deepEqual(
    asked,
    ['host a.test', 'host a.test', 'dns a.test'],
    'the look-up that hangs is not made again',
  )
})

test('a name that is gone has no address, however lately it had one', async (t) => {
  const { names, answers, pass } = aWorld(t)
  await names.addressesOf('p', 'a.test')
  await pass(WEBHOOK_NAME_FRESH_MS)
  answers.host = () => Promise.reject(new Error('ENOTFOUND'))
  await assert.rejects(names.addressesOf('p', 'a.test'), /ENOTFOUND/)
})

test('projects whose look-ups hang take all places, and another one asks DNS; where that knows nothing, it waits', async (t) => {
  const { names, asked, answers, pass } = aWorld(t)
  let end: (addresses: readonly LookupAddress[]) => void = () => undefined
  answers.host = (name) => (name === 'last.test' ? new Promise((resolve) => (end = resolve)) : never())
  answers.dns = (name) => Promise.resolve(name === 'works.test' ? found('192.0.2.4') : [])
  for (let i = 1; i < WEBHOOK_LOOKUPS; i++) void names.addressesOf(`hostile ${i}`, 'dead.test')
  const last = names.addressesOf('hostile', 'last.test')
  const works = names.addressesOf('p', 'works.test')
  const waits = names.addressesOf('q', 'hosts-file.test')
  await pass(WEBHOOK_NAME_PATIENCE_MS)
  assert.deepEqual(await works, ['192.0.2.4'])
  assert.equal(asked.filter((each) => each.startsWith('host')).length, WEBHOOK_LOOKUPS)
  answers.host = (name) => Promise.resolve(found(name === 'hosts-file.test' ? '192.0.2.5' : '192.0.2.6'))
  end(found('192.0.2.7'))
  assert.deepEqual([await last, await waits], [['192.0.2.7'], ['192.0.2.5']])
})

test('what is known for a project is bounded, and no other project pushes it out', async (t) => {
  const { names, asked } = aWorld(t)
  await names.addressesOf('p', 'a.test')
  for (let i = 0; i <= WEBHOOK_NAMES_PER_PROJECT; i++) await names.addressesOf('hostile', `${i}.test`)
  asked.length = 0
  await names.addressesOf('p', 'a.test')
  await names.addressesOf('hostile', `${WEBHOOK_NAMES_PER_PROJECT}.test`)
  assert.deepEqual(asked, [])
  await names.addressesOf('hostile', '0.test')
  assert.deepEqual(asked, ['host 0.test'])
  names.keepOnly(new Set(['hostile']))
  await names.addressesOf('p', 'a.test')
  assert.deepEqual(asked, ['host 0.test', 'host a.test'])
})
