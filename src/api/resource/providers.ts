/**
 * `…/providers`: the drivers that could carry the traffic, and the capabilities of each for flavors and zones: none.
 */
import type { ApiContext, Handler, Route } from '../http/context.ts'
import { pick } from '../http/pages.ts'
import { fieldsOf, queryOf } from '../http/query.ts'

export interface ProviderDialect {
  readonly paths: (path: string) => readonly string[]
  readonly providers: readonly { readonly name: string; readonly description: string }[]
  /** Throws INVALID_FIELD for an unknown name. */
  readonly assertEnabled: (name: string) => void
}

export function providerRoutes(dialect: ProviderDialect): Route[] {
  const capabilities = (list: string): Route => ({
    method: 'get',
    paths: dialect.paths(`/providers/:name/${list}`),
    handler: listCapabilities(dialect, list),
  })
  return [
    { method: 'get', paths: dialect.paths('/providers'), handler: listProviders(dialect) },
    capabilities('flavor_capabilities'),
    capabilities('availability_zone_capabilities'),
  ]
}

function listProviders(dialect: ProviderDialect): Handler {
  return (ctx: ApiContext) => {
    const fields = fieldsOf(queryOf(ctx))
    ctx.body = { providers: dialect.providers.map((provider) => pick({ ...provider }, fields)) }
    return Promise.resolve()
  }
}

function listCapabilities(dialect: ProviderDialect, list: string): Handler {
  return (ctx: ApiContext) => {
    dialect.assertEnabled((ctx.params['name'] ?? '').slice(0, 255))
    ctx.body = { [list]: [] }
    return Promise.resolve()
  }
}
