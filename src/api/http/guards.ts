/** Checks of a request before anything else reads it. */
import type { Context } from 'koa'
import { DomainError } from '../../domain/errors.ts'
import { checkedProjectId } from '../../identity/no-identity.ts'
import { unsupportedMediaType } from './body.ts'
import type { ApiContext, ApiSettings } from './context.ts'

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i

/**
 * Without identity, any web page in a browser on this host could send requests. So only loopback Host headers (against
 * DNS rebinding) and JSON bodies (no plain forms) are accepted. With identity, any single Host is accepted. Throws
 * HOST_NOT_ALLOWED, UNSUPPORTED_MEDIA_TYPE.
 */
export function noIdentityGuard(settings: ApiSettings): (ctx: Context) => void {
  return (ctx) => {
    assertOneHost(ctx)
    if (!settings.loopbackHostsOnly) return
    if (!LOOPBACK_HOST.test(ctx.get('host'))) {
      throw new DomainError('HOST_NOT_ALLOWED', 'Without identity, only loopback Host headers are accepted.')
    }
    // Without a body `is` returns null; SDKs send a Content-Type with every GET.
    const isOther = ctx.get('content-type') !== '' && ctx.request.is('json', '+json') === false
    if (isOther && (ctx.request.length ?? 1) > 0) {
      throw unsupportedMediaType(ctx)
    }
  }
}

/** With two Host headers, a proxy may use one and this service the other (RFC 9112 section 3.2). Throws HOST_NOT_ALLOWED. */
export function assertOneHost({ req: { rawHeaders } }: Context): void {
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.length === 4 && rawHeaders[i]?.toLowerCase() === 'host') hosts++
  }
  if (hosts > 1) throw new DomainError('HOST_NOT_ALLOWED', 'The request has more than one Host header.')
}

/** A project in the path is the project of the request. Throws PROJECT_MISMATCH, INVALID_FIELD. */
export function assertPathProject(ctx: ApiContext): void {
  const named = ctx.params['project_id']
  const { identity } = ctx.state
  if (named === undefined || named === identity.projectId) return
  if (!identity.assumed) {
    throw new DomainError('PROJECT_MISMATCH', 'Tenant_id in token mismatches with tenant_id in url.')
  }
  ctx.state.identity = { ...identity, projectId: checkedProjectId(named), assumed: false }
}
