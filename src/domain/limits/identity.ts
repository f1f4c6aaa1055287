/** Tokens, Keystone and the development identity. */
import type { Range } from './range.ts'

/** Milliseconds for which a validated token is accepted without another request to Keystone (HM_TOKEN_CACHE_MS). */
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
/** Look-ups of one client that may wait for a connection. */
export const KEYSTONE_WAITING_MAX = 500
/** Milliseconds after a refused login of the service account before the next: wrong passwords lock accounts. */
export const KEYSTONE_LOGIN_RETRY_MS = 1000
/** Share of the service token's life after which a new one is fetched, while the old one is still good. */
export const KEYSTONE_RENEW_AFTER_SHARE = 0.8
/** Seconds that a token of the development identity is good for (Keystone's default). */
export const DEVELOPMENT_TOKEN_SECONDS = 3600
/** Revoked tokens of the development identity that are remembered until they expire. */
export const DEVELOPMENT_REVOKED_MAX = 10_000
/** Attempts to sign in to the page that fail, of one client and of one user, within a window of so many milliseconds. */
export const SIGN_IN_ATTEMPTS_PER_CLIENT = 10
export const SIGN_IN_ATTEMPTS_PER_USER = 10
export const SIGN_IN_WINDOW_MS = 300_000
/** Clients and users whose attempts one process remembers; the oldest are forgotten. */
export const SIGN_IN_KEYS_MAX = 20_000
/** Characters of a password, and of the names that go with it (Keystone's own limits are 4096 and 255). */
export const PASSWORD_MAX = 4096
/** What the body of a sign-in may be: bytes, and keys and items in all. */
export const SESSION_BODY = { bytes: 16_384, values: 16 } as const
/** Bytes of a cookie, name and attributes included, that every browser keeps (RFC 6265 section 6.1). */
export const COOKIE_MAX_BYTES = 4096
