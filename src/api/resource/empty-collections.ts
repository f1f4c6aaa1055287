/**
 * Collections that are always empty, because the service routes no traffic: every list is empty, every object is
 * unknown, and a create is refused with the reason.
 */
import { DomainError, notFound } from '../../domain/errors.ts'
import type { ApiContext, Route } from '../http/context.ts'

/** One kind of object as a dialect speaks of it. */
export interface EmptyKind {
  /** Patterns of the collection. */
  readonly paths: readonly string[]
  /** Names of the array and of its links. */
  readonly list: string
  readonly links: string
  /** Name of one in refusals. */
  readonly resource: string
  /** The refusal of a create, a whole sentence. Absent: there is no create. */
  readonly refusal?: string
  /** Patterns below one object: unknown as it is itself. */
  readonly below?: readonly string[]
}

export function emptyCollectionRoutes(kinds: readonly EmptyKind[]): Route[] {
  return kinds.flatMap((kind) => {
    const { paths, list, links, resource, refusal, below = [] } = kind
    const unknown = (ctx: ApiContext): Promise<void> =>
      Promise.reject(notFound(resource, (ctx.params['id'] ?? '').slice(0, 255)))
    const routes: Route[] = [
      {
        method: 'get',
        paths,
        handler: (ctx: ApiContext) => {
          ctx.body = { [list]: [], [links]: [] }
          return Promise.resolve()
        },
      },
      ...['', ...below].map(
        (path): Route => ({
          method: 'get',
          paths: paths.map((base) => `${base}/:id${path}`),
          handler: unknown,
        }),
      ),
    ]
    if (refusal === undefined) return routes
    const refused: Route = {
      method: 'post',
      paths,
      handler: () => Promise.reject(new DomainError('UNSUPPORTED', refusal)),
    }
    return [...routes, refused]
  })
}
