/** One request to a receiver: signed, bounded in time and bytes, without redirects. */
import { Agent, type Dispatcher, request } from 'undici'
import { Webhook as Signer } from 'standardwebhooks'
import {
  WEBHOOK_ANSWER_BYTES,
  WEBHOOK_CONNECT_MS,
  WEBHOOK_IDLE_MS,
  WEBHOOK_REQUEST_MS,
  WEBHOOK_RETRY_AFTER_MS_MAX,
} from '../../domain/limits.ts'
import type { Message } from '../../domain/webhook/message.ts'
import type { Outcome } from '../../domain/webhook/outcome.ts'
import type { WebhookTarget } from '../../domain/webhook/webhook.ts'
import { NoAddress, NoConnection, Dialer, type DialerOptions } from './dialer.ts'

const USER_AGENT = 'healthmonitor/1 (webhook)'
/** Statuses of a receiver that has too much to do, or of a proxy whose receiver is away. */
const AWAY = new Set([429, 502, 503, 504])
/** Errors of a kept connection that the receiver has just closed. */
const CLOSED = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

/** The connections of one project. */
interface Connections {
  readonly agent: Agent
  /** How many were begun. */
  begun: number
}

export class WebhookClient {
  readonly #dialer: Dialer
  /** By project, so that no project waits for the connections of another one. */
  readonly #connections = new Map<string, Connections>()

  constructor(options: DialerOptions) {
    this.#dialer = new Dialer(options)
  }

  /** Sends a message. Never rejects, unless `signal` is aborted. */
  async send(target: WebhookTarget, message: Message, signal: AbortSignal): Promise<Outcome> {
    signal.throwIfAborted()
    const ending = new AbortController()
    const abort = (): void => ending.abort()
    signal.addEventListener('abort', abort, { once: true })
    const timer = setTimeout(abort, WEBHOOK_REQUEST_MS)
    try {
      return await endedBy(ending.signal, this.#postAgainIfClosed(target, message, ending.signal))
    } catch (error) {
      signal.throwIfAborted()
      if (!ending.signal.aborted) return outcomeOf(error)
      return { kind: 'unanswered', error: `no answer within ${WEBHOOK_REQUEST_MS / 1000} s` }
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    }
  }

  /**
   * Sends again if a kept connection was closed before an answer: the receiver has probably closed it while it was idle
   * (RFC 9112 section 9.3.1). A new connection was not idle: who closes that one has probably read the request.
   */
  async #postAgainIfClosed(target: WebhookTarget, message: Message, signal: AbortSignal): Promise<Outcome> {
    const connections = this.#connectionsOf(projectKeyOf(target))
    const begunBefore = connections.begun
    let response: Dispatcher.ResponseData
    try {
      response = await this.#post(target, message, signal)
    } catch (error) {
      const isKept = connections.begun === begunBefore
      if (signal.aborted || !isKept || !CLOSED.has(codeOf(error))) throw error
      response = await this.#post(target, message, signal)
    }
    await response.body.dump({ limit: WEBHOOK_ANSWER_BYTES, signal })
    return answered(response)
  }

  /** Closes the connections of projects that are not among these, and forgets the addresses of their receivers. */
  keepOnly(projectKeys: ReadonlySet<string>): void {
    this.#dialer.keepOnly(projectKeys)
    for (const [key, { agent }] of this.#connections) {
      if (projectKeys.has(key)) continue
      this.#connections.delete(key)
      void agent.destroy()
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#connections.values()].map(({ agent }) => agent.destroy()))
    this.#connections.clear()
  }

  /** Resolves with the headers of the answer. */
  async #post(
    target: WebhookTarget,
    message: Message,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    return await request(message.url, {
      method: 'POST',
      headers: headersOf(target, message, new Date()),
      body: message.body,
      dispatcher: this.#connectionsOf(projectKeyOf(target)).agent,
      signal,
      headersTimeout: WEBHOOK_REQUEST_MS,
      bodyTimeout: WEBHOOK_REQUEST_MS,
    })
  }

  #connectionsOf(key: string): Connections {
    const known = this.#connections.get(key)
    if (known !== undefined) return known
    const connect = this.#dialer.connectorOf(key)
    const connections: Connections = {
      begun: 0,
      agent: new Agent({
        connect: (options, callback) => {
          connections.begun += 1
          connect(options, callback)
        },
        connectTimeout: WEBHOOK_CONNECT_MS,
        keepAliveTimeout: WEBHOOK_IDLE_MS,
        keepAliveMaxTimeout: WEBHOOK_IDLE_MS,
        maxHeaderSize: WEBHOOK_ANSWER_BYTES,
      }),
    }
    this.#connections.set(key, connections)
    return connections
  }
}

/**
 * Rejects when the signal is aborted. undici reacts to an abort only after it has a connection; it then sends nothing.
 */
async function endedBy<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  work.catch(() => undefined)
  return await new Promise<Result>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('the request was ended')), { once: true })
    work.then(resolve, reject)
  })
}

/** The key by which the limits of requests are shared: a project, or the administrators. */
export function projectKeyOf({ projectId }: Pick<WebhookTarget, 'projectId'>): string {
  return projectId ?? ''
}

/** Standard Webhooks: one signature for each secret, so that the receiver needs to know only one of them. */
function headersOf(
  { secrets }: WebhookTarget,
  { id, body, contentType }: Message,
  now: Date,
): Record<string, string> {
  return {
    'content-type': contentType,
    'user-agent': USER_AGENT,
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': secrets.map((secret) => new Signer(secret).sign(id, now, body)).join(' '),
  }
}

function answered({ statusCode: status, headers }: Dispatcher.ResponseData): Outcome {
  if (status >= 200 && status < 300) return { kind: 'delivered', status }
  if (AWAY.has(status)) {
    const retryAfterMs = retryAfterOf(headers['retry-after'])
    return {
      kind: 'unreachable',
      status,
      error: `the receiver answered ${status}`,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    }
  }
  const hint = status >= 300 && status < 400 ? '; redirects are not followed' : ''
  return { kind: 'refused', status, error: `the receiver answered ${status}${hint}` }
}

/** Retry-After as seconds or as a date (RFC 9110 section 10.2.3), bounded. */
function retryAfterOf(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string') return undefined
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), WEBHOOK_RETRY_AFTER_MS_MAX)
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof NoAddress || error instanceof NoConnection)
    return { kind: 'unreachable', error: error.message }
  const code = codeOf(error)
  if (CLOSED.has(code)) return { kind: 'unanswered', error: 'the receiver closed the connection' }
  if (code.startsWith('UND_ERR_HEADERS') || code.startsWith('UND_ERR_RES') || code.startsWith('HPE_'))
    return { kind: 'unanswered', error: `the receiver does not answer in HTTP/1.1 (${code})` }
  return {
    kind: 'unreachable',
    error: `no connection to the receiver (${code === '' ? 'unknown error' : code})`,
  }
}
