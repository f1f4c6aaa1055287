/** `/v1`: our own API, in neutral words, beside the dialects and under the same identity and policy. */
import { OWN_POLICY } from '../../identity/policy-table.ts'
import type { ServedApi } from '../dialect/dialect.ts'
import { anyProject } from '../http/access.ts'
import type { ApiDependencies, Route } from '../http/context.ts'
import { publicRoutes } from '../public/routes.ts'
import { v1Errors } from './errors.ts'
import { eventRoutes } from './events.ts'
import { effectiveMemberRoutes } from '../resource/effective-members.ts'
import { maintenanceRoutes } from '../resource/maintenance.ts'
import { memberHistoryRoutes } from './member-history.ts'
import { monitorPlanRoutes } from '../resource/monitor-plan.ts'
import { probeNowRoutes } from '../resource/probe-now.ts'
import { overviewMemberRoutes } from './overview-members.ts'
import { overviewRoutes } from './overview.ts'
import { proberRoutes } from './probers.ts'
import { publicPageRoutes } from './public-pages.ts'
import { webhookRoutes } from './webhooks.ts'
import { sessionRoutes } from './session.ts'
import { uptimeRoutes } from './uptime.ts'

const NEUTRAL = { paths: (path: string) => [`/v1${path}`] }

/** What dialects have too: here of every pool, whichever API keeps it. */
function neutralRoutes(deps: ApiDependencies): Route[] {
  const routes = [
    ...monitorPlanRoutes(deps, NEUTRAL),
    ...maintenanceRoutes(deps, NEUTRAL),
    ...probeNowRoutes(deps, NEUTRAL),
    ...effectiveMemberRoutes(deps, NEUTRAL),
  ]
  return routes.map((route) => ({ ...route, reach: 'all' }))
}

export const V1: ServedApi = {
  prefix: '/v1',
  errors: v1Errors,
  policy: OWN_POLICY,
  access: anyProject,
  routes: (deps) => [
    ...proberRoutes(deps),
    ...eventRoutes(deps),
    ...overviewRoutes(deps),
    ...overviewMemberRoutes(deps),
    ...memberHistoryRoutes(deps),
    ...neutralRoutes(deps),
    ...webhookRoutes(deps),
    ...sessionRoutes(deps),
    ...uptimeRoutes(deps),
    ...publicPageRoutes(deps),
    ...publicRoutes(deps),
  ],
}
