/** The identity of a request, from a Keystone token, a token of the development identity, or without a token. */

/** What a token is for. Octavia's policies read roles of `project` and `system` tokens only; so do ours. */
export type TokenScope = 'project' | 'system' | 'domain' | 'unscoped'

export interface Identity {
  /** The scope of every read and write. Empty when the token names no project (`scope` is not `project`). */
  readonly projectId: string
  /** No project was given (no-identity mode): a path with a project decides. */
  readonly assumed: boolean
  readonly scope: TokenScope
  /** Names of roles, as Keystone gives them. */
  readonly roles: readonly string[]
  /** No token: everything is allowed, but in this project only. */
  readonly confined: boolean
  /** Absent: not known. */
  readonly userId?: string
  /** When the token of Keystone ends: wall clock, milliseconds since 1970. Absent: there is none. */
  readonly tokenEndsAtMs?: number
}

export type Headers = Readonly<Record<string, string | string[] | undefined>>

/**
 * `client`: the address of the client, by which look-ups in Keystone are divided. Throws DomainError UNAUTHENTICATED,
 * INVALID_FIELD or IDENTITY_UNAVAILABLE.
 */
export type Identify = (headers: Headers, client?: string) => Identity | Promise<Identity>

/** Printable ASCII, as a header can carry it; longer than any Fernet or JWS token. */
const TOKEN = /^[\x21-\x7e]{1,8192}$/

/** The token of a request: undefined when there is none, or the header cannot be one. */
export function tokenOf(headers: Headers, name = 'x-auth-token'): string | undefined {
  const value = headers[name]
  return typeof value === 'string' && TOKEN.test(value) ? value : undefined
}
