/**
 * Headers that a probe writes itself, or that would change what a message is (RFC 9110 section 7.6.1, RFC 9113 section
 * 8.2.2): options with these names are refused, and probers leave them out if one was stored anyway.
 */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'expect',
  'http2-settings',
])

/** Of a gRPC request, besides (gRPC over HTTP/2, "Requests"). */
const OWN_METADATA: ReadonlySet<string> = new Set(['content-type', 'user-agent'])

/** Whether a header of this name, in any case, is the probe's own. */
export function isOwnHeader(name: string): boolean {
  return OWN_HEADERS.has(name.toLowerCase())
}

/** The same of the metadata of a gRPC call: names that begin with `grpc-` are the protocol's. */
export function isOwnMetadata(name: string): boolean {
  const known = name.toLowerCase()
  return OWN_HEADERS.has(known) || OWN_METADATA.has(known) || known.startsWith('grpc-')
}
