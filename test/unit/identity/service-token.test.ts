import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KEYSTONE_LOGIN_RETRY_MS, KEYSTONE_RENEW_AFTER_SHARE } from '../../../src/domain/limits.ts'
import type { KeystoneAnswer } from '../../../src/identity/keystone-http.ts'
import { ServiceToken } from '../../../src/identity/service-token.ts'
import { tokenEnding } from '../../support/fake-keystone.ts'

const ACCOUNT = { username: 'octavia', password: 'secret', project: 'service', domain: 'Default' }
const LIFE_MS = 100_000
const RENEWED_AFTER_MS = LIFE_MS * KEYSTONE_RENEW_AFTER_SHARE
const UNAVAILABLE = { code: 'IDENTITY_UNAVAILABLE' }

/** An account whose logins the test answers, with clocks that it moves. */
function withFakes() {
  let nowMs = 0
  const logins: { body: unknown; answer(more?: Partial<KeystoneAnswer>): Promise<void> }[] = []
  const ask = ({ body }: { readonly body?: unknown }) =>
    new Promise<KeystoneAnswer>((resolve) => {
      const number = logins.length + 1
      logins.push({
        body,
        answer: async (more = {}) => {
          const document = tokenEnding('issue-201', new Date(nowMs + LIFE_MS))
          resolve({ status: 201, subjectToken: `token-${number}`, body: document, ...more })
          await new Promise((settled) => setImmediate(settled))
        },
      })
    })
  const clocks = { now: () => nowMs, wallNow: () => nowMs }
  const own = new ServiceToken({ ask, close: () => Promise.resolve() }, ACCOUNT, clocks)
  return { own, logins, pass: (ms: number) => void (nowMs += ms) }
}

test('all who ask at one time wait for one login, by name and password in the project of the account', async () => {
  const { own, logins } = withFakes()
  const asking = [own.get(), own.get(), own.get()]
  assert.equal(logins.length, 1)
  assert.deepEqual(logins[0]?.body, {
    auth: {
      identity: {
        methods: ['password'],
        password: { user: { name: 'octavia', password: 'secret', domain: { name: 'Default' } } },
      },
      scope: { project: { name: 'service', domain: { name: 'Default' } } },
    },
  })
  await logins[0].answer()
  assert.deepEqual(await Promise.all(asking), ['token-1', 'token-1', 'token-1'])
  assert.equal(await own.get(), 'token-1')
  assert.equal(logins.length, 1)
})

test('a token is renewed when most of its life is over; until the new one is there the old one serves', async () => {
  const { own, logins, pass } = withFakes()
  const first = own.get()
  await logins[0]?.answer()
  await first
  pass(RENEWED_AFTER_MS - 1)
  assert.equal(await own.get(), 'token-1')
  assert.equal(logins.length, 1)
  pass(1)
  assert.deepEqual([await own.get(), await own.get()], ['token-1', 'token-1'])
  assert.equal(logins.length, 2, 'one login, in the background')
  await logins[1]?.answer()
  assert.equal(await own.get(), 'token-2')
  pass(RENEWED_AFTER_MS - 1)
  assert.equal(await own.get(), 'token-2')
  assert.equal(logins.length, 2)
})

test('a token that has ended serves nobody', async () => {
  const { own, logins, pass } = withFakes()
  const first = own.get()
  await logins[0]?.answer()
  await first
  pass(LIFE_MS)
  const next = own.get()
  await logins[1]?.answer()
  assert.equal(await next, 'token-2')
})

test('a token that Keystone refuses is given up, and one that was replaced meanwhile is not', async () => {
  const { own, logins } = withFakes()
  const first = own.get()
  await logins[0]?.answer()
  await first
  own.discard('an older one')
  assert.equal(await own.get(), 'token-1')
  own.discard('token-1')
  const next = own.get()
  await logins[1]?.answer()
  assert.equal(await next, 'token-2')
})

test('after a refused login the next one comes after a pause; meanwhile everybody is refused at once', async () => {
  const { own, logins, pass } = withFakes()
  for (const wrong of [{ status: 401 }, { status: 200 }, { subjectToken: undefined }, { body: {} }]) {
    const before = logins.length
    const refused = assert.rejects(own.get(), UNAVAILABLE)
    await logins[before]?.answer(wrong)
    await refused
    pass(KEYSTONE_LOGIN_RETRY_MS - 1)
    await assert.rejects(own.get(), UNAVAILABLE)
    assert.equal(logins.length, before + 1)
    pass(1)
  }
  const next = own.get()
  await logins.at(-1)?.answer()
  assert.equal(await next, `token-${logins.length}`)
  own.discard(`token-${logins.length}`)
  const again = own.get()
  await logins.at(-1)?.answer()
  assert.equal(await again, `token-${logins.length}`, 'a login that works ends the pause')
})

test('while a renewal is refused the token that is held still serves', async () => {
  const { own, logins, pass } = withFakes()
  const first = own.get()
  await logins[0]?.answer()
  await first
  pass(RENEWED_AFTER_MS)
  assert.equal(await own.get(), 'token-1')
  await logins[1]?.answer({ status: 503 })
  assert.equal(await own.get(), 'token-1')
  assert.equal(logins.length, 2, 'within the pause')
  pass(KEYSTONE_LOGIN_RETRY_MS)
  assert.equal(await own.get(), 'token-1')
  assert.equal(logins.length, 3)
})
