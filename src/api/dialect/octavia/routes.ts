/** Every operation of dialect octavia. The tests hold this list against openapi.yaml. */
import type { ApiDependencies, Route } from '../../http/context.ts'
import { emptyCollectionRoutes } from '../../resource/empty-collections.ts'
import { failoverRoutes } from '../../resource/failover.ts'
import { effectiveMemberRoutes } from '../../resource/effective-members.ts'
import { healthMonitorRoutes } from '../../resource/health-monitors.ts'
import { listenerRoutes } from '../../resource/listeners.ts'
import { loadBalancerRoutes } from '../../resource/load-balancers.ts'
import { maintenanceRoutes } from '../../resource/maintenance.ts'
import { memberBatchRoutes } from '../../resource/member-batch.ts'
import { memberHealthRoutes } from '../../resource/member-health.ts'
import { memberRoutes } from '../../resource/members.ts'
import { monitorPlanRoutes } from '../../resource/monitor-plan.ts'
import { poolHealthRoutes } from '../../resource/pool-health.ts'
import { poolRoutes } from '../../resource/pools.ts'
import { probeNowRoutes } from '../../resource/probe-now.ts'
import { providerRoutes } from '../../resource/providers.ts'
import { writtenQuotaRoutes } from '../../resource/quotas.ts'
import { statsRoutes } from '../../resource/stats.ts'
import { statusTreeRoutes } from '../../resource/status-tree.ts'
import { trafficRoutes } from '../../resource/traffic.ts'
import { transitionRoutes } from '../../resource/transitions.ts'
import { versionRoutes } from '../../service/versions.ts'
import { octaviaEmptyKinds } from './empty-collections.ts'
import { octaviaHealthMonitors } from './health-monitor.ts'
import { octaviaHealth } from './health.ts'
import { octaviaListeners } from './listener.ts'
import { octaviaLoadBalancers } from './load-balancer.ts'
import { octaviaMemberBatches, octaviaMembers } from './member.ts'
import { octaviaPaths } from './paths.ts'
import { octaviaPools } from './pool.ts'
import { octaviaProviders } from './providers.ts'
import { octaviaQuotas } from './quota.ts'
import { withKnownArguments } from './requests.ts'
import { octaviaStatusTree } from './status-tree.ts'
import { octaviaVersions } from './versions.ts'

export function octaviaRoutes(deps: ApiDependencies): Route[] {
  return [
    ...versionRoutes(deps, octaviaVersions),
    ...loadBalancerRoutes(deps, octaviaLoadBalancers(deps.settings)),
    ...statusTreeRoutes(deps, octaviaStatusTree),
    ...statsRoutes(deps, { paths: octaviaPaths }),
    ...failoverRoutes(deps, { paths: octaviaPaths }),
    ...listenerRoutes(deps, octaviaListeners),
    ...writtenQuotaRoutes(deps, octaviaQuotas),
    ...providerRoutes(octaviaProviders),
    ...emptyCollectionRoutes(octaviaEmptyKinds),
    ...poolRoutes(deps, octaviaPools),
    ...memberRoutes(deps, octaviaMembers),
    ...memberBatchRoutes(deps, octaviaMemberBatches),
    ...memberHealthRoutes(deps, octaviaHealth),
    ...probeNowRoutes(deps, { paths: octaviaPaths }),
    ...poolHealthRoutes(deps, octaviaHealth),
    ...effectiveMemberRoutes(deps, { paths: octaviaPaths }),
    ...transitionRoutes(deps, { paths: octaviaPaths }),
    ...healthMonitorRoutes(deps, octaviaHealthMonitors(deps.settings)),
    ...monitorPlanRoutes(deps, { paths: octaviaPaths }),
    ...trafficRoutes(deps, { paths: octaviaPaths }),
    ...maintenanceRoutes(deps, { paths: octaviaPaths }),
  ].map(withKnownArguments)
}
