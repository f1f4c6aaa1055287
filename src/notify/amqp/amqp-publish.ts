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
  const { term, inFlightMax, answerMs, onSafe } = options
  const { signal } = term
  const isConfirmed = messages.map(() => false)
  let sent = 0
  let answered = 0
  let safe = 0
  return new Promise<void>((resolve, reject) => {
    let hasEnded = false
    const end = (settle: () => void) => {
      if (hasEnded) return
      hasEnded = true
      clearInterval(timer)
      signal.removeEventListener('abort', onAbort)
      settle()
    }
    const fail = (problem: Error) =>
      end(() => {
        channel.destroy()
        reject(problem)
      })
    const onAbort = () => fail(new Error('this process no longer delivers events'))
    let answeredBefore = 0
    const timer = setInterval(() => {
      if (answered === answeredBefore && !channel.isBlocked)
        fail(new Error(`the broker confirmed nothing for ${answerMs} ms`))
      answeredBefore = answered
    }, answerMs)

    const onAnswer = (index: number, problem?: Error) => {
      if (hasEnded) return
      if (problem !== undefined) return fail(problem)
      answered += 1
      isConfirmed[index] = true
      const safeBefore = safe
      while (isConfirmed[safe] === true) safe += 1
      const position = safePosition(messages, safe)
      if (safe > safeBefore && position !== undefined) onSafe(position)
      if (safe === messages.length) end(resolve)
      else send()
    }
    const send = () => {
      while (!hasEnded && sent < messages.length && sent - answered < inFlightMax) {
        if (!term.mayDeliver()) return onAbort()
        const index = sent++
        const message = messages[index]
        if (message !== undefined) channel.publish(message, (problem) => onAnswer(index, problem))
      }
    }
    if (signal.aborted) return onAbort()
    if (messages.length === 0) return end(resolve)
    signal.addEventListener('abort', onAbort, { once: true })
    send()
  })
}

/** The greatest position of which all messages are among the first `safe` ones; undefined when there is none. */
function safePosition(messages: readonly AmqpMessage[], safe: number): number | undefined {
  const next = messages[safe]?.position
  let last = safe - 1
  while (last >= 0 && messages[last]?.position === next) last -= 1
  return messages[last]?.position
}
