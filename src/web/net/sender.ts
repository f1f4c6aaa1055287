/** How requests are sent to the API: what the page knows of its surroundings comes as arguments. */

/** A refusal of the API, or no answer at all (status 0); `message` is a sentence for people. */
export class RequestError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'RequestError'
    this.status = status
  }
}

/** What went wrong, as a sentence for people. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** What is asked of `fetch`. */
export interface Init {
  readonly method: string
  readonly cache: 'no-store'
  readonly headers: Record<string, string>
  readonly body?: string
  readonly signal?: AbortSignal
}

export interface Surroundings {
  /** Below it are the paths of the API. */
  readonly base: string
  /** Without identity: whose objects are asked for; empty = the default project of the service. */
  readonly project: () => string
  readonly fetch: (url: string, init: Init) => Promise<Response>
}

export interface Sent {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  /** What the answer is to be: a media type. */
  readonly accept: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
}

/** Sends a request, for the project that is chosen. */
export function send(
  { base, project, fetch }: Surroundings,
  { method, path, accept, headers, body, signal }: Sent,
): Promise<Response> {
  const chosen = project()
  return fetch(new URL(path, base).href, {
    method,
    cache: 'no-store',
    headers: {
      accept,
      ...(chosen === '' ? {} : { 'x-project-id': chosen }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  })
}

/** Sends a request and gives the JSON of the answer; undefined when there is none. Throws RequestError. */
export async function askFor<Body>(surroundings: Surroundings, sent: Omit<Sent, 'accept'>): Promise<Body> {
  const { ok, status, text } = await answerOf(surroundings, sent)
  const parsed: unknown = text === '' ? undefined : parse(text)
  if (!ok) throw new RequestError(status, sentenceOf(parsed) ?? `The service answered ${status}.`)
  if (text !== '' && parsed === undefined) {
    throw new RequestError(status, 'The answer is not one of the service. Is there a proxy in between?')
  }
  return parsed as Body
}

/** The whole answer: a connection that breaks within it is no answer. */
async function answerOf(surroundings: Surroundings, sent: Omit<Sent, 'accept'>) {
  try {
    const answer = await send(surroundings, { ...sent, accept: 'application/json' })
    return { ok: answer.ok, status: answer.status, text: await answer.text() }
  } catch (error) {
    if (sent.signal?.aborted === true) throw error
    throw new RequestError(0, 'The service does not answer.')
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** Of problem details, and of dialect octavia. */
function sentenceOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const { detail, faultstring } = body as { detail?: unknown; faultstring?: unknown }
  if (typeof detail === 'string') return detail
  return typeof faultstring === 'string' ? faultstring : undefined
}
