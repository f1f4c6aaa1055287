/** Every operation of dialect octavia. The tests hold this list against openapi.yaml. */
import type { ApiDependencies, Route } from '../../context.ts'
import { emptyCollectionRoutes } from '../../empty-collections.ts'
import { failoverRoutes } from '../../failover.ts'
import { healthMonitorRoutes } from '../../health-monitors.ts'
import { listenerRoutes } from '../../listeners.ts'
import { loadBalancerRoutes } from '../../load-balancers.ts'
import { maintenanceRoutes } from '../../maintenance.ts'
import { memberBatchRoutes } from '../../member-batch.ts'
import { memberHealthRoutes } from '../../member-health.ts'
import { memberRoutes } from '../../members.ts'
import { monitorPlanRoutes } from '../../monitor-plan.ts'
import { poolHealthRoutes } from '../../pool-health.ts'
import { poolRoutes } from '../../pools.ts'
import { providerRoutes } from '../../providers.ts'
import { writtenQuotaRoutes } from '../../quotas.ts'
import { statsRoutes } from '../../stats.ts'
import { statusTreeRoutes } from '../../status-tree.ts'
import { trafficRoutes } from '../../traffic.ts'
import { transitionRoutes } from '../../transitions.ts'
import { versionRoutes } from '../../versions.ts'
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
    ...poolHealthRoutes(deps, octaviaHealth),
    ...transitionRoutes(deps, { paths: octaviaPaths }),
    ...healthMonitorRoutes(deps, octaviaHealthMonitors(deps.settings)),
    ...monitorPlanRoutes(deps, { paths: octaviaPaths }),
    ...trafficRoutes(deps, { paths: octaviaPaths }),
    ...maintenanceRoutes(deps, { paths: octaviaPaths }),
  ].map(withKnownArguments)
}
