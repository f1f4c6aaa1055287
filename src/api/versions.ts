/** Version discovery: what clients ask before they know anything, and so without identity. */
import type { ApiContext, ApiDependencies, Route } from './context.ts'
import { baseUrl } from './pages.ts'

/** The version documents of one dialect, given the address of its root (no trailing slash). */
export interface VersionsDialect {
  readonly documents: readonly {
    readonly paths: readonly string[]
    readonly render: (root: string) => Record<string, unknown>
  }[]
}

export function versionRoutes(deps: ApiDependencies, dialect: VersionsDialect): Route[] {
  return dialect.documents.map(({ paths, render }) => ({
    method: 'get',
    paths,
    open: true,
    handler: (ctx: ApiContext) => {
      ctx.body = render(`${baseUrl(ctx, deps)}${ctx.state.mount}`)
      return Promise.resolve()
    },
  }))
}
