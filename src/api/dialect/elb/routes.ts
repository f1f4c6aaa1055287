/** Every operation of dialect elb. The tests hold this list against openapi.yaml. */
import type { ApiDependencies, Route } from '../../context.ts'
import { healthMonitorRoutes } from '../../health-monitors.ts'
import { memberRoutes } from '../../members.ts'
import { elbHealthMonitors } from './health-monitor.ts'
import { elbMembers } from './member.ts'

export function elbRoutes(deps: ApiDependencies): Route[] {
  return [...healthMonitorRoutes(deps, elbHealthMonitors), ...memberRoutes(deps, elbMembers)]
}
