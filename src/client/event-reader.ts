/** A stream of events (Server-Sent Events) that reconnects when it ends and continues after the last event. */
import { setTimeout as pause } from 'node:timers/promises'
import { CLIENT_EVENT_MAX_BYTES, CLIENT_RETRY_MS } from '../domain/limits.ts'
import { isPassing, unreachable } from './failure.ts'
import type { Query, Service } from './service.ts'
import type { ApiEvent } from './wire.ts'

export type StreamItem =
  | { readonly kind: 'event'; readonly event: ApiEvent; readonly text: string }
  /** Events were deleted before they could be read. */
  | { readonly kind: 'gap' }
  /**
   * The stream ended, and is opened again after a pause. There is one such item per interruption, not one per attempt.
   */
  | { readonly kind: 'interrupted'; readonly why: string }
  | { readonly kind: 'resumed' }

/**
 * All events after `after`, in order, each once. Does not end before the signal. Throws ClientFailure when the first
 * attempt fails, or when the service refuses.
 */
export async function* followEvents(
  service: Service,
  {
    after,
    filter,
    signal,
  }: { readonly after: string; readonly filter: Query; readonly signal?: AbortSignal },
): AsyncGenerator<StreamItem> {
  let lastEventId = after
  let waitMs = CLIENT_RETRY_MS.min
  let isInterrupted = false
  let wasOpen = false
  while (!isAborted(signal)) {
    try {
      const response = await service.stream('/v1/events', filter, {
        lastEventId,
        ...(signal === undefined ? {} : { signal }),
      })
      if (isInterrupted) yield { kind: 'resumed' }
      isInterrupted = false
      wasOpen = true
      waitMs = CLIENT_RETRY_MS.min
      for await (const message of messagesOf(response.body)) {
        lastEventId = message.id ?? lastEventId
        yield itemOf(message)
      }
      throw unreachable('the stream ended')
    } catch (error) {
      if (isAborted(signal)) return
      if (!wasOpen || !isInterruption(error)) throw error
      if (!isInterrupted)
        yield { kind: 'interrupted', why: `the stream of ${service.url} broke: ${error.message}` }
      isInterrupted = true
      await pause(waitMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
      waitMs = Math.min(CLIENT_RETRY_MS.max, waitMs * 2)
    }
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true
}

/** The service did not answer, or a connection broke: undici's errors have a code. */
function isInterruption(error: unknown): error is Error {
  return isPassing(error) || (error instanceof Error && 'code' in error)
}

function itemOf({ event, data }: Message): StreamItem {
  if (event === 'gap') return { kind: 'gap' }
  return { kind: 'event', event: JSON.parse(data) as ApiEvent, text: data }
}

interface Message {
  readonly id: string | undefined
  readonly event: string
  readonly data: string
}

/**
 * Messages of an event stream (WHATWG HTML, "Parsing an event stream"). The service ends lines with LF and sends one line of data.
 */
async function* messagesOf(body: AsyncIterable<Buffer>): AsyncGenerator<Message> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n\n')
    rest = parts.pop() ?? ''
    if (rest.length > CLIENT_EVENT_MAX_BYTES) throw unreachable('the service sends an event that is too long')
    for (const part of parts) {
      const message = messageOf(part)
      if (message !== undefined) yield message
    }
  }
}

/** Undefined for comments, and for messages without data. */
function messageOf(part: string): Message | undefined {
  const fields = new Map<string, string>()
  for (const line of part.split('\n')) {
    const at = line.indexOf(':')
    if (at > 0) fields.set(line.slice(0, at), line.slice(at + 1).replace(/^ /, ''))
  }
  const data = fields.get('data')
  if (data === undefined) return undefined
  return { id: fields.get('id'), event: fields.get('event') ?? 'message', data }
}
