/**
 * Octavia's checks of requests before the route is looked for, and its answers to a method that the path does not have.
 */
import { DomainError } from '../../../domain/errors.ts'
import type { ApiContext, Route } from '../../http/context.ts'
import { queryOf } from '../../http/query.ts'

/**
 * Throws METHOD_NOT_ALLOWED for HEAD, which Octavia does not support, and NOT_ACCEPTABLE for clients that do not accept
 * JSON.
 */
export function octaviaGuard(ctx: ApiContext): void {
  if (ctx.method === 'HEAD') {
    ctx.set('Allow', 'DELETE, GET, POST, PUT')
    throw new DomainError('METHOD_NOT_ALLOWED', 'The method HEAD is not allowed.', { method: 'HEAD' })
  }
  if (ctx.method !== 'OPTIONS' && ctx.accepts('application/json') === false) {
    throw new DomainError('NOT_ACCEPTABLE', 'Only content type application/json is accepted.')
  }
}

/**
 * OPTIONS lists the methods; PUT and DELETE of a collection lack the id, and POST to an item is not a create
 * (docs/peers/octavia.md 2). Everything else is METHOD_NOT_ALLOWED.
 */
export function octaviaOtherMethod(ctx: ApiContext, allowed: ReadonlySet<string>): boolean {
  if (ctx.method === 'OPTIONS') {
    ctx.status = 200
    ctx.body = ''
    ctx.remove('Content-Type')
    return true
  }
  const isCollection = allowed.has('POST')
  if (isCollection && (ctx.method === 'PUT' || ctx.method === 'DELETE')) {
    throw new DomainError('MISSING_FIELD', 'Missing argument: "id"')
  }
  if (!isCollection && ctx.method === 'POST' && allowed.has('PUT')) {
    throw new DomainError('INVALID_FIELD', 'The body of a POST belongs to the collection, not to one object.')
  }
  return false
}

/** Reads that, unlike others, take no query parameter (docs/peers/octavia.md 3). */
const BARE_READS = /\/(status|statuses|stats)$|^\/quotas\/./

/** Query parameters that writes take; reads ignore what they do not know, lists have rules of their own. */
const WRITE_ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  '/loadbalancers/:id': ['cascade'],
  '/pools/:pool_id/members': ['additive_only'],
}

/** The route, refusing query parameters that an update, a delete or a bare read does not take. */
export function withKnownArguments(route: Route): Route {
  const path = (route.paths[0] ?? '').replace(/^\/v2\.0\/lbaas/, '')
  if (route.method === 'get' && !BARE_READS.test(path)) return route
  const known = new Set(route.method === 'post' ? [] : WRITE_ARGUMENTS[path])
  return {
    ...route,
    handler: async (ctx) => {
      const unknown = [...queryOf(ctx).keys()].find((name) => !known.has(name))
      if (unknown !== undefined) {
        throw new DomainError('INVALID_QUERY', `Unknown argument: "${unknown.slice(0, 64)}"`)
      }
      await route.handler(ctx)
    },
  }
}
