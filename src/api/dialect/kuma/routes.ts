/** Every operation of the door. The tests hold this list against its OpenAPI document. */
import { NAME_MAX } from '../../../domain/kuma/limits.ts'
import type { ApiContext, ApiDependencies, Route } from '../../http/context.ts'
import { applyRoutes } from './apply.ts'
import { controlPlaneRoutes } from './control-plane.ts'
import { absent } from './findings.ts'
import { insightRoutes } from './insights.ts'
import { inspectionRoutes } from './inspection.ts'
import { meshRoutes } from './meshes.ts'
import { overviewRoutes } from './overviews.ts'
import { resourceRoutes } from './resources.ts'

/** What has a fixed name is before what has any name. */
export function kumaRoutes(deps: ApiDependencies): Route[] {
  return [
    ...controlPlaneRoutes(deps),
    ...meshRoutes(deps),
    ...overviewRoutes(deps),
    ...insightRoutes(deps),
    ...inspectionRoutes(deps),
    ...resourceRoutes(deps),
    ...applyRoutes(deps),
  ].map(withPossibleNames)
}

/** What has an impossible name in the path is not there. The name of an object that is put is checked with its body. */
function withPossibleNames(route: Route): Route {
  return {
    ...route,
    handler: (ctx) => {
      const checked = ctx.method === 'PUT' ? namesAbove(ctx) : Object.values(ctx.params)
      if (!checked.every(isPossible)) throw absent(ctx.method === 'DELETE' ? 'delete' : 'retrieve')
      return route.handler(ctx)
    },
  }
}

/** The mesh of an object that is put; none where the mesh itself is put. */
function namesAbove({ params }: ApiContext): readonly (string | undefined)[] {
  return params['name'] === undefined ? [] : [params['mesh']]
}

function isPossible(name: string | undefined): boolean {
  return name === undefined || (name.length <= NAME_MAX && !name.includes('\0'))
}
