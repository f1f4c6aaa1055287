/** Dialect elb as a whole. */
import { ownProjectOnly } from '../../http/access.ts'
import type { Dialect } from '../dialect.ts'
import { elbErrors } from './errors.ts'
import { elbLists } from './lists.ts'
import { elbPolicy } from './policy.ts'
import { elbRoutes } from './routes.ts'

export const elb: Dialect<'elb'> = {
  name: 'elb',
  prefix: '/elb',
  // gophertelekomcloud appends `v2.0/` to the first address and `elb/` to the second.
  services: [
    { type: 'elb', name: 'elb', path: () => '/elb' },
    { type: 'elbv3', name: 'elbv3', path: (projectId) => `/elb/v3/${projectId}` },
  ],
  errors: elbErrors,
  lists: elbLists,
  writes: { needsActiveParents: false, writesUnchanged: false, takesShownReadOnly: true },
  policy: elbPolicy,
  access: ownProjectOnly,
  routes: elbRoutes,
}
