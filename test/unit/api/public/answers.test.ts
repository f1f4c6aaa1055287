import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { KNOWN_LINKS, PublicAnswers, STRANGERS } from '../../../../src/api/public/answers.ts'
import type { PageAnswer } from '../../../../src/api/public/page-answer.ts'
import { DomainError } from '../../../../src/domain/errors.ts'
import {
  PUBLIC_ANSWER_KEPT_MS,
  PUBLIC_ANSWER_MS,
  PUBLIC_ANSWERS_BYTES,
  PUBLIC_LINK_MS,
  PUBLIC_UNKNOWN_PER_CLIENT,
  PUBLIC_UNKNOWN_WINDOW_MS,
} from '../../../../src/domain/limits.ts'
import type { PublicPage } from '../../../../src/store/configuration/public-pages.ts'

const pageOf = (id: string, projectId = 'shop'): PublicPage => ({
  id,
  projectId,
  title: id,
  showMembers: false,
  pools: [],
  poolNames: [],
  createdAt: new Date(0),
  updatedAt: new Date(0),
})

/** Pages by the tokens of their links; time moves when the test says so. */
function withFakes() {
  const links = new Map<string, PublicPage>()
  const seen = { looked: 0, made: 0, sharers: [] as string[] }
  const make = { bytes: 10, isBusy: false }
  const look: { until?: Promise<void> } = {}
  let nowMs = 0
  const answers = new PublicAnswers({
    now: () => nowMs,
    find: async (hash) => {
      seen.looked++
      await look.until
      return [...links].find(([token]) => createHash('sha256').update(token).digest().equals(hash))?.[1]
    },
    make: async ({ title }) => {
      seen.made++
      await new Promise((resolve) => setImmediate(resolve))
      return { body: { title }, json: title.padEnd(make.bytes), etag: '""' } as unknown as PageAnswer
    },
    admit: async (sharer, work) => {
      seen.sharers.push(sharer)
      if (make.isBusy && sharer !== STRANGERS && sharer !== KNOWN_LINKS)
        throw new DomainError('PROJECT_BUSY', 'busy')
      await work()
    },
  })
  return { answers, links, seen, make, look, advance: (ms: number) => void (nowMs += ms) }
}

test('however many ask at one time, an answer is made once in some seconds, as work of its project', async () => {
  const { answers, links, seen, advance } = withFakes()
  links.set('t', pageOf('a'))
  const ask = () => answers.answerOf('t', 'client')
  const all = await Promise.all(Array.from({ length: 10 }, ask))
  assert.ok(all.every((answer) => answer?.body.title === 'a'))
  await Promise.all(Array.from({ length: 100 }, ask))
  assert.equal(seen.made, 1)
  assert.equal(seen.sharers.filter((sharer) => sharer === 'shop').length, 1)
  advance(PUBLIC_LINK_MS)
  const before = seen.looked
  await Promise.all(Array.from({ length: 100 }, ask))
  assert.deepEqual([seen.looked - before, seen.made], [1, 1], 'the link is looked up once a second')
  advance(PUBLIC_ANSWER_MS)
  await Promise.all(Array.from({ length: 100 }, ask))
  assert.equal(seen.made, 2)
})

test('many who ask at one time for a link that this process does not know yet are one look-up, however slow', async () => {
  const { answers, links, seen, look } = withFakes()
  links.set('t', pageOf('a'))
  let found = (): void => undefined
  look.until = new Promise((resolve) => {
    found = resolve
  })
  const all = Array.from({ length: 2 * PUBLIC_UNKNOWN_PER_CLIENT }, () => answers.answerOf('t', 'proxy'))
  found()
  assert.ok((await Promise.all(all)).every((answer) => answer?.body.title === 'a'))
  assert.equal(seen.looked, 1)
})

test('a link that was revoked leads nowhere: here at once, elsewhere within a second', async () => {
  const { answers, links, advance } = withFakes()
  links.set('t', pageOf('a'))
  assert.ok(await answers.answerOf('t', 'client'))
  links.delete('t')
  assert.ok(await answers.isKnown('t', 'client'), 'another process has deleted it')
  advance(PUBLIC_LINK_MS)
  assert.equal(await answers.answerOf('t', 'client'), undefined)
  links.set('u', pageOf('b'))
  assert.ok(await answers.isKnown('u', 'client'))
  links.delete('u')
  answers.forget('b')
  assert.equal(await answers.isKnown('u', 'client'), false)
})

test('a client may ask for so many unknown links in a minute; other clients and known links are not concerned', async () => {
  const { answers, links, seen, advance } = withFakes()
  links.set('t', pageOf('a'))
  for (let i = 0; i < PUBLIC_UNKNOWN_PER_CLIENT; i++) {
    assert.equal(await answers.isKnown(`wrong ${i}`, 'guesser'), false)
    await answers.answerOf('t', 'reader')
  }
  const looked = seen.looked
  await assert.rejects(answers.isKnown('one more', 'guesser'), { code: 'TOO_MANY_ATTEMPTS' })
  assert.equal(seen.looked, looked, 'nothing is looked up')
  assert.ok(await answers.answerOf('t', 'guesser'), 'this process knows the link')
  assert.equal(await answers.isKnown('one more', 'another'), false)
  advance(PUBLIC_UNKNOWN_WINDOW_MS)
  assert.equal(await answers.isKnown('one more', 'guesser'), false)
})

test('links that exist are not counted as unknown', async () => {
  const { answers, links } = withFakes()
  for (let i = 0; i < 2 * PUBLIC_UNKNOWN_PER_CLIENT; i++) {
    links.set(`t${i}`, pageOf(`p${i}`))
    assert.ok(await answers.isKnown(`t${i}`, 'client'))
  }
})

test('the memory of answers is bounded and divided: a project with many large ones loses its own oldest', async () => {
  const { answers, links, seen, make } = withFakes()
  links.set('small', pageOf('small', 'bystander'))
  await answers.answerOf('small', 'client')
  make.bytes = PUBLIC_ANSWERS_BYTES / 40
  for (let i = 0; i < 30; i++) {
    links.set(`t${i}`, pageOf(`p${i}`, 'large'))
    assert.ok(await answers.answerOf(`t${i}`, 'client'))
  }
  const made = seen.made
  await answers.answerOf('small', 'client')
  assert.equal(seen.made, made, 'that of the bystander is still there')
  await answers.answerOf('t29', 'client')
  assert.equal(seen.made, made, 'the newest is there')
  await answers.answerOf('t0', 'client')
  assert.equal(seen.made, made + 1, 'the oldest was forgotten')
})

test('while a project asks for too much, its page is a little older', async () => {
  const { answers, links, make, advance } = withFakes()
  links.set('t', pageOf('a'))
  await answers.answerOf('t', 'client')
  make.isBusy = true
  advance(PUBLIC_ANSWER_MS)
  assert.equal((await answers.answerOf('t', 'client'))?.body.title, 'a')
  advance(PUBLIC_ANSWER_KEPT_MS)
  await assert.rejects(answers.answerOf('t', 'client'), { code: 'PROJECT_BUSY' })
})
