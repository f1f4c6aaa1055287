/**
 * TLS of probes. By default as HAProxy's `check-ssl verify none` does, with any certificate, any protocol version and cipher that
 * OpenSSL still speaks, because whether a member's TLS is good is not what a health check is asked. A target with
 * `TlsManners` can ask for more: a server name, ALPN, a certificate that is verified, a client certificate.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { isIP, type Socket } from 'node:net'
import { basename } from 'node:path'
import {
  type ConnectionOptions,
  connect,
  createSecureContext,
  type SecureContextOptions,
  type TLSSocket,
} from 'node:tls'
import { TLS_CIPHER_LISTS_MAX, TLS_FILES_CACHE_MS } from '../../domain/limits.ts'
import { TLS_VERSIONS } from '../../domain/pool-question.ts'
import type { ProbeTarget, TlsManners } from '../../domain/results.ts'
import { connectOptions } from '../wire/connection.ts'
import { SharedValues } from '../shared-values.ts'

export type SecureContext = ReturnType<typeof createSecureContext>

/** What a context allows that is asked for nothing. */
const NEWEST = 'TLSv1.3'
const ANY_TLS = { minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const

/** Those of TLS 1.3 that OpenSSL offers by itself; they stand in the same list here, and apart in HAProxy's configuration. */
const SUITES_DEFAULT = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256'

/** Of targets that name no file. Built once, on first use: it reads OpenSSL's configuration, which costs more than a probe. */
let anyTls: SecureContext | undefined

/** Of targets that name versions or ciphers and no file. */
const narrowed = new SharedValues<TlsManners, SecureContext>(narrowingOf, (manners) =>
  createSecureContext(allowedBy(manners)),
)

/** A context of files, of everybody who names the same: kept as long as one of them is probed, whatever else others name. */
interface FileContext {
  context: SecureContext | string | undefined
  /** Times and sizes of the files it was made of; of a failure undefined: what was lacking may be back with the same files. */
  stamp: string | undefined
  checkedAt: number
}
const ofFiles = new SharedValues<TlsManners, FileContext>(
  (manners) => [...filesOf(manners), narrowingOf(manners)].join('\0'),
  () => ({ context: undefined, stamp: undefined, checkedAt: 0 }),
)

/**
 * The context for these manners; a text says why there is none (a file that cannot be read or is none of its kind). Files
 * are looked at again every `TLS_FILES_CACHE_MS`, so that a renewed certificate is taken up without a restart.
 */
export function secureContextOf(
  manners: TlsManners | undefined,
  readFile: (file: string) => Buffer = readFileSync,
  now = performance.now(),
): SecureContext | string {
  if (manners === undefined) return contextOfNoFile(undefined)
  const files = filesOf(manners)
  const isNarrowed = manners.versions !== undefined || manners.ciphers !== undefined
  if (files.every((file) => file === undefined)) return contextOfNoFile(isNarrowed ? manners : undefined)
  const known = ofFiles.of(manners)
  if (known.context !== undefined && now - known.checkedAt < TLS_FILES_CACHE_MS) return known.context
  const stamp = files.map(stampOf).join()
  known.checkedAt = now
  if (known.context !== undefined && known.stamp === stamp) return known.context
  known.context = contextOf(files, manners, readFile)
  known.stamp = typeof known.context === 'string' ? undefined : stamp
  return known.context
}

function filesOf({ caFile, certificateFile, keyFile }: TlsManners): readonly (string | undefined)[] {
  return [caFile, certificateFile, keyFile]
}

function contextOfNoFile(manners: TlsManners | undefined): SecureContext | string {
  try {
    return manners === undefined ? (anyTls ??= createSecureContext(ANY_TLS)) : narrowed.of(manners)
  } catch (error) {
    return `TLS: ${(error as NodeJS.ErrnoException).code ?? 'not usable'}`
  }
}

function narrowingOf({ versions, ciphers }: Partial<TlsManners> = {}): string {
  return `${versions?.join() ?? ''} ${ciphers ?? ''}`
}

/**
 * The versions and ciphers of a context: from the oldest to the newest version that is named, since OpenSSL offers none
 * above a gap. A list in which OpenSSL knows no cipher at all narrows nothing.
 */
function allowedBy({ versions, ciphers }: Partial<TlsManners> = {}): SecureContextOptions {
  const named = TLS_VERSIONS.filter((version) => versions?.includes(version) === true)
  const minVersion = named.at(0) ?? ANY_TLS.minVersion
  const allowed = { ...ANY_TLS, minVersion, maxVersion: named.at(-1) ?? NEWEST }
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
  return isUsable(wanted.ciphers) ? wanted : allowed
}

/** Lists that OpenSSL was asked about, and whether it knows a cipher of them: the last TLS_CIPHER_LISTS_MAX. */
const usable = new Map<string, boolean>()

function isUsable(ciphers: string): boolean {
  const known = usable.get(ciphers)
  if (known !== undefined) return known
  let isKnown = true
  try {
    createSecureContext({ ...ANY_TLS, ciphers })
  } catch {
    isKnown = false
  }
  usable.set(ciphers, isKnown)
  const [oldest] = usable.keys()
  if (usable.size > TLS_CIPHER_LISTS_MAX && oldest !== undefined) usable.delete(oldest)
  return isKnown
}

/** Of a file that cannot be looked at (absent, a folder on the way that is none or not ours): the errno. */
function stampOf(file: string | undefined): string {
  if (file === undefined) return ''
  try {
    const { mtimeMs, size } = statSync(file)
    return `${mtimeMs}:${size}`
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown'
  }
}

function contextOf(
  [ca, cert, key]: readonly (string | undefined)[],
  manners: TlsManners | undefined,
  readFile: (file: string) => Buffer,
): SecureContext | string {
  let last = ''
  const read = (file: string): Buffer => {
    last = basename(file)
    return readFile(file)
  }
  try {
    // OpenSSL takes a file without certificates for a CA that vouches for nobody, and every target would fail.
    if (ca !== undefined) new X509Certificate(read(ca))
    return createSecureContext({
      ...allowedBy(manners),
      ...(ca === undefined ? {} : { ca: read(ca) }),
      ...(cert === undefined ? {} : { cert: read(cert) }),
      ...(key === undefined ? {} : { key: read(key) }),
    })
  } catch (error) {
    return `TLS file ${last}: ${(error as NodeJS.ErrnoException).code ?? 'not usable'}`
  }
}

/** Starts to connect and to shake hands, or to shake hands on `plain`: 'connect' (without `plain`), 'secureConnect', 'error'. */
export function openTlsConnection(
  target: ProbeTarget,
  secureContext: SecureContext,
  plain?: Socket,
): TLSSocket {
  const options: ConnectionOptions = {
    ...(plain === undefined ? connectOptions(target) : { socket: plain, host: target.address }),
    secureContext,
    // What is wrong with a certificate is told by `certificateProblem`, and only to who asks.
    rejectUnauthorized: false,
  }
  const servername = serverName(target)
  if (servername !== undefined) options.servername = servername
  const alpn =
    target.tls?.alpn ?? (target.grpc !== undefined || target.http?.version === '2' ? ['h2'] : undefined)
  if (alpn !== undefined) options.ALPNProtocols = [...alpn]
  return connect(options)
}

/** Why the target's certificate does not do; undefined = it does, or nobody asked. */
export function certificateProblem(socket: TLSSocket, target: ProbeTarget): string | undefined {
  if (target.tls?.verify !== true || socket.authorized) return undefined
  const problem: unknown = socket.authorizationError
  if (typeof problem === 'string') return problem
  return (problem as NodeJS.ErrnoException | undefined)?.code ?? 'not verified'
}

/** Server Name Indication: as the monitor says, else the Host without its port; never an address (RFC 6066 section 3). */
function serverName(target: ProbeTarget): string | undefined {
  const host = target.tls?.serverName ?? (target.http?.host ?? target.grpc?.authority)?.replace(/:\d+$/, '')
  if (host === undefined || host === '' || host.startsWith('[') || isIP(host) !== 0) return undefined
  return host
}

/** Whether OpenSSL speaks of the peer: an alert, another protocol, no common version or cipher. */
export function isTlsError(error: Pick<NodeJS.ErrnoException, 'code'>): boolean {
  return (
    error.code === 'EPROTO' ||
    error.code?.startsWith('ERR_SSL_') === true ||
    error.code?.startsWith('ERR_TLS_') === true
  )
}
