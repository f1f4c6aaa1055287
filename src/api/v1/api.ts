/** `/v1`: our own API, in neutral words, beside the dialects and under the same identity and policy. */
import { OWN_POLICY } from '../../identity/policy-table.ts'
import type { ServedApi } from '../dialect/dialect.ts'
import { anyProject } from '../http/access.ts'
import { publicRoutes } from '../public/routes.ts'
import { v1Errors } from './errors.ts'
import { eventRoutes } from './events.ts'
import { overviewMemberRoutes } from './overview-members.ts'
import { overviewRoutes } from './overview.ts'
import { proberRoutes } from './probers.ts'
import { publicPageRoutes } from './public-pages.ts'
import { webhookRoutes } from './webhooks.ts'
import { sessionRoutes } from './session.ts'
import { uptimeRoutes } from './uptime.ts'

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
    ...webhookRoutes(deps),
    ...sessionRoutes(deps),
    ...uptimeRoutes(deps),
    ...publicPageRoutes(deps),
    ...publicRoutes(deps),
  ],
}
