/** A connection to RabbitMQ on which messages are confirmed: amqplib behind the interface of `publishInOrder`. */
import type { Socket } from 'node:net'
import { type ChannelModel, connect, type ConfirmChannel } from 'amqplib'
import { AMQP_CLOSE_MS, AMQP_CONNECT_MS, AMQP_HEARTBEAT_SECONDS } from '../../domain/limits.ts'
import type { AmqpChannel, AmqpMessage } from './amqp-publish.ts'
import { type AmqpTopology, declareTopology } from './amqp-topology.ts'
import type { NotifyLog } from '../log.ts'

/** What RabbitMQ shows as the name of the connection. */
const CONNECTION_NAME = 'healthmonitor notifier'

export interface AmqpBrokers {
  /** `amqp://` or `amqps://`, without a query; asked for each connection. The first one that answers is taken. */
  readonly urls: () => readonly string[]
  readonly topology: AmqpTopology
  readonly log: NotifyLog
}

/**
 * Opens a channel at the first broker that accepts it. It starts with the broker of the last channel. Each has
 * AMQP_CONNECT_MS.
 */
export function amqpOpener({
  urls: urlsNow,
  topology,
  log,
}: AmqpBrokers): (signal: AbortSignal) => Promise<AmqpChannel> {
  let first = 0
  return async (signal) => {
    const urls = urlsNow()
    let problem: unknown = new Error('HM_AMQP_URL names no broker')
    for (let i = 0; i < urls.length && !signal.aborted; i += 1) {
      const index = (first + i) % urls.length
      const url = urls[index] ?? ''
      try {
        const channel = await openChannel(url, { topology, log, signal })
        first = index
        log.info({ broker: new URL(url).host }, 'connected to the message bus')
        return channel
      } catch (error) {
        problem = error
      }
    }
    throw problem
  }
}

interface Opening {
  readonly topology: AmqpTopology
  readonly log: NotifyLog
  readonly signal: AbortSignal
}

/** Rejects after AMQP_CONNECT_MS, and when the signal is aborted; then no connection is left. */
async function openChannel(url: string, { topology, log, signal }: Opening): Promise<AmqpChannel> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(AMQP_CONNECT_MS)])
  const model = await connected(url, limit)
  const giveUp = () => destroyConnection(model, 'the message bus did not answer in time')
  limit.addEventListener('abort', giveUp, { once: true })
  try {
    await declareTopology(model, topology)
    const channel = await model.createConfirmChannel()
    limit.throwIfAborted()
    return new ConfirmedChannel(model, channel, { exchange: topology.exchange, log })
  } catch (error) {
    destroyConnection(model, 'it could not be set up')
    throw error
  } finally {
    limit.removeEventListener('abort', giveUp)
  }
}

/** A connection. If it is established only after the limit, it is ended at once. */
async function connected(url: string, limit: AbortSignal): Promise<ChannelModel> {
  const connecting = connect(`${url}?heartbeat=${AMQP_HEARTBEAT_SECONDS}`, {
    noDelay: true,
    timeout: AMQP_CONNECT_MS,
    clientProperties: { connection_name: CONNECTION_NAME },
  }).then((model) => {
    // Without a listener an error would end the process; each one is followed by `close`.
    model.on('error', () => undefined)
    if (limit.aborted) destroyConnection(model, 'it came too late')
    return model
  })
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = () => reject(new Error('the message bus did not answer in time'))
    if (limit.aborted) onAbort()
    else limit.addEventListener('abort', onAbort, { once: true })
  })
  // The result that comes second is not used.
  connecting.catch(() => undefined)
  return await Promise.race([connecting, aborted])
}

/** Ends a connection at once; amqplib waits for the broker's answer first. */
function destroyConnection(model: ChannelModel, why: string): void {
  const { stream } = model.connection as unknown as { readonly stream: Socket }
  stream.destroy(new Error(why))
}

class ConfirmedChannel implements AmqpChannel {
  readonly #model: ChannelModel
  readonly #channel: ConfirmChannel
  readonly #exchange: string
  /** Ids of messages that came back because no queue takes them. */
  readonly #returned = new Set<string>()
  #isOpen = true
  #isBlocked = false
  #why: Error | undefined

  constructor(
    model: ChannelModel,
    channel: ConfirmChannel,
    { exchange, log }: { readonly exchange: string; readonly log: NotifyLog },
  ) {
    this.#model = model
    this.#channel = channel
    this.#exchange = exchange
    const onError = (error: Error) => {
      this.#why ??= error
    }
    channel.on('error', onError)
    // After this, amqplib calls back for every message without a confirm.
    channel.on('close', () => this.#end())
    channel.on('return', ({ properties }) => this.#returned.add(String(properties.messageId)))
    model.on('error', onError)
    model.on('close', (error?: Error) => {
      this.#why ??= error
      this.#end()
    })
    model.on('blocked', (reason) => {
      this.#isBlocked = true
      log.warn({ reason }, 'the message bus accepts no messages at present; events wait')
    })
    model.on('unblocked', () => {
      this.#isBlocked = false
      log.info({}, 'the message bus accepts messages again')
    })
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get isBlocked(): boolean {
    return this.#isBlocked
  }

  publish({ messageId, body, routingKey }: AmqpMessage, onAnswer: (problem?: Error) => void): void {
    const options = {
      messageId,
      persistent: true,
      // Without a queue for it the message comes back: it would be lost.
      mandatory: true,
      contentType: 'application/json',
      contentEncoding: 'utf-8',
    }
    try {
      this.#channel.publish(this.#exchange, routingKey, body, options, (error: unknown) => {
        if (this.#returned.delete(messageId)) onAnswer(new Error(`no queue takes messages for ${routingKey}`))
        else if (error === null || error === undefined) onAnswer()
        else
          onAnswer(this.#why ?? (error instanceof Error ? error : new Error('the broker refused a message')))
      })
    } catch (error) {
      // The channel ended before its event came.
      onAnswer(this.#why ?? (error as Error))
    }
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    let timer: NodeJS.Timeout | undefined
    const tooLong = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, AMQP_CLOSE_MS)
    })
    await Promise.race([this.#model.close().catch(() => undefined), tooLong])
    clearTimeout(timer)
    destroyConnection(this.#model, 'this process ends')
  }

  destroy(): void {
    this.#end()
  }

  /** Ends the connection with its channel, because nothing else uses the connection. */
  #end(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    destroyConnection(this.#model, 'its channel ended')
  }
}
