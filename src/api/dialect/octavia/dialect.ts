/** Dialect octavia as a whole. */
import type { Dialect } from '../dialect.ts'
import { octaviaAccess } from './access.ts'
import { octaviaErrors } from './errors.ts'
import { octaviaLists } from './lists.ts'
import { octaviaPolicy } from './policy.ts'
import { octaviaGuard, octaviaOtherMethod } from './requests.ts'
import { octaviaRoutes } from './routes.ts'

export const octavia: Dialect<'octavia'> = {
  name: 'octavia',
  prefix: '/load-balancer',
  services: [{ type: 'load-balancer', name: 'octavia', path: () => '/load-balancer' }],
  errors: octaviaErrors,
  lists: octaviaLists,
  writes: { needsActiveParents: true, writesUnchanged: true, takesShownReadOnly: false },
  policy: octaviaPolicy,
  access: octaviaAccess,
  routes: octaviaRoutes,
  guard: octaviaGuard,
  otherMethod: octaviaOtherMethod,
}
