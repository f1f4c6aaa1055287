import type { Middleware } from 'koa'
import type { ApiState } from './context.ts'

/** A target that no route has; what cannot be read as one is answered as an unknown path. */
const NO_PATH = '*'

/**
 * Brings the target of a request into the form that routes know: an absolute URI, which a client of a proxy sends, loses
 * scheme and authority (RFC 9112 section 3.2.2), doubled slashes (`//v2.0`, from real clients) and a last one go.
 */
export const requestTarget: Middleware<ApiState> = async (ctx, next) => {
  if (!ctx.url.startsWith('/')) ctx.url = pathOf(ctx.url)
  const path = ctx.path.replace(/\/{2,}/g, '/')
  ctx.path = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
  await next()
}

function pathOf(target: string): string {
  if (!URL.canParse(target)) return NO_PATH
  const { pathname, search } = new URL(target)
  return pathname.startsWith('/') ? `${pathname}${search}` : NO_PATH
}
