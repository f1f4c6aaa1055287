/** The certificate that a target showed in a TLS handshake: the leaf, not the chain above it. */
export interface LeafCertificate {
  /** SHA-256 of its DER, in hexadecimal digits with colons. Two with the same one are the same. */
  readonly fingerprint: string
  /** `notAfter` (RFC 5280 section 4.1.2.5), milliseconds of the wall clock. */
  readonly notAfter: number
  /** Its common name, else its first DNS name, as the target says it: at most MAX_DETAIL_BYTES; empty = neither. */
  readonly subject: string
  /** The common name of its issuer, as the target says it: at most MAX_DETAIL_BYTES; empty = none. */
  readonly issuer: string
}
