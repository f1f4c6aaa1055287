/** HTTP for commands: JSON in both directions, one deadline, bounded bodies, and a sentence for what went wrong. */
import { Agent, type Dispatcher, errors, request } from 'undici'
import { CLIENT_BODY_MAX_BYTES, CLIENT_SILENCE_MS, CLIENT_TIMEOUT_MS } from '../domain/limits.ts'
import { unreachable } from './failure.ts'

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** Milliseconds that the server may take to answer, in addition to CLIENT_TIMEOUT_MS. */
  readonly patienceMs?: number
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: Dispatcher.ResponseData['headers']
  /** Parsed; undefined when it is empty or no JSON. */
  readonly body: unknown
}

export class Http {
  readonly #agent: Agent
  /** For streams, whose length is not limited. */
  readonly #streamAgent: Agent

  /** `authorities`: the certificates of OS_CACERT; absent = those of the host. */
  constructor(authorities?: Buffer) {
    const options = {
      connect: { timeout: CLIENT_TIMEOUT_MS, ...(authorities === undefined ? {} : { ca: authorities }) },
      // The deadline is a signal, for all of a request.
      headersTimeout: 0,
    }
    this.#agent = new Agent({ ...options, maxResponseSize: CLIENT_BODY_MAX_BYTES })
    this.#streamAgent = new Agent(options)
  }

  /** Throws ClientFailure when there was no answer in time. */
  async exchange({ method, url, headers, body, patienceMs = 0 }: HttpRequest): Promise<HttpAnswer> {
    try {
      const answer = await request(url, {
        method,
        dispatcher: this.#agent,
        signal: AbortSignal.timeout(CLIENT_TIMEOUT_MS + patienceMs),
        headers: {
          accept: 'application/json',
          'user-agent': 'healthmonitor',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return {
        status: answer.statusCode,
        headers: answer.headers,
        body: parsedJson(await answer.body.text()),
      }
    } catch (error) {
      throw unreachable(`${originOf(url)} ${whyUnreachable(error)}`, error)
    }
  }

  /**
   * A response whose body is read as a stream. It ends with an error after CLIENT_SILENCE_MS without a byte, or when
   * the connection breaks. Throws ClientFailure when there was no answer in time.
   */
  async stream(
    url: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<Dispatcher.ResponseData> {
    const late = AbortSignal.timeout(CLIENT_TIMEOUT_MS)
    const opening = new AbortController()
    const giveUp = () => opening.abort(late.reason)
    late.addEventListener('abort', giveUp)
    try {
      return await request(url, {
        dispatcher: this.#streamAgent,
        bodyTimeout: CLIENT_SILENCE_MS,
        signal: signal === undefined ? opening.signal : AbortSignal.any([opening.signal, signal]),
        headers: { accept: 'text/event-stream', 'user-agent': 'healthmonitor', ...headers },
      })
    } catch (error) {
      throw unreachable(`${originOf(url)} ${whyUnreachable(error)}`, error)
    } finally {
      late.removeEventListener('abort', giveUp)
    }
  }

  /**
   * The JSON of a response of `stream` that is no stream: its length and its time are bounded as those of `exchange`.
   * Undefined when it is no JSON. Throws ClientFailure.
   */
  async wholeJson(url: string, { body }: Dispatcher.ResponseData): Promise<unknown> {
    const late = () => void body.destroy(new DOMException('the answer did not end in time', 'TimeoutError'))
    const timer = setTimeout(late, CLIENT_TIMEOUT_MS)
    try {
      const chunks: Buffer[] = []
      let bytes = 0
      for await (const chunk of body as AsyncIterable<Buffer>) {
        bytes += chunk.length
        // Leaving the loop closes the connection.
        if (bytes > CLIENT_BODY_MAX_BYTES) throw new errors.ResponseExceededMaxSizeError()
        chunks.push(chunk)
      }
      return parsedJson(Buffer.concat(chunks).toString())
    } catch (error) {
      throw unreachable(`${originOf(url)} ${whyUnreachable(error)}`, error)
    } finally {
      clearTimeout(timer)
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#agent.destroy(), this.#streamAgent.destroy()])
  }
}

/** Undefined when it is no JSON. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url
}

const SENTENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses the connection: does the service run, and is the address right?',
  ENOTFOUND: 'has no address: is the name right?',
  EAI_AGAIN: 'has no address: the resolver does not answer',
  ECONNRESET: 'closed the connection before it answered',
  UND_ERR_SOCKET: 'closed the connection before it answered',
  UND_ERR_CONNECT_TIMEOUT: 'does not accept a connection',
  UND_ERR_BODY_TIMEOUT: 'is silent',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'gives an answer that is too long',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'has a certificate of an unknown CA: set OS_CACERT to a file with the CA',
  SELF_SIGNED_CERT_IN_CHAIN: 'has a certificate of an unknown CA: set OS_CACERT to a file with the CA',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'has a certificate of an unknown CA: set OS_CACERT to a file with the CA',
  CERT_HAS_EXPIRED: 'has a certificate that has expired',
}

/** The rest of a sentence that begins with the origin of the URL. */
function whyUnreachable(error: unknown): string {
  if (!(error instanceof Error)) return 'cannot be reached'
  if (error.name === 'TimeoutError') return 'does not answer in time'
  const code = 'code' in error ? String(error.code) : ''
  return SENTENCES[code] ?? `cannot be reached: ${error.message}`
}
