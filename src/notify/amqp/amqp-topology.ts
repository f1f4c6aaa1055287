/** The exchange and the queues of notifications, made as an oslo.messaging notifier makes them. */
import type { ChannelModel } from 'amqplib'
import type { AmqpQueueKind } from '../../domain/types.ts'

export interface AmqpTopology {
  readonly exchange: string
  /** Names of queues, each with itself as its routing key. */
  readonly queues: readonly string[]
  /** The kind of a queue that is created. */
  readonly kind: AmqpQueueKind
}

type Channel = Awaited<ReturnType<ChannelModel['createChannel']>>

/**
 * Creates what is missing. A queue is created even if it has no listener yet, so that notifications wait for the first
 * one (docs/peers/oslo-messaging.md 5). What exists is not changed: RabbitMQ would refuse a different declaration
 * (docs/peers/oslo-messaging.md 7).
 */
export async function declareTopology(
  model: ChannelModel,
  { exchange, queues, kind }: AmqpTopology,
): Promise<void> {
  const durable = kind !== 'transient'
  if (!(await isThere(model, (channel) => channel.checkExchange(exchange))))
    await onChannel(model, (channel) => channel.assertExchange(exchange, 'topic', { durable }))
  for (const queue of queues) {
    if (!(await isThere(model, (channel) => channel.checkQueue(queue)))) {
      const kindOfQueue = kind === 'quorum' ? { arguments: { 'x-queue-type': 'quorum' } } : {}
      await onChannel(model, (channel) => channel.assertQueue(queue, { durable, ...kindOfQueue }))
    }
    await onChannel(model, (channel) => channel.bindQueue(queue, exchange, queue))
  }
}

const NOT_FOUND = 404

async function isThere(model: ChannelModel, check: (channel: Channel) => Promise<unknown>): Promise<boolean> {
  try {
    await onChannel(model, check)
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === NOT_FOUND) return false
    throw error
  }
}

/** Runs each check on its own channel, because the broker closes the channel when the answer is "no". */
async function onChannel(model: ChannelModel, act: (channel: Channel) => Promise<unknown>): Promise<void> {
  const channel = await model.createChannel()
  channel.on('error', () => undefined)
  await act(channel)
  await channel.close()
}
