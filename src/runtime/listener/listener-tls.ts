/** TLS of the listeners of one process: they share a certificate, and all change to the next one together. */
import type { SecureContextOptions } from 'node:tls'
import type { TlsFiles } from '../config/config.ts'
import { readTlsIdentity, shownIdentity, type TlsIdentity } from './tls-identity.ts'

export class ListenerTls {
  readonly #files: TlsFiles
  #identity: TlsIdentity
  readonly #listeners = new Set<(options: SecureContextOptions) => void>()

  /** Throws StartRefusal for files that cannot be used. */
  constructor(files: TlsFiles) {
    this.#files = files
    this.#identity = readTlsIdentity(files)
  }

  get identity(): TlsIdentity {
    return this.#identity
  }

  /** For new connections. TLS 1.0 and 1.1 are deprecated (RFC 8996). */
  get options(): SecureContextOptions {
    const { cert, key } = this.#identity
    return { cert, key, minVersion: 'TLSv1.2' }
  }

  /** `use` gets the options again whenever they change, until the returned function is called. */
  subscribe(use: (options: SecureContextOptions) => void): () => void {
    this.#listeners.add(use)
    return () => this.#listeners.delete(use)
  }

  /**
   * Reads both files anew; open connections keep the certificate that they began with. Throws StartRefusal, and then
   * everything stays as it was.
   */
  read(): object {
    this.#identity = readTlsIdentity(this.#files)
    for (const use of this.#listeners) use(this.options)
    return shownIdentity(this.#identity)
  }
}
