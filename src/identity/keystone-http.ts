/** Requests to Keystone: kept connections, one deadline for everything, bounded bodies. */
import { Agent, errors, request } from 'undici'
import { DomainError } from '../domain/errors.ts'
import { KEYSTONE_BODY_MAX_BYTES, KEYSTONE_CONNECTIONS, KEYSTONE_TIMEOUT_MS } from '../domain/limits.ts'

export interface KeystoneRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below `/v3`. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export interface KeystoneAnswer {
  readonly status: number
  readonly subjectToken: string | undefined
  /** Parsed; undefined when it is not JSON. */
  readonly body: unknown
}

export interface KeystoneHttp {
  /** Throws DomainError IDENTITY_UNAVAILABLE when no answer came in time. */
  ask(question: KeystoneRequest): Promise<KeystoneAnswer>
  close(): Promise<void>
}

/** The refusal when Keystone does not answer, or its answer cannot be trusted. */
export function identityUnavailable(why: string, cause?: unknown): DomainError {
  return new DomainError(
    'IDENTITY_UNAVAILABLE',
    'The identity service is not available. Please try again.',
    { why },
    { cause },
  )
}

/** `url` with or without `/v3` at its end, as people configure it. */
export function withoutVersion(url: string): string {
  return url.replace(/\/+$/, '').replace(/\/v3$/, '')
}

export function keystoneHttp(url: string, timeoutMs: number = KEYSTONE_TIMEOUT_MS): KeystoneHttp {
  const base = `${withoutVersion(url)}/v3`
  const agent = new Agent({
    connections: KEYSTONE_CONNECTIONS,
    connect: { timeout: timeoutMs },
    maxResponseSize: KEYSTONE_BODY_MAX_BYTES,
  })
  const send = async ({ method, path, headers, body }: KeystoneRequest, signal: AbortSignal) => {
    const answer = await request(`${base}${path}`, {
      method,
      dispatcher: agent,
      signal,
      headers: {
        accept: 'application/json',
        'user-agent': 'healthmonitor',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const subject = answer.headers['x-subject-token']
    return {
      status: answer.statusCode,
      subjectToken: typeof subject === 'string' ? subject : undefined,
      body: parsed(await answer.body.text()),
    }
  }
  return {
    ask: async (question) => {
      const signal = AbortSignal.timeout(timeoutMs)
      try {
        return await send(question, signal).catch((error: unknown) => {
          // Keystone may close a kept connection just when we use it: both requests may be sent twice.
          if (isClosedConnection(error)) return send(question, signal)
          throw error
        })
      } catch (error) {
        throw identityUnavailable('no answer', error)
      }
    },
    close: () => agent.destroy(),
  }
}

function isClosedConnection(error: unknown): boolean {
  return error instanceof errors.SocketError || (error as NodeJS.ErrnoException).code === 'ECONNRESET'
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
