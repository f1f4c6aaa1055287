/** Requests to the API of the service that the page came from. */
import { chosenProject } from '../project.ts'
import { askFor, RequestError, type Sent, type Surroundings, send } from './sender.ts'

export { RequestError }

const HERE: Surroundings = {
  // Below what the page is: `/ui/` is removed, so that the prefix of a reverse proxy stays.
  base: new URL('..', document.baseURI).href,
  project: () => chosenProject.value,
  fetch: (url, init) => fetch(url, init),
}

/** Sends a request and gives the JSON of the answer; undefined when there is none. Throws RequestError. */
export function request<Body>(
  method: Sent['method'],
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<Body> {
  return askFor<Body>(HERE, { method, path, body, signal })
}

/** Asks for a stream of events, after the one with this id; '' = from now on. */
export function askForEvents(path: string, after: string, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = after === '' ? {} : { 'last-event-id': after }
  return send(HERE, {
    method: 'GET',
    path,
    accept: 'text/event-stream',
    headers,
    signal,
  })
}
