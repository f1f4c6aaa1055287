/**
 * HM_AUTH=keystone: only X-Auth-Token decides the identity of a request. X-Project-Id, X-Roles and similar headers,
 * which middleware sets behind a proxy, are never read, so a client that sends them gains nothing.
 *
 * Look-ups in Keystone are divided by client, because only Keystone knows the project of a new token
 * (docs/adr/0020-look-ups-by-client.md).
 *
 * A valid token is cached for `cacheMs` at most and never past its own end, so a revocation takes effect after
 * `cacheMs`.
 */
import { DomainError } from '../domain/errors.ts'
import { FairGate } from '../domain/share/fair-gate.ts'
import {
  INVALID_TOKEN_CACHE_MS,
  KEYSTONE_CONNECTIONS,
  KEYSTONE_TIMEOUT_MS,
  KEYSTONE_WAITING_MAX,
  TOKEN_CACHE_MAX,
} from '../domain/limits.ts'
import { clientKey } from './client-key.ts'
import { type Identify, type Identity, tokenOf } from './identity.ts'
import { type KeystoneClient, SYSTEM_CLOCKS } from './keystone-client.ts'
import { identityUnavailable, withoutVersion } from './keystone-http.ts'
import type { KeystoneToken } from './keystone-token.ts'
import type { Clocks } from './service-token.ts'
import { TokenCache, tokenKey } from './token-cache.ts'

export interface KeystoneIdentityOptions {
  readonly client: Pick<KeystoneClient, 'validate'>
  /** Sent in WWW-Authenticate to a client without a valid token. */
  readonly url: string
  readonly cacheMs: number
  readonly clocks?: Clocks
}

export interface KeystoneIdentify {
  (...request: Parameters<Identify>): Promise<Identity>
  /** The holder has ended this token: it is looked up again when somebody sends it. */
  readonly forget: (token: string) => void
}

/** Reads the identity of a request. Throws DomainError UNAUTHENTICATED or IDENTITY_UNAVAILABLE. */
export function keystoneIdentity(options: KeystoneIdentityOptions): KeystoneIdentify {
  const { client: keystone, url, cacheMs, clocks = SYSTEM_CLOCKS } = options
  const valid = new TokenCache<Identity>({ max: TOKEN_CACHE_MAX, now: clocks.now })
  // Separate, so that a flood of invalid tokens evicts no valid one.
  const invalid = new TokenCache<true>({ max: TOKEN_CACHE_MAX, now: clocks.now })
  const running = new Map<string, Promise<Identity | undefined>>()
  const gate = new FairGate({ places: KEYSTONE_CONNECTIONS, waitingMax: KEYSTONE_WAITING_MAX })

  /** Holds one of the connections to Keystone during the look-up. */
  const askKeystone = async (token: string, client: string): Promise<KeystoneToken | undefined> => {
    if (!(await gate.enter(client, startClock)))
      throw identityUnavailable('too many tokens are being validated')
    try {
      return await keystone.validate(token)
    } finally {
      gate.leave(client)
    }
  }
  const askAndCache = async (key: string, token: string, client: string): Promise<Identity | undefined> => {
    const found = await askKeystone(token, client)
    if (found === undefined) {
      invalid.set(key, true, Math.min(cacheMs, INVALID_TOKEN_CACHE_MS))
      return undefined
    }
    const identity = { ...found.identity, tokenEndsAtMs: found.expiresAt }
    valid.set(key, identity, Math.min(cacheMs, found.expiresAt - clocks.wallNow()))
    return identity
  }
  /**
   * One look-up per token and client at a time: a client that knows another's token cannot put that look-up into its
   * own queue.
   */
  const lookUp = (key: string, token: string, client: string): Promise<Identity | undefined> => {
    const question = `${client} ${key}`
    const earlier = running.get(question)
    if (earlier !== undefined) return earlier
    const lookedUp = askAndCache(key, token, client).finally(() => running.delete(question))
    running.set(question, lookedUp)
    return lookedUp
  }

  const identify = async (...[headers, address]: Parameters<Identify>): Promise<Identity> => {
    const token = tokenOf(headers)
    if (token === undefined) throw unauthenticated(url)
    const key = tokenKey(token)
    const known = valid.get(key)
    if (known !== undefined) return known
    const identity = invalid.get(key) === true ? undefined : await lookUp(key, token, clientKey(address))
    if (identity === undefined) throw unauthenticated(url)
    return identity
  }
  return Object.assign(identify, { forget: (token: string) => valid.delete(tokenKey(token)) })
}

function startClock(expire: () => void): () => void {
  const timer = setTimeout(expire, KEYSTONE_TIMEOUT_MS)
  return () => clearTimeout(timer)
}

/** Octavia gives the root of the service, as in its `www_authenticate_uri`. */
function unauthenticated(url: string): DomainError {
  return new DomainError('UNAUTHENTICATED', 'The request you have made requires authentication.', {
    identityUrl: withoutVersion(url),
  })
}
