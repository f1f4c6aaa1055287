/**
 * The two messages of grpc.health.v1 on the wire: protocol buffers in gRPC's length-prefixed frames (gRPC's
 * doc/PROTOCOL-HTTP2.md: one octet "compressed", four octets length).
 *
 *   message HealthCheckRequest { string service = 1; }
 *   message HealthCheckResponse { ServingStatus status = 1; }
 */

const PREFIX_BYTES = 5
/** Field 1 as a length-delimited value, and as a varint. */
const SERVICE_TAG = 0x0a
const STATUS_FIELD = 1
const VARINT_OCTETS_MAX = 10

/** A framed HealthCheckRequest; an empty service asks for the whole server. */
export function writeHealthRequest(service: string): Buffer {
  const name = Buffer.from(service)
  const message =
    name.length === 0 ? name : Buffer.concat([Buffer.from([SERVICE_TAG, ...varint(name.length)]), name])
  const prefix = Buffer.alloc(PREFIX_BYTES)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

function varint(value: number): number[] {
  const octets: number[] = []
  let rest = value
  for (; rest >= 0x80; rest >>>= 7) octets.push((rest & 0x7f) | 0x80)
  return [...octets, rest]
}

/**
 * `status` of the HealthCheckResponse in these bytes; 0 when it is absent. Undefined = the bytes are not one such
 * message.
 */
export function readHealthStatus(framed: Buffer): number | undefined {
  // Compression was not offered.
  if (framed.length < PREFIX_BYTES || framed[0] !== 0) return undefined
  const message = framed.subarray(PREFIX_BYTES)
  if (framed.readUInt32BE(1) !== message.length) return undefined
  let status = 0
  let at = 0
  const readVarint = (): number | undefined => {
    let value = 0
    for (let i = 0; i < VARINT_OCTETS_MAX; i++) {
      const octet = message[at++]
      if (octet === undefined) return undefined
      value += (octet & 0x7f) * 2 ** (7 * i)
      if (octet < 0x80) return value
    }
    return undefined
  }
  while (at < message.length) {
    const tag = readVarint()
    if (tag === undefined) return undefined
    switch (tag % 8) {
      case 0: {
        const value = readVarint()
        if (value === undefined) return undefined
        if (Math.floor(tag / 8) === STATUS_FIELD) status = value
        break
      }
      case 1:
        at += 8
        break
      case 2: {
        const length = readVarint()
        if (length === undefined) return undefined
        at += length
        break
      }
      case 5:
        at += 4
        break
      default:
        return undefined
    }
  }
  return at === message.length ? status : undefined
}
