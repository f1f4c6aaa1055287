import { randomUUID } from 'node:crypto'
import type { Middleware } from 'koa'
import type { ApiState } from './context.ts'

/** Gives every request an id, as OpenStack spells it, in `x-openstack-request-id` and in error bodies. */
export const requestId: Middleware<ApiState> = async (ctx, next) => {
  ctx.state.requestId = `req-${randomUUID()}`
  ctx.set('x-openstack-request-id', ctx.state.requestId)
  await next()
}
