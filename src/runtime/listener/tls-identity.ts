/** The certificate and the key of our listeners (HM_TLS_CERT, HM_TLS_KEY): read, and checked before they are used. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { TlsFiles } from '../config/config.ts'
import { readBounded } from '../config/setting-files.ts'
import { StartRefusal } from '../start-refusal.ts'

export interface TlsIdentity {
  /** PEM: the certificate, then its intermediate certificates. */
  readonly cert: string
  /** PEM. Never logged. */
  readonly key: string
  readonly subject: string
  /** SHA-256 of the certificate, as `openssl x509 -fingerprint -sha256` prints it. */
  readonly fingerprint: string
  readonly notAfter: Date
}

/**
 * Reads both files. Throws StartRefusal for a file that cannot be read or is not PEM, and for a key that is not the
 * certificate's. An expired certificate is accepted: clients refuse it, and the metrics say so.
 */
export function readTlsIdentity({ certFile, keyFile }: TlsFiles): TlsIdentity {
  const cert = read(certFile, 'HM_TLS_CERT')
  const key = read(keyFile, 'HM_TLS_KEY')
  const certificate = understood(
    () => new X509Certificate(cert),
    `HM_TLS_CERT: ${certFile} has no certificate`,
  )
  const privateKey = understood(
    () => createPrivateKey(key),
    `HM_TLS_KEY: ${keyFile} has no private key that can be used without a passphrase`,
  )
  if (!certificate.checkPrivateKey(privateKey))
    throw new StartRefusal(`HM_TLS_KEY: ${keyFile} is not the key of the certificate in ${certFile}`)
  understood(() => createSecureContext({ cert, key }), `HM_TLS_CERT: OpenSSL does not accept ${certFile}`)
  return {
    cert,
    key,
    subject: certificate.subject.replaceAll('\n', ', '),
    fingerprint: certificate.fingerprint256,
    notAfter: new Date(certificate.validTo),
  }
}

function read(path: string, setting: string): string {
  try {
    return readBounded(path, setting)
  } catch (error) {
    throw new StartRefusal((error as Error).message, { cause: error })
  }
}

/** The reason of OpenSSL may stand in the message: it names formats and sizes, never what is in a file. */
function understood<Value extends X509Certificate | KeyObject | object>(
  parse: () => Value,
  sentence: string,
): Value {
  try {
    return parse()
  } catch (error) {
    throw new StartRefusal(`${sentence} (${(error as Error).message})`, { cause: error })
  }
}

/** What may be logged of it. */
export function shownIdentity({ subject, fingerprint, notAfter }: TlsIdentity): object {
  return { subject, fingerprint, not_after: notAfter.toISOString() }
}
