/** Kuma's door as a whole: its objects and its API. What is probed of them is in src/domain/kuma/. */
import { ownProjectOnly } from '../../http/access.ts'
import type { Door } from '../door.ts'
import { kumaErrors } from './errors.ts'
import { DOOR } from './mesh-write.ts'
import { kumaPolicy } from './policy.ts'
import { kumaRoutes } from './routes.ts'
import { withToken } from './token.ts'

export const kuma: Door<'kuma'> = {
  name: DOOR,
  prefix: '/kuma',
  errors: kumaErrors,
  policy: kumaPolicy,
  access: ownProjectOnly,
  routes: kumaRoutes,
  headers: withToken,
}
