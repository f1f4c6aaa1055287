/**
 * The TLS contexts of a prober's probes. By default as HAProxy's `check-ssl verify none` does, with any certificate,
 * any protocol version and cipher that OpenSSL still speaks, because a health check does not judge the quality of a
 * member's TLS. A target with `TlsSettings` can ask for more: a server name, ALPN, a certificate that is verified, a
 * client certificate.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { TLS_CIPHER_LISTS_MAX, TLS_FILES_CACHE_MS } from '../../domain/limits.ts'
import { TLS_VERSIONS } from '../../domain/target/pool-settings.ts'
import type { TlsSettings } from '../../domain/target/probe-target.ts'
import { SharedValues } from '../shared-values.ts'

export type SecureContext = ReturnType<typeof createSecureContext>

/** What a context allows without settings. */
const NEWEST = 'TLSv1.3'
const ANY_TLS = { minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const
/**
 * Of a target whose certificate is not verified. Against Node's own CAs, OpenSSL would check the signatures of its chain, and
 * Node would parse all of it to compare names, for a result that nobody looks at.
 */
const NO_CAS: Pick<SecureContextOptions, 'ca'> = { ca: [] }

/**
 * The default ciphers of TLS 1.3 in OpenSSL. Here they are part of the one list; HAProxy's configuration has a separate
 * list for them.
 */
const SUITES_DEFAULT = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256'

/**
 * A context made of files, shared by all checks with the same files: kept as long as one of them is probed, however
 * many other contexts there are.
 */
interface FileContext {
  context: SecureContext | string | undefined
  /**
   * Times and sizes of the files; undefined after a failure, whose cause may be gone although the files are the same.
   */
  stamp: string | undefined
  checkedAt: number
}

export class TlsContexts {
  /** Of targets that name no file. Built once, on first use: it reads OpenSSL's configuration, which costs more than a probe. */
  #any: SecureContext | undefined
  /** Of targets that verify, name versions or ciphers, and name no file. */
  readonly #narrowed = new SharedValues<TlsSettings, SecureContext>(narrowingOf, (settings) =>
    createSecureContext(this.#allowedBy(settings)),
  )
  readonly #ofFiles = new SharedValues<TlsSettings, FileContext>(
    (settings) => [...filesOf(settings), narrowingOf(settings)].join('\0'),
    () => ({ context: undefined, stamp: undefined, checkedAt: 0 }),
  )
  /** Whether OpenSSL knows a cipher of a list: a cache of the last TLS_CIPHER_LISTS_MAX lists. */
  readonly #usable = new Map<string, boolean>()

  /**
   * The context for these settings; a text says why there is none (a file that cannot be read or parsed). Files
   * are looked at again every `TLS_FILES_CACHE_MS`, so that a renewed certificate is taken up without a restart.
   */
  of(
    settings: TlsSettings | undefined,
    readFile: (file: string) => Buffer = readFileSync,
    now = performance.now(),
  ): SecureContext | string {
    if (settings === undefined) return this.#ofNoFile(undefined)
    const files = filesOf(settings)
    const isOfAny = !settings.verify && settings.versions === undefined && settings.ciphers === undefined
    if (files.every((file) => file === undefined)) return this.#ofNoFile(isOfAny ? undefined : settings)
    const known = this.#ofFiles.of(settings)
    if (known.context !== undefined && now - known.checkedAt < TLS_FILES_CACHE_MS) return known.context
    const stamp = files.map(stampOf).join()
    known.checkedAt = now
    if (known.context !== undefined && known.stamp === stamp) return known.context
    known.context = this.#read(files, settings, readFile)
    known.stamp = typeof known.context === 'string' ? undefined : stamp
    return known.context
  }

  #ofNoFile(settings: TlsSettings | undefined): SecureContext | string {
    try {
      return settings === undefined
        ? (this.#any ??= createSecureContext({ ...ANY_TLS, ...NO_CAS }))
        : this.#narrowed.of(settings)
    } catch (error) {
      return `TLS: ${(error as NodeJS.ErrnoException).code ?? 'not usable'}`
    }
  }

  #read(
    [ca, cert, key]: readonly (string | undefined)[],
    settings: TlsSettings | undefined,
    readFile: (file: string) => Buffer,
  ): SecureContext | string {
    let last = ''
    const read = (file: string): Buffer => {
      last = basename(file)
      return readFile(file)
    }
    try {
      // OpenSSL accepts a file without certificates as an empty list of CAs, and every target would fail.
      if (ca !== undefined) new X509Certificate(read(ca))
      return createSecureContext({
        ...this.#allowedBy(settings),
        ...(ca === undefined ? {} : { ca: read(ca) }),
        ...(cert === undefined ? {} : { cert: read(cert) }),
        ...(key === undefined ? {} : { key: read(key) }),
      })
    } catch (error) {
      return `TLS file ${last}: ${(error as NodeJS.ErrnoException).code ?? 'not usable'}`
    }
  }

  /**
   * The versions and ciphers of a context: from the oldest to the newest version that is named, since OpenSSL offers none
   * above a gap. A list in which OpenSSL knows no cipher at all narrows nothing.
   */
  #allowedBy({ verify, versions, ciphers }: Partial<TlsSettings> = {}): SecureContextOptions {
    const named = TLS_VERSIONS.filter((version) => versions?.includes(version) === true)
    const minVersion = named.at(0) ?? ANY_TLS.minVersion
    const allowed = {
      ...ANY_TLS,
      ...(verify === true ? {} : NO_CAS),
      minVersion,
      maxVersion: named.at(-1) ?? NEWEST,
    }
    if (ciphers === undefined) return allowed
    const names = ciphers.split(':')
    const isSuite = (name: string): boolean => name.startsWith('TLS_')
    const wanted = {
      ...allowed,
      ciphers: [
        ...(names.every(isSuite) ? ['DEFAULT'] : []),
        ...(names.some(isSuite) ? [] : [SUITES_DEFAULT]),
        ciphers,
        '@SECLEVEL=0',
      ].join(':'),
    }
    return this.#isUsable(wanted.ciphers) ? wanted : allowed
  }

  #isUsable(ciphers: string): boolean {
    const known = this.#usable.get(ciphers)
    if (known !== undefined) return known
    let isKnown = true
    try {
      createSecureContext({ ...ANY_TLS, ciphers })
    } catch {
      isKnown = false
    }
    this.#usable.set(ciphers, isKnown)
    const [oldest] = this.#usable.keys()
    if (this.#usable.size > TLS_CIPHER_LISTS_MAX && oldest !== undefined) this.#usable.delete(oldest)
    return isKnown
  }
}

function filesOf({ caFile, certificateFile, keyFile }: TlsSettings): readonly (string | undefined)[] {
  return [caFile, certificateFile, keyFile]
}

function narrowingOf({ verify, versions, ciphers }: Partial<TlsSettings> = {}): string {
  return `${verify === true} ${versions?.join() ?? ''} ${ciphers ?? ''}`
}

/** The errno for a file that cannot be read (absent, or a part of its path is not a folder or not accessible). */
function stampOf(file: string | undefined): string {
  if (file === undefined) return ''
  try {
    const { mtimeMs, size } = statSync(file)
    return `${mtimeMs}:${size}`
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown'
  }
}
