/**
 * The leaf certificates of targets. A certificate is parsed when it is seen for the first time; after that it is found by its
 * fingerprint, and members that show the same certificate share what is known of it. Beside a handshake (0.5 ms of CPU or more)
 * that costs 6 microseconds (2026-11-30, Node 20).
 */
import type { X509Certificate } from 'node:crypto'
import { LEAF_CERTIFICATES_MAX } from '../../domain/limits.ts'
import type { LeafCertificate } from '../../domain/result/leaf-certificate.ts'
import { boundedDetail } from '../result.ts'

export class LeafCertificates {
  /** By fingerprint, the longest unused first; null = its time cannot be read. */
  readonly #known = new Map<string, LeafCertificate | null>()

  /** What is known of a certificate; undefined = it has no time that can be read. */
  of(certificate: X509Certificate): LeafCertificate | undefined {
    const fingerprint = certificate.fingerprint256
    const known = this.#known.get(fingerprint)
    const leaf = known === undefined ? parsed(certificate, fingerprint) : known
    // A map keeps the order in which its keys were set.
    if (known !== undefined) this.#known.delete(fingerprint)
    this.#known.set(fingerprint, leaf)
    const [oldest] = this.#known.size > LEAF_CERTIFICATES_MAX ? this.#known.keys() : []
    if (oldest !== undefined) this.#known.delete(oldest)
    return leaf ?? undefined
  }
}

function parsed(certificate: X509Certificate, fingerprint: string): LeafCertificate | null {
  const notAfter = timeOf(certificate.validTo)
  if (notAfter === undefined) return null
  const subject = commonName(certificate.subject) ?? firstDnsName(certificate.subjectAltName)
  return {
    fingerprint,
    notAfter,
    subject: boundedDetail(subject ?? ''),
    issuer: boundedDetail(commonName(certificate.issuer) ?? ''),
  }
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
/** As OpenSSL prints a time; fractions of a second are no part of a certificate (RFC 5280 section 4.1.2.5.2). */
const TIME = /^([A-Z][a-z]{2}) +(\d{1,2}) (\d{2}):(\d{2}):(\d{2})(?:\.\d+)? (\d{4}) GMT$/

/** The first year that a certificate can have (RFC 5280 section 4.1.2.5.1). */
const FIRST_YEAR = 1950

/** Milliseconds of the wall clock. By hand, as Date.parse takes the year 1 for 2001. */
function timeOf(text: string): number | undefined {
  const [, month = '', day, hours, minutes, seconds, year] = TIME.exec(text) ?? []
  const monthIndex = MONTHS.indexOf(month)
  if (monthIndex < 0 || Number(year) < FIRST_YEAR) return undefined
  return Date.UTC(Number(year), monthIndex, Number(day), Number(hours), Number(minutes), Number(seconds))
}

/** Of a name as Node prints it: a line for each part (RFC 4514), or several in a line with ` + ` between them. */
function commonName(name: string | undefined): string | undefined {
  const escaped = /^(?:.* \+ )?CN=(.*?)(?: \+ .*)?$/m.exec(name ?? '')?.[1]
  return escaped?.replaceAll(/\\([0-9A-F]{2}|.)/g, (_, of: string) =>
    of.length === 1 ? of : String.fromCharCode(Number.parseInt(of, 16)),
  )
}

function firstDnsName(names: string | undefined): string | undefined {
  return /(?:^|, )DNS:([^,"]+)/.exec(names ?? '')?.[1]
}
