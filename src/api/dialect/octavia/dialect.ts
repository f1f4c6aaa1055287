/** Dialect octavia as a whole. */
import { anyProject } from '../../access.ts'
import type { Dialect } from '../dialect.ts'
import { octaviaErrors } from './errors.ts'
import { octaviaLists } from './lists.ts'
import { octaviaGuard, octaviaOtherMethod } from './requests.ts'
import { octaviaRoutes } from './routes.ts'

export const octavia: Dialect = {
  name: 'octavia',
  prefix: '/load-balancer',
  errors: octaviaErrors,
  lists: octaviaLists,
  writes: { needsActiveParents: true, writesUnchanged: true, takesShownReadOnly: false },
  access: anyProject,
  routes: octaviaRoutes,
  guard: octaviaGuard,
  otherMethod: octaviaOtherMethod,
}
