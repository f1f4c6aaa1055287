/** A receiver of webhooks: a real HTTP server that checks signatures with the library of Standard Webhooks. */
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook as Verifier } from 'standardwebhooks'
import { eventually } from './configuration.ts'
import type { Ending } from './database.ts'

export interface Heard {
  readonly id: string
  /** Position in `event`. */
  readonly position: number
  readonly subject: string
  /** `n` of the event's data. */
  readonly n: number
}

export interface ReceivedRequest {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface WebhookReceiver {
  readonly url: string
  readonly secret: string
  /** Every request that was answered with 2xx. */
  readonly requests: readonly ReceivedRequest[]
  /** Events of CloudEvents in those requests, and in those without an answer, in the order of their arrival. */
  readonly heard: readonly Heard[]
  /** Requests that came, whatever the answer was. */
  readonly count: number
  /** Requests whose signature was wrong. */
  readonly unsigned: number
  /** Decides the answer; absent = 204. `undefined` = no answer at all. */
  answer: (events: readonly Heard[]) => number | undefined
  /** Sent with every answer. */
  retryAfter: string | undefined
  /** Waits until so many different events have arrived. */
  until(count: number, withinMs?: number): Promise<void>
  /** Refuses connections, until `listen`. */
  away(): Promise<void>
  listen(): Promise<void>
}

export function aSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}

export async function startReceiver(t: Ending, secret = aSecret()): Promise<WebhookReceiver> {
  const verifier = new Verifier(secret)
  const state = { requests: [] as ReceivedRequest[], heard: [] as Heard[], count: 0, unsigned: 0 }
  let server: Server | undefined
  let port = 0
  const receiver: WebhookReceiver = {
    get url() {
      return `http://127.0.0.1:${port}/hook`
    },
    secret,
    get requests() {
      return state.requests
    },
    get heard() {
      return state.heard
    },
    get count() {
      return state.count
    },
    get unsigned() {
      return state.unsigned
    },
    answer: () => 204,
    retryAfter: undefined,
    until: (count, withinMs = 20_000) =>
      eventually(
        `${count} events at the receiver`,
        () => new Set(state.heard.map(({ position }) => position)).size >= count,
        withinMs,
      ),
    away: async () => {
      const closing = server
      server = undefined
      await new Promise<void>((resolve) => {
        if (closing === undefined) return resolve()
        closing.close(() => resolve())
        closing.closeAllConnections()
      })
    },
    listen: async () => {
      server = createServer((request, response) => {
        const chunks: Buffer[] = []
        request.on('data', (chunk: Buffer) => chunks.push(chunk))
        request.on('end', () => {
          state.count += 1
          const body = Buffer.concat(chunks).toString()
          try {
            verifier.verify(body, request.headers as Record<string, string>)
          } catch {
            state.unsigned += 1
          }
          const events = heardIn(body, request.headers['content-type'] ?? '')
          const status = receiver.answer(events)
          // It has arrived, and its sender will never know.
          if (status === undefined) return void state.heard.push(...events)
          if (status < 300) {
            state.requests.push({ path: request.url ?? '', headers: request.headers, body })
            state.heard.push(...events)
          }
          response.writeHead(status, {
            ...(status >= 300 && status < 400 ? { location: receiver.url } : {}),
            ...(receiver.retryAfter === undefined ? {} : { 'retry-after': receiver.retryAfter }),
          })
          response.end('an answer that nobody shows')
        })
      })
      await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve))
      port = (server.address() as AddressInfo).port
    },
  }
  await receiver.listen()
  t.after(() => receiver.away())
  return receiver
}

function heardIn(body: string, contentType: string): readonly Heard[] {
  if (!contentType.startsWith('application/cloudevents')) return []
  const parsed: unknown = JSON.parse(body)
  const events = (Array.isArray(parsed) ? parsed : [parsed]) as {
    id: string
    subject?: string
    data: { n?: number }
  }[]
  return events.map(({ id, subject = '', data }) => ({
    id,
    position: Number(id),
    subject,
    n: data.n ?? Number.NaN,
  }))
}

/** Whether the numbers of each subject grow when copies are left out: the order of events per member. */
export function isInOrder(heard: readonly Heard[]): boolean {
  const seen = new Set<number>()
  const last = new Map<string, number>()
  for (const { position, subject } of heard) {
    if (seen.has(position)) continue
    seen.add(position)
    if (position < (last.get(subject) ?? 0)) return false
    last.set(subject, position)
  }
  return true
}
