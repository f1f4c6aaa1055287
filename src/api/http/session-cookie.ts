/**
 * The session of the page: the token in a cookie that scripts cannot read and that other sites cannot send. It counts
 * as X-Auth-Token where a request has none. A request that writes must prove that the page itself sent it (by Fetch
 * Metadata, else Origin), because browsers add cookies to every request.
 */
import type { Context } from 'koa'
import { DomainError } from '../../domain/errors.ts'
import { COOKIE_MAX_BYTES } from '../../domain/limits.ts'
import { baseUrl } from './base-url.ts'
import type { ApiContext, ApiDependencies } from './context.ts'

/** `__Host-`: only this host can set it, over TLS and for all of its paths (RFC 6265bis section 4.1.3). */
const NAME = { secure: '__Host-hm-session', plain: 'hm-session' } as const
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** The token of the session; undefined = there is none. */
export function sessionToken(ctx: ApiContext, deps: ApiDependencies): string | undefined {
  const name = isSecure(ctx, deps) ? NAME.secure : NAME.plain
  for (const pair of ctx.get('cookie').split(';')) {
    const at = pair.indexOf('=')
    if (at < 0 || pair.slice(0, at).trim() !== name) continue
    const value = pair.slice(at + 1).trim()
    return value === '' ? undefined : decoded(value)
  }
  return undefined
}

/** Makes the session of a request its identity. Throws FORBIDDEN for writes that do not come from the page. */
export function acceptSession(ctx: ApiContext, deps: ApiDependencies): void {
  if (deps.signIn === undefined || ctx.get('x-auth-token') !== '' || ctx.get('cookie') === '') return
  const token = sessionToken(ctx, deps)
  if (token === undefined) return
  if (!READS.has(ctx.method)) assertFromThePage(ctx, deps)
  // The identity is read from this header, later too: a stream ends when its token ends.
  ctx.req.headers['x-auth-token'] = token
}

/** Throws FORBIDDEN where neither Sec-Fetch-Site nor Origin says that our own page sends the request. */
export function assertFromThePage(ctx: ApiContext, deps: ApiDependencies): void {
  const site = ctx.get('sec-fetch-site')
  const isOurs =
    site === '' ? ctx.get('origin') === new URL(baseUrl(ctx, deps)).origin : site === 'same-origin'
  if (isOurs) return
  throw new DomainError('FORBIDDEN', 'With the session of the page, only the page itself may do this.')
}

/** Throws IDENTITY_UNAVAILABLE for a token that no cookie can hold. */
export function setSession(
  ctx: ApiContext,
  deps: ApiDependencies,
  { token, lifeMs }: { readonly token: string; readonly lifeMs: number },
): void {
  const seconds = Math.max(0, Math.floor(lifeMs / 1000))
  const cookie = `${cookieOf(ctx, deps, encodeURIComponent(token))}; Max-Age=${seconds}`
  if (cookie.length > COOKIE_MAX_BYTES) {
    throw new DomainError(
      'IDENTITY_UNAVAILABLE',
      'The token of the identity service is too long for a cookie.',
    )
  }
  setCookie(ctx, cookie)
}

export function endSession(ctx: ApiContext, deps: ApiDependencies): void {
  setCookie(ctx, `${cookieOf(ctx, deps, '')}; Max-Age=0`)
}

function cookieOf(ctx: ApiContext, deps: ApiDependencies, value: string): string {
  const secure = isSecure(ctx, deps)
  const name = secure ? NAME.secure : NAME.plain
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`
}

function setCookie(ctx: Context, cookie: string): void {
  ctx.set('Set-Cookie', cookie)
  ctx.set('Cache-Control', 'no-store')
}

const isSecure = (ctx: ApiContext, deps: ApiDependencies): boolean => baseUrl(ctx, deps).startsWith('https:')

function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value)
  } catch {
    return undefined
  }
}
