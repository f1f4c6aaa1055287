/**
 * Lists of what routes traffic: this service routes none, and clients that export a zone ask for all of it (docs/peers/greymatter.md 6).
 */
import type { ApiDependencies, Route } from '../../http/context.ts'

const COLLECTIONS = ['domain', 'proxy', 'shared_rules', 'route', 'listener'] as const

export function routingRoutes(_deps: ApiDependencies): Route[] {
  return COLLECTIONS.map((collection) => ({
    method: 'get',
    paths: [`/v1.0/${collection}`],
    handler: async (ctx) => {
      ctx.body = { result: [] }
      return await Promise.resolve()
    },
  }))
}
