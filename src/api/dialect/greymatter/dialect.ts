/** The door of Grey Matter's control API as a whole (docs/peers/greymatter.md). */
import type { Headers } from '../../../identity/identity.ts'
import { ownProjectOnly } from '../../http/access.ts'
import type { Door } from '../door.ts'
import { applyRoutes } from './apply.ts'
import { clusterRoutes } from './clusters.ts'
import { greymatterErrors } from './errors.ts'
import { healthRoutes } from './health.ts'
import { instanceRoutes } from './instances.ts'
import { greymatterPolicy } from './policy.ts'
import { DOOR } from './requests.ts'
import { routingRoutes } from './routing.ts'
import { zoneRoutes } from './zones.ts'

export const greymatter: Door<typeof DOOR> = {
  name: DOOR,
  prefix: '/greymatter',
  errors: greymatterErrors,
  policy: greymatterPolicy,
  // Keys are unique in a project only.
  access: ownProjectOnly,
  headers: withToken,
  routes: (deps) => [
    ...applyRoutes(deps),
    ...clusterRoutes(deps),
    ...healthRoutes(deps),
    ...instanceRoutes(deps),
    ...zoneRoutes(deps),
    ...routingRoutes(deps),
  ],
}

/** `Authorization: KEY`, `Token KEY` and `Bearer KEY`: the key is a token of Keystone (docs/peers/greymatter.md 3). */
function withToken(headers: Headers): Headers {
  const { authorization } = headers
  if (headers['x-auth-token'] !== undefined || typeof authorization !== 'string') return headers
  return { ...headers, 'x-auth-token': authorization.replace(/^(?:Bearer|Token) +/i, '').trim() }
}
