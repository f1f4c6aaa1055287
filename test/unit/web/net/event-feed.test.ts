import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { EventFeed, KEPT, SHOWN_AFTER_MS } from '../../../../src/web/net/event-feed.ts'
import type { ServiceEvent } from '../../../../src/web/net/types.ts'

const anEvent = (id: number): ServiceEvent => ({
  id: String(id),
  type: 'member.status',
  time: '2026-11-30T12:00:00Z',
  project_id: 'project',
})

function followed(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const feed = new EventFeed()
  const heard: (string | undefined)[] = []
  feed.onChange((event) => heard.push(event?.id))
  let parts: Parameters<Parameters<EventFeed['follow']>[0]>[0] | undefined
  let closed = 0
  const follow = () =>
    feed.follow((given) => {
      parts = given
      return () => void closed++
    })
  const end = follow()
  const stream = () => parts ?? assert.fail('no stream is open')
  const ids = () => feed.events.value.map(({ id }) => Number(id))
  return { feed, heard, stream, follow, end, ids, closed: () => closed }
}

test('listeners hear at once; what is shown is collected, the newest first', (t) => {
  const { heard, stream, ids } = followed(t)
  for (const id of [1, 2]) stream().onEvent(anEvent(id))
  assert.deepEqual(heard, ['1', '2'])
  assert.deepEqual(ids(), [])
  t.mock.timers.tick(SHOWN_AFTER_MS)
  assert.deepEqual(ids(), [2, 1])
  stream().onEvent(anEvent(3))
  t.mock.timers.tick(SHOWN_AFTER_MS)
  assert.deepEqual(ids(), [3, 2, 1])
})

test('a storm leaves the newest, and no more than are kept', (t) => {
  const { stream, ids } = followed(t)
  stream().onEvent(anEvent(0))
  t.mock.timers.tick(SHOWN_AFTER_MS)
  for (let id = 1; id <= 5 * KEPT; id++) stream().onEvent(anEvent(id))
  t.mock.timers.tick(SHOWN_AFTER_MS)
  assert.deepEqual(
    ids(),
    Array.from({ length: KEPT }, (_, i) => 5 * KEPT - i),
  )
})

test('all is to be read again when a stream opens, and after a gap; not when one breaks', (t) => {
  const { feed, heard, stream } = followed(t)
  stream().onState(true)
  assert.deepEqual([heard, feed.isLive.value], [[undefined], true])
  stream().onState(true)
  stream().onState(false)
  assert.deepEqual([heard, feed.isLive.value], [[undefined], false])
  stream().onState(true)
  stream().onGap()
  assert.deepEqual(heard, [undefined, undefined, undefined])
})

test('another stream begins without the events of the one before, also those that were not shown yet', (t) => {
  const { feed, heard, stream, follow, end, ids, closed } = followed(t)
  stream().onState(true)
  stream().onEvent(anEvent(1))
  end()
  assert.deepEqual([closed(), feed.isLive.value], [1, false])
  follow()
  t.mock.timers.tick(SHOWN_AFTER_MS)
  assert.deepEqual(ids(), [])
  stream().onEvent(anEvent(2))
  t.mock.timers.tick(SHOWN_AFTER_MS)
  assert.deepEqual(ids(), [2])
  stream().onState(true)
  assert.deepEqual(heard, [undefined, '1', '2', undefined])
})

test('a listener that has ended hears nothing', (t) => {
  const { feed, stream } = followed(t)
  const heard: unknown[] = []
  feed.onChange((event) => heard.push(event))()
  stream().onEvent(anEvent(1))
  assert.deepEqual(heard, [])
})
