/** Every operation of dialect elb. The tests hold this list against openapi.yaml. */
import { allMembersRoutes } from '../../all-members.ts'
import type { ApiDependencies, Route } from '../../context.ts'
import { healthMonitorRoutes } from '../../health-monitors.ts'
import { listenerRoutes, shownListenerRoutes } from '../../listeners.ts'
import { loadBalancerRoutes } from '../../load-balancers.ts'
import { maintenanceRoutes } from '../../maintenance.ts'
import { memberBatchRoutes } from '../../member-batch.ts'
import { memberHealthRoutes } from '../../member-health.ts'
import { memberRoutes } from '../../members.ts'
import { monitorPlanRoutes } from '../../monitor-plan.ts'
import { poolHealthRoutes } from '../../pool-health.ts'
import { poolRoutes } from '../../pools.ts'
import { quotaRoutes } from '../../quotas.ts'
import { statusTreeRoutes } from '../../status-tree.ts'
import { tagRoutes } from '../../tags.ts'
import { trafficRoutes } from '../../traffic.ts'
import { transitionRoutes } from '../../transitions.ts'
import { versionRoutes } from '../../versions.ts'
import { elbHealthMonitors } from './health-monitor.ts'
import { elbHealth } from './health.ts'
import { elbListeners, elbV3Listeners } from './listener.ts'
import { elbLoadBalancers } from './load-balancer.ts'
import { elbMemberBatches } from './member-batch.ts'
import { elbAllMembers, elbMembers } from './member.ts'
import { elbPaths } from './paths.ts'
import { elbPools } from './pool.ts'
import { elbQuotas } from './quota.ts'
import { elbStatusTree } from './status-tree.ts'
import { elbTags } from './tags.ts'
import { elbVersions } from './versions.ts'

export function elbRoutes(deps: ApiDependencies): Route[] {
  return [
    ...versionRoutes(deps, elbVersions),
    ...loadBalancerRoutes(deps, elbLoadBalancers),
    ...listenerRoutes(deps, elbListeners),
    ...shownListenerRoutes(deps, elbV3Listeners),
    ...poolRoutes(deps, elbPools),
    ...healthMonitorRoutes(deps, elbHealthMonitors(deps.settings)),
    ...monitorPlanRoutes(deps, { paths: elbPaths }),
    ...trafficRoutes(deps, { paths: elbPaths }),
    ...memberRoutes(deps, elbMembers),
    ...memberBatchRoutes(deps, elbMemberBatches),
    ...allMembersRoutes(deps, elbAllMembers),
    ...statusTreeRoutes(deps, elbStatusTree),
    ...memberHealthRoutes(deps, elbHealth),
    ...poolHealthRoutes(deps, elbHealth),
    ...transitionRoutes(deps, { paths: elbPaths }),
    ...maintenanceRoutes(deps, { paths: elbPaths }),
    ...quotaRoutes(deps, elbQuotas),
    ...tagRoutes(deps, elbTags),
  ]
}
