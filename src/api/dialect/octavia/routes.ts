/** Every operation of dialect octavia. The tests hold this list against openapi.yaml. */
import type { ApiDependencies, Route } from '../../context.ts'
import { healthMonitorRoutes } from '../../health-monitors.ts'
import { versionRoutes } from '../../versions.ts'
import { octaviaHealthMonitors } from './health-monitor.ts'
import { withKnownArguments } from './requests.ts'
import { octaviaVersions } from './versions.ts'

export function octaviaRoutes(deps: ApiDependencies): Route[] {
  return [
    ...versionRoutes(deps, octaviaVersions),
    ...healthMonitorRoutes(deps, octaviaHealthMonitors(deps.settings)),
  ].map(withKnownArguments)
}
