/** Every operation of dialect elb. The tests hold this list against openapi.yaml. */
import type { ApiDependencies, Route } from '../../context.ts'
import { healthMonitorRoutes } from '../../health-monitors.ts'
import { listenerRoutes, shownListenerRoutes } from '../../listeners.ts'
import { loadBalancerRoutes } from '../../load-balancers.ts'
import { memberRoutes } from '../../members.ts'
import { poolRoutes } from '../../pools.ts'
import { elbHealthMonitors } from './health-monitor.ts'
import { elbListeners, elbV3Listeners } from './listener.ts'
import { elbLoadBalancers } from './load-balancer.ts'
import { elbMembers } from './member.ts'
import { elbPools } from './pool.ts'

export function elbRoutes(deps: ApiDependencies): Route[] {
  return [
    ...loadBalancerRoutes(deps, elbLoadBalancers),
    ...listenerRoutes(deps, elbListeners),
    ...shownListenerRoutes(deps, elbV3Listeners),
    ...poolRoutes(deps, elbPools),
    ...healthMonitorRoutes(deps, elbHealthMonitors),
    ...memberRoutes(deps, elbMembers),
  ]
}
