/** A self-signed certificate for the life of a test, so that no private key lies in the repository. */
import { generateKeyPairSync, sign } from 'node:crypto'

/** DER (X.690): tag, length, contents. */
function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const body = Buffer.concat(contents)
  return Buffer.concat([Buffer.from([tag, ...lengthOf(body.length)]), body])
}

/** In as few bytes as possible (X.690 section 10.1): OpenSSL takes longer forms, Go does not. */
function lengthOf(bytes: number): readonly number[] {
  if (bytes < 128) return [bytes]
  return bytes < 256 ? [0x81, bytes] : [0x82, bytes >> 8, bytes & 0xff]
}

const SEQUENCE = 0x30
const ECDSA_WITH_SHA256 = der(SEQUENCE, Buffer.from('06082a8648ce3d040302', 'hex'))

/** A time as certificates have it: until 2049 UTCTime, from then on GeneralizedTime (RFC 5280 section 4.1.2.5). */
function timeOf(time: Date): Buffer {
  const digits = time.toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return time.getUTCFullYear() < 2050
    ? der(0x17, Buffer.from(digits.slice(2)))
    : der(0x18, Buffer.from(digits))
}

/** PEM of a new P-256 key and of its certificate (RFC 5280, version 1), valid until `notAfter`. */
export function selfSigned(
  commonName: string,
  notAfter = new Date('2049-12-31T23:59:59Z'),
): { readonly key: string; readonly cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const attribute = der(SEQUENCE, Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from(commonName)))
  const name = der(SEQUENCE, der(0x31, attribute))
  const validity = der(SEQUENCE, der(0x17, Buffer.from('200101000000Z')), timeOf(notAfter))
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const serial = der(0x02, Buffer.from([1]))
  const toBeSigned = der(SEQUENCE, serial, ECDSA_WITH_SHA256, name, validity, name, spki)
  const signature = der(0x03, Buffer.from([0]), sign('sha256', toBeSigned, privateKey))
  const certificate = der(SEQUENCE, toBeSigned, ECDSA_WITH_SHA256, signature)
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64')}\n-----END CERTIFICATE-----\n`,
  }
}
