/**
 * An HTTP or HTTPS listener with a lifetime: it binds, or says which port is taken; it closes after the requests in
 * flight.
 */
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { DRAIN_TIMEOUT_MS, TLS_HANDSHAKE_TIMEOUT_MS, URL_MAX_BYTES } from '../../domain/limits.ts'
import { type Endpoint, formatEndpoint } from '../config/endpoint.ts'
import { StartRefusal } from '../start-refusal.ts'
import type { ListenerTls } from './listener-tls.ts'

export interface Listener {
  /** What was bound: with the port that the kernel chose, if that was asked for. */
  readonly endpoint: Endpoint
  /** Under which a person on this host reaches it, without a slash at the end. */
  readonly url: string
  /** Takes no more connections; resolves when the requests in flight are answered, at most DRAIN_TIMEOUT_MS later. */
  close(): Promise<void>
}

/**
 * Listens on the endpoint; `setting` is the variable that a person would change. With `tls` it speaks HTTPS, and
 * follows changes of the certificate. Throws StartRefusal when the port is taken, the address is not of this host, or
 * the port needs rights that we lack.
 */
export function listen(
  endpoint: Endpoint,
  setting: string,
  handler: RequestListener,
  tls?: ListenerTls,
): Promise<Listener> {
  const answering = new Set<ServerResponse>()
  let isEnding = false
  const { server, release } = serverOf(tls, (request, response) => {
    answering.add(response)
    response.once('close', () => {
      answering.delete(response)
      // The head of its answer was sent before the end began, and said that the connection stays open.
      if (isEnding) setImmediate(() => server.closeIdleConnections())
    })
    if (isEnding) sayLast(response)
    handler(request, response)
  })
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(bindRefusal(endpoint, setting, error)))
    server.listen(endpoint.port, endpoint.host, () => {
      const bound = boundEndpoint(server, endpoint)
      resolve({
        endpoint: bound,
        url: localUrl(bound, tls === undefined ? 'http' : 'https'),
        close: async () => {
          release()
          const drained = drain(server)
          isEnding = true
          for (const response of answering) sayLast(response)
          await drained
        },
      })
    })
  })
}

/** With the port that the kernel chose, if that was asked for. */
function boundEndpoint(server: Server, { host, port }: Endpoint): Endpoint {
  const address = server.address()
  return { host, port: typeof address === 'object' && address !== null ? address.port : port }
}

/** Takes no more connections; resolves when the last one has ended, which DRAIN_TIMEOUT_MS bounds. */
async function drain(server: Server): Promise<void> {
  const late = setTimeout(() => server.closeAllConnections(), DRAIN_TIMEOUT_MS)
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
  })
  clearTimeout(late)
}

/** The server, and the function that ends its following of changes. */
function serverOf(
  tls: ListenerTls | undefined,
  handler: RequestListener,
): { readonly server: Server; readonly release: () => void } {
  // Node's own limit is for the whole head; a URL of the allowed length must fit beside other headers.
  const options = { maxHeaderSize: 4 * URL_MAX_BYTES }
  if (tls === undefined) return { server: createServer(options, handler), release: () => undefined }
  const secured = { ...options, ...tls.options, handshakeTimeout: TLS_HANDSHAKE_TIMEOUT_MS }
  const server = createSecureServer(secured, handler)
  return { server, release: tls.subscribe((changed) => server.setSecureContext(changed)) }
}

/** Asks a client that keeps its connection to open a new one, which reaches the next process that listens. */
function sayLast(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close')
}

/** Whether a listener was refused because somebody else has its port. */
export function isPortTaken(error: unknown): boolean {
  return error instanceof StartRefusal && (error.cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
}

function bindRefusal(endpoint: Endpoint, setting: string, error: Error): Error {
  const where = `${setting}=${formatEndpoint(endpoint)}`
  const code = 'code' in error ? error.code : undefined
  const sentence =
    code === 'EADDRINUSE'
      ? `port ${endpoint.port} is taken (${where}): stop the program that listens there, or set ${setting} to another port`
      : code === 'EADDRNOTAVAIL'
        ? `${endpoint.host} is not an address of this host (${where})`
        : code === 'EACCES'
          ? `port ${endpoint.port} needs rights that this process lacks (${where}): set ${setting} to a port above 1023`
          : undefined
  return sentence === undefined ? error : new StartRefusal(sentence, { cause: error })
}

/** The URL under which a person on this host reaches a listener; a wildcard address is shown as loopback. */
export function localUrl({ host, port }: Endpoint, scheme: 'http' | 'https' = 'http'): string {
  const shown = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `${scheme}://${formatEndpoint({ host: shown, port })}`
}
