/** Messages in their order over one channel, with the broker's confirm of each. */
import type { Term } from '../receiver.ts'
import type { AmqpNotification } from './amqp-notification.ts'

/** One message on its way: `position` is that of its event. */
export interface AmqpMessage extends AmqpNotification {
  readonly position: number
  readonly routingKey: string
}

/** An open channel on which the broker confirms messages. */
export interface AmqpChannel {
  readonly isOpen: boolean
  /** The broker accepts no messages at present, because it has too little memory or disk. */
  readonly isBlocked: boolean
  /** Sends a message. `onAnswer` is called once. Without a problem, the message is in the queue of the broker. */
  publish(message: AmqpMessage, onAnswer: (problem?: Error) => void): void
  /** Ends it in an orderly way. */
  close(): Promise<void>
  /** Ends it now: nothing more is sent, and every `onAnswer` that is still open gets a problem. */
  destroy(): void
}

export interface PublishOptions {
  readonly term: Term
  /** Messages without an answer, at most. */
  readonly inFlightMax: number
  /** Milliseconds without any answer after which the broker counts as lost; not while it says that it is blocked. */
  readonly answerMs: number
  /** Every event up to this position is with the broker. */
  readonly onSafe: (position: number) => void
}

/**
 * Resolves when the broker has confirmed every message. Rejects at the first message that the broker refuses, when the
 * term has ended, and when no answer comes. The channel is then destroyed, and messages after the last `onSafe` may
 * or may not have arrived.
 */
export function publishInOrder(
  channel: AmqpChannel,
  messages: readonly AmqpMessage[],
  options: PublishOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    new Publication(channel, messages, { ...options, resolve, reject }).start()
  })
}

interface PublicationOptions extends PublishOptions {
  readonly resolve: () => void
  readonly reject: (problem: Error) => void
}

class Publication {
  readonly #channel: AmqpChannel
  readonly #messages: readonly AmqpMessage[]
  readonly #options: PublicationOptions
  /** By the index of the message. */
  readonly #isConfirmed: boolean[]
  #sent = 0
  #answered = 0
  /** How many messages are confirmed without one before them that is not. */
  #safe = 0
  #timer: NodeJS.Timeout | undefined
  #hasEnded = false

  constructor(channel: AmqpChannel, messages: readonly AmqpMessage[], options: PublicationOptions) {
    this.#channel = channel
    this.#messages = messages
    this.#options = options
    this.#isConfirmed = messages.map(() => false)
  }

  start(): void {
    const { term, resolve } = this.#options
    if (term.signal.aborted) return this.#failForTerm()
    if (this.#messages.length === 0) return resolve()
    term.signal.addEventListener('abort', this.#failForTerm, { once: true })
    this.#watchForAnswers()
    this.#send()
  }

  /** Sends as many as may be without an answer. */
  #send(): void {
    const { term, inFlightMax } = this.#options
    while (
      !this.#hasEnded &&
      this.#sent < this.#messages.length &&
      this.#sent - this.#answered < inFlightMax
    ) {
      if (!term.mayDeliver()) return this.#failForTerm()
      const index = this.#sent++
      const message = this.#messages[index]
      if (message !== undefined) this.#channel.publish(message, (problem) => this.#onAnswer(index, problem))
    }
  }

  #onAnswer(index: number, problem: Error | undefined): void {
    if (this.#hasEnded) return
    if (problem !== undefined) return this.#fail(problem)
    this.#answered += 1
    this.#isConfirmed[index] = true
    const safeBefore = this.#safe
    while (this.#isConfirmed[this.#safe] === true) this.#safe += 1
    const position = safePosition(this.#messages, this.#safe)
    if (this.#safe > safeBefore && position !== undefined) this.#options.onSafe(position)
    if (this.#safe === this.#messages.length) this.#end(this.#options.resolve)
    else this.#send()
  }

  #watchForAnswers(): void {
    const { answerMs } = this.#options
    let answeredBefore = 0
    this.#timer = setInterval(() => {
      if (this.#answered === answeredBefore && !this.#channel.isBlocked)
        this.#fail(new Error(`the broker confirmed nothing for ${answerMs} ms`))
      answeredBefore = this.#answered
    }, answerMs)
  }

  readonly #failForTerm = (): void => this.#fail(new Error('this process no longer delivers events'))

  #fail(problem: Error): void {
    this.#end(() => {
      this.#channel.destroy()
      this.#options.reject(problem)
    })
  }

  #end(settle: () => void): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    clearInterval(this.#timer)
    this.#options.term.signal.removeEventListener('abort', this.#failForTerm)
    settle()
  }
}

/** The greatest position of which all messages are among the first `safe` ones; undefined when there is none. */
function safePosition(messages: readonly AmqpMessage[], safe: number): number | undefined {
  const next = messages[safe]?.position
  let last = safe - 1
  while (last >= 0 && messages[last]?.position === next) last -= 1
  return messages[last]?.position
}
