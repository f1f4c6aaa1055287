/** Order and confirms of messages, over a channel that answers as a test says. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { AMQP_CONFIRM_MS, AMQP_IN_FLIGHT_MAX } from '../../../../src/domain/limits.ts'
import type { ServiceEvent } from '../../../../src/domain/event/event.ts'
import type { AmqpChannel, AmqpMessage } from '../../../../src/notify/amqp/amqp-publish.ts'
import { AmqpReceiver } from '../../../../src/notify/amqp/amqp-receiver.ts'

/** A channel that answers nothing by itself. */
class SilentChannel implements AmqpChannel {
  isOpen = true
  isBlocked = false
  readonly sent: AmqpMessage[] = []
  readonly #answers: ((problem?: Error) => void)[] = []

  publish(message: AmqpMessage, onAnswer: (problem?: Error) => void): void {
    assert.ok(this.isOpen, 'nothing is sent after the end')
    this.sent.push(message)
    this.#answers.push(onAnswer)
  }

  /** Answers the messages with these numbers, from 0. */
  answer(numbers: readonly number[], problem?: Error): void {
    for (const number of numbers) this.#answers[number]?.(problem)
  }

  get positions(): readonly number[] {
    return this.sent.map(({ position }) => position)
  }

  close(): Promise<void> {
    this.isOpen = false
    return Promise.resolve()
  }

  destroy(): void {
    this.isOpen = false
  }
}

function eventAt(position: number): ServiceEvent {
  return {
    position,
    type: 'member.status',
    at: new Date(0),
    projectId: 'p',
    from: null,
    to: 'ONLINE',
    data: {},
  }
}

const events = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => eventAt(from + i))

function aReceiver(t: TestContext, topics: readonly string[] = ['notifications']) {
  const channels: SilentChannel[] = []
  const receiver = new AmqpReceiver({
    open: () => {
      const channel = new SilentChannel()
      channels.push(channel)
      return Promise.resolve(channel)
    },
    topics,
    publisherId: 'healthmonitor.host',
  })
  t.after(() => receiver.close())
  const term = new AbortController()
  const lease = { isHeld: true }
  receiver.begin()
  /** Begins a delivery; `isDone` says whether it has been resolved, `problem` why not. */
  const deliver = async (batch: readonly ServiceEvent[]) => {
    const state: { isDone: boolean; problem?: Error } = { isDone: false }
    const ended = receiver.deliver(batch, { signal: term.signal, mayDeliver: () => lease.isHeld }).then(
      () => {
        state.isDone = true
      },
      (problem: Error) => {
        state.problem = problem
      },
    )
    await turn()
    return { state, ended }
  }
  return { receiver, channels, term, lease, deliver }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

test('a batch is delivered when the broker has confirmed all of it, in whatever order', async (t) => {
  const { channels, deliver } = aReceiver(t)
  const { state } = await deliver(events(1, 3))
  assert.deepEqual(channels[0]?.positions, [1, 2, 3])
  channels[0]?.answer([2, 0])
  await turn()
  assert.equal(state.isDone, false)
  channels[0]?.answer([1])
  await turn()
  assert.equal(state.isDone, true)
})

test('at most so many messages are without a confirm, and the next ones follow in order', async (t) => {
  const { channels, deliver } = aReceiver(t)
  const { state } = await deliver(events(1, AMQP_IN_FLIGHT_MAX + 2))
  const [channel] = channels
  assert.equal(channel?.sent.length, AMQP_IN_FLIGHT_MAX)
  channel.answer([7])
  assert.equal(channel.positions.at(-1), AMQP_IN_FLIGHT_MAX + 1)
  channel.answer(upTo(AMQP_IN_FLIGHT_MAX + 2).filter((number) => number !== 7))
  channel.answer([AMQP_IN_FLIGHT_MAX + 1])
  await turn()
  assert.equal(state.isDone, true)
  assert.deepEqual(
    channel.positions,
    upTo(AMQP_IN_FLIGHT_MAX + 2).map((number) => number + 1),
  )
})

test('a message that the broker refuses fails the batch, ends the channel, and nothing more is sent on it', async (t) => {
  const { channels, deliver } = aReceiver(t)
  const { state } = await deliver(events(1, AMQP_IN_FLIGHT_MAX + 10))
  channels[0]?.answer([1], new Error('nacked'))
  channels[0]?.answer([0, 2])
  await turn()
  assert.equal(state.problem?.message, 'nacked')
  assert.deepEqual([channels[0]?.isOpen, channels[0]?.sent.length], [false, AMQP_IN_FLIGHT_MAX])
})

test('after a failure the batch goes on behind what was confirmed without a gap, on a new channel', async (t) => {
  const { channels, deliver } = aReceiver(t)
  await deliver(events(1, 5))
  channels[0]?.answer([0, 1, 3])
  channels[0]?.answer([2], new Error('the connection was lost'))
  const { state } = await deliver(events(1, 6))
  assert.deepEqual(channels[1]?.positions, [3, 4, 5, 6])
  channels[1]?.answer(upTo(4))
  await turn()
  assert.equal(state.isDone, true)
})

test('with two topics an event counts as confirmed when both messages are', async (t) => {
  const { channels, deliver } = aReceiver(t, ['one', 'two'])
  await deliver(events(1, 2))
  assert.deepEqual(
    channels[0]?.sent.map(({ position, routingKey }) => [position, routingKey]),
    [
      [1, 'one.info'],
      [1, 'two.info'],
      [2, 'one.info'],
      [2, 'two.info'],
    ],
  )
  channels[0]?.answer([0, 1, 2])
  channels[0]?.answer([3], new Error('lost'))
  await deliver(events(1, 2))
  assert.deepEqual(channels[1]?.positions, [2, 2])
})

test('in a new term everything is sent again: another process may have stopped before its position was kept', async (t) => {
  const { receiver, channels, deliver } = aReceiver(t)
  const { ended } = await deliver(events(1, 2))
  channels[0]?.answer([0, 1])
  await ended
  receiver.begin()
  await deliver(events(1, 2))
  assert.deepEqual(channels[0]?.positions, [1, 2, 1, 2])
})

test('the end of a term ends the delivery and its channel at once', async (t) => {
  const { channels, deliver, term } = aReceiver(t)
  const { state } = await deliver(events(1, 2))
  term.abort()
  await turn()
  assert.match(state.problem?.message ?? '', /no longer delivers/)
  assert.equal(channels[0]?.isOpen, false)
})

test('a process that was frozen beyond its lease publishes nothing more, also before the signal is aborted', async (t) => {
  const { channels, deliver, lease, term } = aReceiver(t)
  const { state } = await deliver(events(1, AMQP_IN_FLIGHT_MAX + 10))
  lease.isHeld = false
  channels[0]?.answer([0, 1, 2])
  await turn()
  assert.equal(term.signal.aborted, false)
  assert.equal(channels[0]?.sent.length, AMQP_IN_FLIGHT_MAX)
  assert.match(state.problem?.message ?? '', /no longer delivers/)
})

test('a broker that confirms nothing counts as lost, unless it says that it is blocked', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { channels, deliver } = aReceiver(t)
  const { state } = await deliver(events(1, 2))
  const [channel] = channels
  assert.ok(channel !== undefined)
  channel.isBlocked = true
  t.mock.timers.tick(AMQP_CONFIRM_MS)
  await turn()
  assert.equal(channel.isOpen, true)
  channel.isBlocked = false
  channel.answer([0])
  t.mock.timers.tick(AMQP_CONFIRM_MS)
  await turn()
  assert.equal(channel.isOpen, true)
  t.mock.timers.tick(AMQP_CONFIRM_MS)
  await turn()
  assert.match(state.problem?.message ?? '', /confirmed nothing/)
  assert.equal(channel.isOpen, false)
})
