/** A receiver of webhooks: a real HTTP server that checks signatures with the library of Standard Webhooks. */
import { randomBytes } from 'node:crypto'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
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
  const receiver = new HttpReceiver(secret)
  await receiver.listen()
  t.after(() => receiver.away())
  return receiver
}

class HttpReceiver implements WebhookReceiver {
  readonly secret: string
  readonly requests: ReceivedRequest[] = []
  readonly heard: Heard[] = []
  count = 0
  unsigned = 0
  answer: WebhookReceiver['answer'] = () => 204
  retryAfter: string | undefined
  readonly #verifier: Verifier
  #server: Server | undefined
  #port = 0

  constructor(secret: string) {
    this.secret = secret
    this.#verifier = new Verifier(secret)
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hook`
  }

  async until(count: number, withinMs = 20_000): Promise<void> {
    await eventually(
      `${count} events at the receiver`,
      () => new Set(this.heard.map(({ position }) => position)).size >= count,
      withinMs,
    )
  }

  async away(): Promise<void> {
    const closing = this.#server
    this.#server = undefined
    await new Promise<void>((resolve) => {
      if (closing === undefined) return resolve()
      closing.close(() => resolve())
      closing.closeAllConnections()
    })
  }

  async listen(): Promise<void> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => this.#received(request, Buffer.concat(chunks).toString(), response))
    })
    this.#server = server
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (server.address() as AddressInfo).port
  }

  #received({ url: path = '', headers }: IncomingMessage, body: string, response: ServerResponse): void {
    this.count += 1
    try {
      this.#verifier.verify(body, headers as Record<string, string>)
    } catch {
      this.unsigned += 1
    }
    const events = heardIn(body, headers['content-type'] ?? '')
    const status = this.answer(events)
    // Without an answer it has arrived too, and its sender will never know.
    if (status === undefined || status < 300) this.heard.push(...events)
    if (status === undefined) return
    if (status < 300) this.requests.push({ path, headers, body })
    response.writeHead(status, {
      ...(status >= 300 && status < 400 ? { location: this.url } : {}),
      ...(this.retryAfter === undefined ? {} : { 'retry-after': this.retryAfter }),
    })
    response.end('an answer that nobody shows')
  }
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
