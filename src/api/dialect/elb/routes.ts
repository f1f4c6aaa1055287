/** Every operation of dialect elb. The tests hold this list against openapi.yaml. */
import type { ApiDependencies, Route } from '../../context.ts'
import { healthMonitorRoutes } from '../../health-monitors.ts'
import { elbHealthMonitors } from './health-monitor.ts'

export function elbRoutes(deps: ApiDependencies): Route[] {
  return [...healthMonitorRoutes(deps, elbHealthMonitors)]
}
