/** Writes the request of an HTTP probe: origin form, one connection per request, no body. */
import { USER_AGENT } from '../domain/limits.ts'
import type { HttpRequest } from '../domain/results.ts'

/** Methods whose request needs `Content-Length: 0` when it has no content (RFC 9110 section 8.6). */
const WITH_CONTENT: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

/** Printable and without space: what a request line and a Host value may hold. */
const SAFE = /^[\x21-\x7e\x80-\xff]+$/

/** Requests are built with the configuration and used by each probe of their check: written out once. */
const rendered = new WeakMap<HttpRequest, string | undefined>()

/**
 * The bytes of the request (latin1). Undefined when a part of it could end a line or the request: validation refuses such
 * values long before, and a row that came around it must not become another request on the wire.
 */
export function renderHttpRequest(request: HttpRequest): string | undefined {
  if (rendered.has(request)) return rendered.get(request)
  const text = render(request)
  rendered.set(request, text)
  return text
}

function render({ method, path, version, host }: HttpRequest): string | undefined {
  if (!SAFE.test(method) || !SAFE.test(path) || (host !== undefined && !SAFE.test(host))) return undefined
  return (
    `${method} ${path} HTTP/${version}\r\n` +
    (host === undefined ? '' : `Host: ${host}\r\n`) +
    `User-Agent: ${USER_AGENT}\r\nAccept: */*\r\nConnection: close\r\n` +
    (WITH_CONTENT.has(method) ? 'Content-Length: 0\r\n' : '') +
    '\r\n'
  )
}
