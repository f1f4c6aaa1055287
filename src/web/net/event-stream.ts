/**
 * Events as they happen, by Server-Sent Events (WHATWG HTML, section 9.2) over fetch: EventSource cannot send the header
 * that chooses a project. A stream that breaks goes on after the last event that was heard.
 */
import { headersOf, RequestError, urlOf } from './request.ts'
import type { ServiceEvent } from './types.ts'

/** Milliseconds before a broken stream is opened again: at first, and at most. */
const RETRY_MS = 1000
const RETRY_MAX_MS = 15_000
/** Milliseconds of silence after which a stream is taken for dead; the service sends something every 15 s. */
const SILENCE_MS = 45_000

export interface StreamParts {
  readonly query: string
  readonly onEvent: (event: ServiceEvent) => void
  /** Events were deleted before they were heard: what is shown must be read again. */
  readonly onGap: () => void
  readonly onState: (isOpen: boolean) => void
  readonly onRefused: (error: RequestError) => void
}

/** Opens a stream; the returned function closes it. */
export function openStream(parts: StreamParts): () => void {
  const ending = new AbortController()
  void keepOpen(parts, ending.signal)
  return () => ending.abort()
}

async function keepOpen(parts: StreamParts, ended: AbortSignal): Promise<void> {
  const heard = { id: '' }
  for (let pauseMs = RETRY_MS; !ended.aborted; pauseMs = Math.min(pauseMs * 2, RETRY_MAX_MS)) {
    const began = performance.now()
    try {
      await readOnce(parts, heard, ended)
    } catch (error) {
      if (error instanceof RequestError) parts.onRefused(error)
    }
    if (ended.aborted) return
    parts.onState(false)
    if (performance.now() - began > RETRY_MAX_MS) pauseMs = RETRY_MS
    await pause(pauseMs * (0.75 + Math.random() / 2), ended)
  }
}

/** Reads one connection to its end. */
async function readOnce(parts: StreamParts, heard: { id: string }, ended: AbortSignal): Promise<void> {
  const silent = new AbortController()
  const answer = await fetch(urlOf(`v1/events?${parts.query}`), {
    headers: {
      ...headersOf('text/event-stream'),
      ...(heard.id === '' ? {} : { 'last-event-id': heard.id }),
    },
    signal: AbortSignal.any([ended, silent.signal]),
    cache: 'no-store',
  })
  if (!answer.ok || answer.body === null) throw new RequestError(answer.status, 'no events')
  parts.onState(true)
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const timer = setTimeout(() => silent.abort(), SILENCE_MS)
    const { done, value } = await reader.read().finally(() => clearTimeout(timer))
    if (done) return
    const messages = (rest + value).split('\n\n')
    rest = messages.pop() ?? ''
    for (const message of messages) tell(message, parts, heard)
  }
}

function tell(message: string, { onEvent, onGap }: StreamParts, heard: { id: string }): void {
  const fields = new Map(
    message.split('\n').map((line) => {
      const [name = '', ...value] = line.split(': ')
      return [name, value.join(': ')]
    }),
  )
  const data = fields.get('data')
  if (data === undefined) return
  heard.id = fields.get('id') ?? heard.id
  if (fields.get('event') === 'gap') onGap()
  else onEvent(JSON.parse(data) as ServiceEvent)
}

function pause(ms: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    ended.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
