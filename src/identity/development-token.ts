/**
 * Tokens of the development identity: `hmdev1.<claims>.<HMAC-SHA256>`, base64url. Self-contained: nothing is stored, and
 * every process with the same key knows them.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Named, NamedInDomain } from './development-names.ts'

export type DevelopmentScope =
  | { readonly kind: 'project'; readonly project: NamedInDomain }
  | { readonly kind: 'domain'; readonly domain: Named }
  | { readonly kind: 'system' }
  | { readonly kind: 'unscoped' }

export interface Claims {
  readonly methods: readonly string[]
  readonly user: NamedInDomain
  readonly scope: DevelopmentScope
  readonly auditId: string
  /** Wall clock, seconds since 1970. */
  readonly issuedAt: number
  readonly expiresAt: number
}

const PREFIX = 'hmdev1'
const KEY_FILE = 'identity.key'
const KEY_BYTES = 32

export function signToken(claims: Claims, key: Buffer): string {
  const payload = `${PREFIX}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  return `${payload}.${signature(payload, key).toString('base64url')}`
}

/** The claims of a token that this key signed, expired or not; undefined for every other text. */
export function readToken(token: string, key: Buffer): Claims | undefined {
  const [prefix, payload, signed, ...rest] = token.split('.')
  if (prefix !== PREFIX || payload === undefined || signed === undefined || rest.length > 0) return undefined
  const given = Buffer.from(signed, 'base64url')
  const right = signature(`${prefix}.${payload}`, key)
  if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims
}

function signature(payload: string, key: Buffer): Buffer {
  return createHmac('sha256', key).update(payload).digest()
}

/** A new audit id, as Keystone spells them. */
export function newAuditId(): string {
  return randomBytes(16).toString('base64url')
}

/**
 * The key in HM_DATA_DIR, made (mode 0600) when there is none. Processes that start together agree on one: the file
 * appears whole or not at all. Throws errors of the file system.
 */
export function developmentKey(dataDir: string): Buffer {
  const path = join(dataDir, KEY_FILE)
  return readKey(path) ?? makeKey(dataDir, path)
}

function readKey(path: string): Buffer | undefined {
  try {
    const key = readFileSync(path)
    if (key.length !== KEY_BYTES) throw new Error(`${path} is not a key of ${KEY_BYTES} bytes: remove it`)
    return key
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function makeKey(dataDir: string, path: string): Buffer {
  mkdirSync(dataDir, { recursive: true })
  const draft = `${path}.${process.pid}`
  try {
    writeFileSync(draft, randomBytes(KEY_BYTES), { mode: 0o600 })
    chmodSync(draft, 0o600)
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
  const key = readKey(path)
  if (key === undefined) throw new Error(`${path} was removed while the service started`)
  return key
}
