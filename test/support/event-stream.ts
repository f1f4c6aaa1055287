/** A reader of Server-Sent Events over plain HTTP, as browsers read them. */
import { type IncomingMessage, request } from 'node:http'

export interface StreamMessage {
  readonly id: string | undefined
  readonly event: string
  readonly data: string
}

export interface OpenStream {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** Every message so far. */
  readonly messages: readonly StreamMessage[]
  /** Resolves with the messages when there are at least `count`. */
  until(count: number): Promise<readonly StreamMessage[]>
  /** Resolves when the server has ended the stream. */
  readonly ended: Promise<void>
  close(): void
}

export async function openStream(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<OpenStream> {
  const sent = request(url, { agent: false, headers: { accept: 'text/event-stream', ...headers } })
  sent.end()
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve).once('error', reject)
  })
  const messages: StreamMessage[] = []
  const waiting = new Set<() => void>()
  let rest = ''
  response.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n\n')
    rest = parts.pop() ?? ''
    messages.push(...parts.map(parsed).filter((message) => message !== undefined))
    for (const wake of waiting) wake()
  })
  sent.on('error', () => undefined)
  const ended = new Promise<void>((resolve) => {
    response.once('close', resolve)
  })
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    messages,
    ended,
    until: async (count) => {
      while (messages.length < count) {
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake)
            resolve()
          }
          waiting.add(wake)
        })
      }
      return messages
    },
    close: () => void sent.destroy(),
  }
}

/** Undefined for comments and for `retry`. */
function parsed(part: string): StreamMessage | undefined {
  const fields = new Map(
    part.split('\n').map((line): [string, string] => {
      const at = line.indexOf(':')
      return [line.slice(0, at), line.slice(at + 1).trimStart()]
    }),
  )
  const data = fields.get('data')
  if (data === undefined) return undefined
  return { id: fields.get('id'), event: fields.get('event') ?? 'message', data }
}
