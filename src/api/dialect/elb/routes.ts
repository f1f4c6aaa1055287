/** Every operation of dialect elb. The tests hold this list against openapi.yaml. */
import { allMembersRoutes } from '../../resource/all-members.ts'
import type { ApiDependencies, Route } from '../../http/context.ts'
import { effectiveMemberRoutes } from '../../resource/effective-members.ts'
import { healthMonitorRoutes } from '../../resource/health-monitors.ts'
import { listenerRoutes, shownListenerRoutes } from '../../resource/listeners.ts'
import { loadBalancerRoutes } from '../../resource/load-balancers.ts'
import { maintenanceRoutes } from '../../resource/maintenance.ts'
import { memberBatchRoutes } from '../../resource/member-batch.ts'
import { memberHealthRoutes } from '../../resource/member-health.ts'
import { memberRoutes } from '../../resource/members.ts'
import { monitorPlanRoutes } from '../../resource/monitor-plan.ts'
import { poolHealthRoutes } from '../../resource/pool-health.ts'
import { poolRoutes } from '../../resource/pools.ts'
import { probeNowRoutes } from '../../resource/probe-now.ts'
import { quotaRoutes } from '../../resource/quotas.ts'
import { statusTreeRoutes } from '../../resource/status-tree.ts'
import { tagRoutes } from '../../resource/tags.ts'
import { trafficRoutes } from '../../resource/traffic.ts'
import { transitionRoutes } from '../../resource/transitions.ts'
import { versionRoutes } from '../../service/versions.ts'
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
    ...probeNowRoutes(deps, { paths: elbPaths }),
    ...poolHealthRoutes(deps, elbHealth),
    ...effectiveMemberRoutes(deps, { paths: elbPaths }),
    ...transitionRoutes(deps, { paths: elbPaths }),
    ...maintenanceRoutes(deps, { paths: elbPaths }),
    ...quotaRoutes(deps, elbQuotas),
    ...tagRoutes(deps, elbTags),
  ]
}
