/** The parts of Keystone's token document (`{"token": …}`, API v3) that matter here. */
import type { Identity, TokenScope } from './identity.ts'

export interface KeystoneToken {
  readonly identity: Identity
  /** Wall clock, milliseconds since 1970. */
  readonly expiresAt: number
}

type Fields = Readonly<Record<string, unknown>>

/** Reads the body of `GET /v3/auth/tokens`; undefined when it is not a token document. */
export function readKeystoneToken(body: unknown): KeystoneToken | undefined {
  const token = fields(fields(body)?.['token'])
  const expiresAt = typeof token?.['expires_at'] === 'string' ? Date.parse(token['expires_at']) : Number.NaN
  const userId = text(fields(token?.['user'])?.['id'])
  if (token === undefined || userId === undefined || Number.isNaN(expiresAt)) return undefined
  const projectId = text(fields(token['project'])?.['id'])
  const roles = Array.isArray(token['roles']) ? token['roles'] : []
  return {
    identity: {
      projectId: projectId ?? '',
      assumed: false,
      scope: scopeOf(token, projectId),
      roles: roles.map((role) => text(fields(role)?.['name'])).filter((name) => name !== undefined),
      confined: false,
      userId,
    },
    expiresAt,
  }
}

function scopeOf(token: Fields, projectId: string | undefined): TokenScope {
  if (projectId !== undefined) return 'project'
  if (fields(token['system'])?.['all'] === true) return 'system'
  return fields(token['domain']) === undefined ? 'unscoped' : 'domain'
}

function fields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null ? (value as Fields) : undefined
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
