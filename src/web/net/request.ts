/** Requests to the API of the service that the page came from. */
import { signal } from '@preact/signals'

/** Below what the page is: `/ui/` is removed, so that the prefix of a reverse proxy stays. */
const BASE = new URL('..', document.baseURI)

/** Without identity: whose objects are asked for; empty = the default project of the service. */
export const chosenProject = signal(localStorage.getItem('project') ?? '')

export function chooseProject(id: string): void {
  localStorage.setItem('project', id)
  chosenProject.value = id
}

/** A refusal of the API, or no answer at all (status 0); `message` is a sentence for people. */
export class RequestError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'RequestError'
    this.status = status
  }
}

export const urlOf = (path: string): string => new URL(path, BASE).href

export function headersOf(accept: string): Record<string, string> {
  return {
    accept,
    ...(chosenProject.value === '' ? {} : { 'x-project-id': chosenProject.value }),
  }
}

/** Sends a request and gives the JSON of the answer; undefined when there is none. Throws RequestError. */
export async function request<Body>(
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<Body> {
  let answer: Response
  try {
    answer = await fetch(urlOf(path), {
      method,
      headers: {
        ...headersOf('application/json'),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    })
  } catch (error) {
    if (signal?.aborted === true) throw error
    throw new RequestError(0, 'The service does not answer. The page tries again.')
  }
  const text = await answer.text()
  const parsed: unknown = text === '' ? undefined : parse(text)
  if (answer.ok) return parsed as Body
  throw new RequestError(answer.status, sentenceOf(parsed) ?? `The service answered ${answer.status}.`)
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
