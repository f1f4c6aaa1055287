/** Every operation of dialect elb. The tests hold this list against openapi.yaml. */
import type { ApiDependencies, Route } from '../../context.ts'
import { allMembersRoutes } from '../../all-members.ts'
import { healthMonitorRoutes } from '../../health-monitors.ts'
import { listenerRoutes, shownListenerRoutes } from '../../listeners.ts'
import { loadBalancerRoutes } from '../../load-balancers.ts'
import { memberBatchRoutes } from '../../member-batch.ts'
import { memberHealthRoutes } from '../../member-health.ts'
import { memberRoutes } from '../../members.ts'
import { poolHealthRoutes } from '../../pool-health.ts'
import { poolRoutes } from '../../pools.ts'
import { statusTreeRoutes } from '../../status-tree.ts'
import { transitionRoutes } from '../../transitions.ts'
import { elbHealth } from './health.ts'
import { elbHealthMonitors } from './health-monitor.ts'
import { elbListeners, elbV3Listeners } from './listener.ts'
import { elbLoadBalancers } from './load-balancer.ts'
import { elbAllMembers, elbMembers } from './member.ts'
import { elbMemberBatches } from './member-batch.ts'
import { elbPaths } from './paths.ts'
import { elbPools } from './pool.ts'
import { elbStatusTree } from './status-tree.ts'

export function elbRoutes(deps: ApiDependencies): Route[] {
  return [
    ...loadBalancerRoutes(deps, elbLoadBalancers),
    ...listenerRoutes(deps, elbListeners),
    ...shownListenerRoutes(deps, elbV3Listeners),
    ...poolRoutes(deps, elbPools),
    ...healthMonitorRoutes(deps, elbHealthMonitors),
    ...memberRoutes(deps, elbMembers),
    ...memberBatchRoutes(deps, elbMemberBatches),
    ...allMembersRoutes(deps, elbAllMembers),
    ...statusTreeRoutes(deps, elbStatusTree),
    ...memberHealthRoutes(deps, elbHealth),
    ...poolHealthRoutes(deps, elbHealth),
    ...transitionRoutes(deps, { paths: elbPaths }),
  ]
}
