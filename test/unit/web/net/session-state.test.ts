import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RequestError } from '../../../../src/web/net/sender.ts'
import { type Ask, SessionOfPage } from '../../../../src/web/net/session-state.ts'

const KNOWN = { user_id: 'u', project_id: 'p' }

/** A service that answers each request with the next of these. */
function pageOf(...answers: readonly unknown[]) {
  const asked: unknown[][] = []
  const ask: Ask = (...request) => {
    const answer = answers[asked.push(request) - 1]
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer as never)
  }
  return { page: new SessionOfPage(ask), asked }
}

test('somebody is known, is to sign in, or is refused with the reason', async () => {
  for (const [answer, state] of [
    [KNOWN, { kind: 'known', session: KNOWN }],
    [new RequestError(401, 'who?'), { kind: 'signed out' }],
    [new RequestError(403, 'not you'), { kind: 'refused', message: 'not you' }],
    [new RequestError(0, 'away'), { kind: 'refused', message: 'away' }],
  ] as const) {
    const { page } = pageOf(answer)
    assert.deepEqual(page.state.value, { kind: 'asking' })
    await page.find()
    assert.deepEqual(page.state.value, state)
  }
})

test('signing in sends what was typed and then asks who it is; a refusal goes to the form and changes nothing', async () => {
  const credentials = { user: 'u', password: 'secret', project: 'p', domain: 'd' }
  const { page, asked } = pageOf(undefined, KNOWN)
  await page.signIn(credentials)
  assert.deepEqual(asked, [
    ['POST', 'v1/session', credentials],
    ['GET', 'v1/session'],
  ])
  assert.equal(page.state.value.kind, 'known')
  const refused = pageOf(new RequestError(401, 'wrong password'))
  await assert.rejects(refused.page.signIn(credentials), { message: 'wrong password' })
  assert.deepEqual(refused.page.state.value, { kind: 'asking' })
})

test('who signs out is signed out once the service has answered, and not before', async () => {
  for (const [answer, state] of [
    [undefined, { kind: 'signed out' }],
    [new RequestError(503, 'Keystone is away'), { kind: 'signed out', message: 'Keystone is away' }],
    [new RequestError(0, 'No answer.'), { kind: 'refused', message: 'No answer. You are still signed in.' }],
  ] as const) {
    const { page } = pageOf(KNOWN, answer)
    await page.find()
    await page.signOut()
    assert.deepEqual(page.state.value, state)
  }
})

test('a token that has ended leads to the sign-in; other refusals, and those of somebody unknown, do not', async () => {
  const { page } = pageOf(KNOWN)
  page.noteRefusal(new RequestError(401, 'no'))
  assert.deepEqual(page.state.value, { kind: 'asking' })
  await page.find()
  page.noteRefusal(new RequestError(403, 'no'))
  page.noteRefusal(new Error('no'))
  assert.equal(page.state.value.kind, 'known')
  page.noteRefusal(new RequestError(401, 'no'))
  assert.deepEqual(page.state.value, {
    kind: 'signed out',
    message: 'Your session has ended. Please sign in again.',
  })
})

test('an answer to a question of before changes nothing: another project was chosen since, or a sign-out', async () => {
  const answers: ((session: unknown) => void)[] = []
  const page = new SessionOfPage((method) =>
    method === 'DELETE'
      ? (Promise.resolve() as never)
      : new Promise((resolve) => answers.push(resolve as never)),
  )
  const [first, second] = [page.find(), page.find()]
  answers[1]?.({ ...KNOWN, project_id: 'chosen last' })
  await second
  answers[0]?.({ ...KNOWN, project_id: 'chosen first' })
  await first
  assert.deepEqual(page.state.value, { kind: 'known', session: { ...KNOWN, project_id: 'chosen last' } })
  const third = page.find()
  await page.signOut()
  answers[2]?.(KNOWN)
  await third
  assert.deepEqual(page.state.value, { kind: 'signed out' })
})
