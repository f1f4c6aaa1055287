/** Writes the request of an HTTP/1.x probe, and says which headers a probe sends in any version. */
import { USER_AGENT } from '../../domain/limits.ts'
import { isOwnHeader } from '../../domain/target/own-headers.ts'
import type { Header, HttpRequest } from '../../domain/target/probe-target.ts'

/** Methods whose request needs `Content-Length: 0` when it has no content (RFC 9110 section 8.6). */
const WITH_CONTENT: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

/** Visible ASCII: what a request line and a Host value may hold. */
const SAFE = /^[\x21-\x7e]+$/
/** RFC 9110 section 5: a token; no line end or other control in the value. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/** Whether a header can go on the wire without becoming something else. */
export function isSafeHeader(name: string, value: string): boolean {
  return NAME.test(name) && VALUE.test(value)
}

/**
 * The bytes of the request. Undefined when a part of it could end a line or the request. Validation refuses such
 * values, but a row that was written without it must not become a different request on the wire.
 */
export function renderHttpRequest(
  request: HttpRequest,
  connection: 'close' | 'keep' = 'close',
): Buffer | undefined {
  return render(request, connection === 'keep')
}

interface Rendered {
  readonly bytes: Buffer | undefined
}

/** The bytes of requests. Each probe of a check sends the same request, so it is rendered once for each variant. */
export class RenderedRequests {
  readonly #rendered = {
    close: new WeakMap<HttpRequest, Rendered>(),
    keep: new WeakMap<HttpRequest, Rendered>(),
  }

  /** As `renderHttpRequest`. */
  of(request: HttpRequest, connection: 'close' | 'keep'): Buffer | undefined {
    const known = this.#rendered[connection].get(request)
    if (known !== undefined) return known.bytes
    const bytes = renderHttpRequest(request, connection)
    this.#rendered[connection].set(request, { bytes })
    return bytes
  }
}

function render(request: HttpRequest, isKept: boolean): Buffer | undefined {
  const { method, path, version, host } = request
  const headers = probeHeaders(request)
  if (headers === undefined) return undefined
  let head = `${method} ${path} HTTP/${version}\r\n`
  if (host !== undefined) head += `Host: ${host}\r\n`
  for (const { name, value } of headers) head += `${name}: ${value}\r\n`
  // HTTP/1.1 keeps a connection by default (HAProxy's checks send no header either); HTTP/1.0 needs the header.
  if (!isKept) head += 'Connection: close\r\n'
  else if (version === '1.0') head += 'Connection: keep-alive\r\n'
  const length = contentLength(request)
  if (length !== undefined) head += `Content-Length: ${length}\r\n`
  const bytes = Buffer.from(`${head}\r\n`, 'latin1')
  return request.body === undefined ? bytes : Buffer.concat([bytes, request.body])
}

/** Value of Content-Length; undefined = no such header. */
export function contentLength({ method, body }: HttpRequest): number | undefined {
  return body === undefined && !WITH_CONTENT.has(method) ? undefined : (body?.length ?? 0)
}

/** A header that a request has once (RFC 9110 section 10.1.5). */
const ONCE: ReadonlySet<string> = new Set(['user-agent'])

/**
 * The headers besides host, framing and connection, in the order in which they are sent. A header of the monitor
 * replaces the probe's own header of that name. Among the monitor's headers, `overwrite` replaces earlier ones of the
 * same name (Envoy), `append` adds one more, and the last User-Agent counts. Undefined when something in the request
 * must not go on the wire.
 */
export function probeHeaders(request: HttpRequest): readonly Header[] | undefined {
  const { method, path, host, headers = [], removeHeaders = [] } = request
  if (!SAFE.test(method) || !SAFE.test(path) || (host !== undefined && !SAFE.test(host))) return undefined
  if (!headers.every(({ name, value }) => isSafeHeader(name, value))) return undefined
  const added = headers.map((header) => ({ ...header, key: header.name.toLowerCase() }))
  const gone = new Set([...removeHeaders, ...added.map(({ key }) => key)])
  const own = [
    { name: 'User-Agent', value: USER_AGENT },
    { name: 'Accept', value: '*/*' },
  ]
  const isReplaced = (key: string, at: number): boolean =>
    added.some((later, i) => i > at && later.key === key && (later.action === 'overwrite' || ONCE.has(key)))
  return [
    ...own.filter(({ name }) => !gone.has(name.toLowerCase())),
    ...added
      .filter(({ key }, at) => !isOwnHeader(key) && !isReplaced(key, at))
      .map(({ name, value }) => ({ name, value })),
  ]
}
