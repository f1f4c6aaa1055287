/**
 * Events as they happen, by Server-Sent Events (WHATWG HTML, section 9.2) over fetch: EventSource cannot send the header
 * that chooses a project. A stream that breaks goes on after the last event that arrived.
 */
import { RequestError } from './sender.ts'
import type { ServiceEvent } from './types.ts'

/** Milliseconds before a broken stream is opened again: at first, and at most. */
export const RETRY_MS = 1000
export const RETRY_MAX_MS = 15_000
/** Milliseconds of silence after which a stream is taken for dead; the service sends something every 15 s. */
export const SILENCE_MS = 45_000

export interface StreamParts {
  /** Asks for a stream that goes on after the event with this id; '' = from now on. */
  readonly connect: (after: string, signal: AbortSignal) => Promise<Response>
  readonly onEvent: (event: ServiceEvent) => void
  /** Events were deleted before they arrived: what is shown must be read again. */
  readonly onGap: () => void
  readonly onState: (isOpen: boolean) => void
  readonly onRefused: (error: RequestError) => void
}

/** Opens a stream; the returned function closes it, and no function of `parts` is called any more. */
export function openStream(parts: StreamParts): () => void {
  const ending = new AbortController()
  void keepOpen(parts, ending.signal)
  return () => ending.abort()
}

async function keepOpen(parts: StreamParts, ended: AbortSignal): Promise<void> {
  const last = { id: '' }
  let pauseMs = RETRY_MS
  while (!ended.aborted) {
    // A stream that was open for so long worked: what ends it is a new trouble.
    let steady: ReturnType<typeof setTimeout> | undefined
    const onOpen = (): void => {
      steady = setTimeout(() => (pauseMs = RETRY_MS), RETRY_MAX_MS)
      parts.onState(true)
    }
    try {
      await readOnce({ ...parts, onOpen }, last, ended)
    } catch (error) {
      if (error instanceof RequestError && !ended.aborted) parts.onRefused(error)
    }
    clearTimeout(steady)
    if (ended.aborted) return
    parts.onState(false)
    await pause(pauseMs * (0.75 + Math.random() / 2), ended)
    pauseMs = Math.min(pauseMs * 2, RETRY_MAX_MS)
  }
}

/** Reads one connection to its end; one that says nothing for too long has ended, also before its answer. */
async function readOnce(
  parts: StreamParts & { readonly onOpen: () => void },
  last: { id: string },
  ended: AbortSignal,
): Promise<void> {
  const silent = new AbortController()
  const signal = AbortSignal.any([ended, silent.signal])
  const unlessSilent = async <Value>(awaited: Promise<Value>): Promise<Value> => {
    const timer = setTimeout(() => silent.abort(), SILENCE_MS)
    return await awaited.finally(() => clearTimeout(timer))
  }
  const answer = await unlessSilent(parts.connect(last.id, signal))
  if (!answer.ok || answer.body === null) {
    await answer.body?.cancel()
    throw new RequestError(answer.status, 'no events')
  }
  parts.onOpen()
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { done, value } = await unlessSilent(reader.read())
    if (done || ended.aborted) return
    const messages = (rest + value).split('\n\n')
    rest = messages.pop() ?? ''
    for (const message of messages) deliver(message, parts, last)
  }
}

function deliver(message: string, { onEvent, onGap }: StreamParts, last: { id: string }): void {
  const fields = new Map(
    message.split('\n').map((line) => {
      const [name = '', ...value] = line.split(': ')
      return [name, value.join(': ')]
    }),
  )
  const data = fields.get('data')
  if (data === undefined) return
  last.id = fields.get('id') ?? last.id
  if (fields.get('event') === 'gap') onGap()
  else onEvent(JSON.parse(data) as ServiceEvent)
}

function pause(ms: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      ended.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    ended.addEventListener('abort', end)
  })
}
