/**
 * The development identity on Koa: `/identity…`, with Keystone's error messages. Without it these paths do not exist.
 */
import type { Middleware } from 'koa'
import { tokenOf } from '../../identity/identity.ts'
import { BODY, receiveBody, textOf } from '../http/body.ts'
import type { ApiContext, ApiDependencies, ApiState } from '../http/context.ts'
import { DIALECTS } from '../dialects.ts'
import { keystoneErrors } from './keystone-errors.ts'
import { errorBoundary } from '../http/errors.ts'
import { noIdentityGuard } from '../http/guards.ts'
import { baseUrl } from '../http/base-url.ts'

const ROOT = '/identity'
const NOTHING = Buffer.alloc(0)

export function developmentIdentityRoutes(deps: ApiDependencies): Middleware<ApiState> {
  const { developmentIdentity, settings } = deps
  if (developmentIdentity === undefined) return (_, next) => next()
  const guard = noIdentityGuard(settings)
  const boundary = errorBoundary(keystoneErrors, deps)
  return async (ctx, next) => {
    if (ctx.path !== ROOT && !ctx.path.startsWith(`${ROOT}/`)) return await next()
    await boundary(ctx, async () => {
      guard(ctx)
      const answer = developmentIdentity.handle({
        method: ctx.method,
        path: ctx.path,
        query: new URLSearchParams(ctx.querystring),
        authToken: tokenOf(ctx.headers),
        subjectToken: tokenOf(ctx.headers, 'x-subject-token'),
        body: ctx.method === 'POST' ? textOf((await receiveBody(ctx, BODY)) ?? NOTHING) : '',
        baseUrl: baseUrl(ctx as ApiContext, deps),
        services: DIALECTS.flatMap((dialect) => dialect.services),
      })
      ctx.status = answer.status
      ctx.set({ Vary: 'X-Auth-Token', ...answer.headers })
      if (answer.body !== undefined) ctx.body = answer.body
    })
  }
}
