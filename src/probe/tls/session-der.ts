/**
 * A TLS session as OpenSSL writes it (`i2d_SSL_SESSION`): a SEQUENCE whose optional parts have a tag each. One of them is the
 * certificate of the target. Whoever resumes the session has no use of it: it is most of its bytes, and OpenSSL 3.0 takes as
 * long to read it as a quarter of what resuming saves.
 */

/** What Node writes before a session since 24.21, with the name of the target and its length in two octets. */
const NODE_PREFIX = Buffer.from('\0nodejs:tls:session:1\0')

const SEQUENCE = 0x30
/** `[3] EXPLICIT Certificate`: `peer` in OpenSSL's ssl/ssl_asn1.c. */
const CERTIFICATE = 0xa3

interface Element {
  readonly tag: number
  /** Where its contents begin, and where they end. */
  readonly from: number
  readonly to: number
}

/** The same session without the certificate; undefined = it is not written as is known here. */
export function withoutCertificate(session: Buffer): Buffer | undefined {
  const begin = beginOf(session)
  const whole = elementAt(session, begin)
  if (whole?.tag !== SEQUENCE || whole.to !== session.length) return undefined
  const kept: Buffer[] = []
  for (let at = whole.from; at < whole.to; ) {
    const element = elementAt(session, at)
    if (element === undefined) return undefined
    if (element.tag !== CERTIFICATE) kept.push(session.subarray(at, element.to))
    at = element.to
  }
  const bytes = kept.reduce((sum, { length }) => sum + length, 0)
  return Buffer.concat([session.subarray(0, begin), Buffer.from([SEQUENCE, ...lengthOf(bytes)]), ...kept])
}

/** Where the session of OpenSSL begins. */
function beginOf(session: Buffer): number {
  const length = NODE_PREFIX.length
  const isOfNode = session.length >= length + 2 && session.subarray(0, length).equals(NODE_PREFIX)
  return isOfNode ? length + 2 + session.readUInt16BE(length) : 0
}

/** Tag, length, contents (X.690 section 8.1), with tags of one octet and lengths of at most two. */
function elementAt(bytes: Buffer, at: number): Element | undefined {
  const [tag, first, ...more] = bytes.subarray(at, at + 4)
  if (tag === undefined || first === undefined) return undefined
  const lengthOctets = first < 0x80 ? 0 : first & 0x7f
  if (first === 0x80 || lengthOctets > 2 || lengthOctets > more.length) return undefined
  const length = lengthOctets === 0 ? first : bytes.readUIntBE(at + 2, lengthOctets)
  const from = at + 2 + lengthOctets
  return from + length > bytes.length ? undefined : { tag, from, to: from + length }
}

function lengthOf(bytes: number): readonly number[] {
  if (bytes < 0x80) return [bytes]
  return bytes < 0x100 ? [0x81, bytes] : [0x82, bytes >> 8, bytes & 0xff]
}
