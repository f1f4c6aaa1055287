/**
 * The receiver of events that publishes notifications of oslo.messaging on RabbitMQ. A batch is delivered when the
 * broker has confirmed every message. Without a broker `deliver` rejects, the batch comes again, and nothing is kept in
 * memory.
 */
import { AMQP_CONFIRM_MS, AMQP_IN_FLIGHT_MAX } from '../../domain/limits.ts'
import type { ServiceEvent } from '../../domain/event/event.ts'
import { amqpNotification } from './amqp-notification.ts'
import { type AmqpChannel, type AmqpMessage, publishInOrder } from './amqp-publish.ts'
import type { Receiver, Term } from '../receiver.ts'

/** The name of its row in `delivery`. */
export const AMQP_RECEIVER = 'amqp'

export interface AmqpReceiverParts {
  /** Opens a channel whose exchange and queues are there. Rejects when no broker takes it. */
  readonly open: (signal: AbortSignal) => Promise<AmqpChannel>
  /** Each event is published to each topic. */
  readonly topics: readonly string[]
  /** Who sends: `service.host`. */
  readonly publisherId: string
  /** Milliseconds; replaced in tests. */
  readonly confirmMs?: number
}

export class AmqpReceiver implements Receiver {
  readonly name = AMQP_RECEIVER
  readonly #parts: AmqpReceiverParts
  #channel: AmqpChannel | undefined
  /** In this term the broker has confirmed every event up to here: they are not sent again. */
  #safeTo = 0
  #isClosed = false

  constructor(parts: AmqpReceiverParts) {
    this.#parts = parts
  }

  /** Forgets the position of an earlier term: another process may have delivered meanwhile. */
  begin(): void {
    this.#safeTo = 0
  }

  async deliver(events: readonly ServiceEvent[], term: Term): Promise<void> {
    const messages = this.#messagesOf(events.filter(({ position }) => position > this.#safeTo))
    if (messages.length === 0) return
    const channel = await this.#open(term.signal)
    await publishInOrder(channel, messages, {
      term,
      inFlightMax: AMQP_IN_FLIGHT_MAX,
      answerMs: this.#parts.confirmMs ?? AMQP_CONFIRM_MS,
      onSafe: (position) => {
        this.#safeTo = position
      },
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#channel?.close()
  }

  async #open(signal: AbortSignal): Promise<AmqpChannel> {
    const known = this.#channel
    if (known?.isOpen === true) return known
    const channel = await this.#parts.open(signal)
    if (this.#isClosed) {
      channel.destroy()
      throw new Error('this process ends')
    }
    this.#channel = channel
    return channel
  }

  #messagesOf(events: readonly ServiceEvent[]): readonly AmqpMessage[] {
    const { topics, publisherId } = this.#parts
    return events.flatMap((event) => {
      const notification = amqpNotification(event, publisherId)
      return topics.map((topic) => ({
        ...notification,
        position: event.position,
        routingKey: routingKey(topic),
      }))
    })
  }
}

/** Name of the queue, and routing key: the topic and the priority (docs/peers/oslo-messaging.md 5). */
export function routingKey(topic: string): string {
  return `${topic}.info`
}
