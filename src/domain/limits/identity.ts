/** Tokens, Keystone and the development identity. */
import type { Range } from './range.ts'

/** Milliseconds that a validated token is trusted without asking Keystone again (HM_TOKEN_CACHE_MS). */
export const TOKEN_CACHE_MS: Range = { min: 0, max: 3_600_000 }
export const TOKEN_CACHE_MS_DEFAULT = 60_000
/** Milliseconds for which Keystone's "not valid" is cached; a token that never was valid does not become valid. */
export const INVALID_TOKEN_CACHE_MS = 5000
/** Tokens that one process remembers, valid and invalid ones apart; the oldest are forgotten. */
export const TOKEN_CACHE_MAX = 10_000
/** Milliseconds for one answer of Keystone, connecting and waiting for a connection included. */
export const KEYSTONE_TIMEOUT_MS = 5000
/** Connections to Keystone, which are divided by client, and bytes of an answer. */
export const KEYSTONE_CONNECTIONS = 8
export const KEYSTONE_BODY_MAX_BYTES = 1024 * 1024
/** Of one client, those that wait for one of the connections. */
export const KEYSTONE_WAITING_MAX = 500
/** Milliseconds after a refused login of the service account before the next: wrong passwords lock accounts. */
export const KEYSTONE_LOGIN_RETRY_MS = 1000
/** Share of the service token's life after which a new one is fetched, while the old one is still good. */
export const KEYSTONE_RENEW_AFTER_SHARE = 0.8
/** Seconds that a token of the development identity is good for (Keystone's default). */
export const DEVELOPMENT_TOKEN_SECONDS = 3600
/** Revoked tokens of the development identity that are remembered until they expire. */
export const DEVELOPMENT_REVOKED_MAX = 10_000
