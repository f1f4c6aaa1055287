/** `…/flavors` and `…/availabilityzones`: there are none, so every list is empty and every object is unknown. */
import { notFound } from '../domain/errors.ts'
import type { ApiContext, Route } from './context.ts'

export interface FlavorDialect {
  readonly paths: (path: string) => readonly string[]
}

interface Kind {
  /** Last part of the path. */
  readonly path: string
  /** Name of the array. */
  readonly list: string
  /** Name of one in messages. */
  readonly resource: string
}

const KINDS: readonly Kind[] = [
  { path: 'flavors', list: 'flavors', resource: 'flavor' },
  { path: 'availabilityzones', list: 'availability_zones', resource: 'availability_zone' },
]

export function flavorRoutes(dialect: FlavorDialect): Route[] {
  return KINDS.flatMap(({ path, list, resource }): Route[] => [
    {
      method: 'get',
      paths: dialect.paths(`/${path}`),
      handler: (ctx: ApiContext) => {
        ctx.body = { [list]: [], [`${list}_links`]: [] }
        return Promise.resolve()
      },
    },
    {
      method: 'get',
      paths: dialect.paths(`/${path}/:id`),
      handler: (ctx: ApiContext) =>
        Promise.reject(notFound(resource, (ctx.params['id'] ?? '').slice(0, 255))),
    },
  ])
}
