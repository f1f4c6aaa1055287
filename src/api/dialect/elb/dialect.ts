/** Dialect elb as a whole. */
import { ownProjectOnly } from '../../access.ts'
import type { Dialect } from '../dialect.ts'
import { elbErrors } from './errors.ts'
import { elbLists } from './lists.ts'
import { elbRoutes } from './routes.ts'

export const elb: Dialect = {
  name: 'elb',
  prefix: '/elb',
  errors: elbErrors,
  lists: elbLists,
  writes: { needsActiveParents: false, writesUnchanged: false, takesShownReadOnly: true },
  access: ownProjectOnly,
  routes: elbRoutes,
}
