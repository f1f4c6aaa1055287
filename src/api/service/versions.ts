/** Version discovery: the first request of clients, and so without identity. */
import { baseUrl } from '../http/base-url.ts'
import type { ApiContext, ApiDependencies, Route } from '../http/context.ts'

/** The version documents of one dialect, given the address of its root (no trailing slash). */
export interface VersionsDialect {
  readonly documents: readonly {
    readonly paths: readonly string[]
    /** Only for those who say who they are. */
    readonly closed?: true
    readonly render: (root: string) => Record<string, unknown> | string
  }[]
}

export function versionRoutes(deps: ApiDependencies, dialect: VersionsDialect): Route[] {
  return dialect.documents.map(({ paths, closed, render }) => ({
    method: 'get',
    paths,
    ...(closed === true ? {} : { open: true }),
    handler: (ctx: ApiContext) => {
      const document = render(`${baseUrl(ctx, deps)}${ctx.state.mount}`)
      ctx.type = 'application/json'
      ctx.body = JSON.stringify(document)
      return Promise.resolve()
    },
  }))
}
