/** A cluster becomes a pool: its health check is held to what can be probed, and refusals name the attributes of the API. */
import type { Cluster } from '../../../domain/greymatter/cluster.ts'
import { ATTRIBUTES, certificateProblems, poolOfCluster } from '../../../domain/greymatter/pool-of-cluster.ts'
import type { Problem } from '../../../domain/greymatter/problem.ts'
import { assertOptionsFit } from '../../../domain/options/option-fit.ts'
import type { DoorMonitor, DoorPool } from '../../../domain/door/door-pool.ts'
import type { ApiDependencies } from '../../http/context.ts'
import { optionsFault } from '../../schema/monitor-options.ts'
import { isRefusal } from './requests.ts'
import { invalidObject } from './refusal.ts'

const CHECK = 'cluster.health_checks[0]'

/** Throws InvalidObjectCode where a health check says what no probe can do. */
export function poolFor({ settings }: Pick<ApiDependencies, 'settings'>, cluster: Cluster): DoorPool {
  const certificates = certificateProblems(cluster)
  if (certificates.length > 0) throw invalidObject('cluster', certificates)
  const pool = poolOfCluster(cluster)
  const problem = pool.monitor === null ? undefined : problemOf(pool.monitor, settings)
  if (problem !== undefined) throw invalidObject('cluster', [problem])
  return pool
}

function problemOf(monitor: DoorMonitor, settings: ApiDependencies['settings']): Problem | undefined {
  const fault = optionsFault(monitor.options)
  if (fault !== undefined)
    return { attribute: attributeOf(fault.at), msg: 'why' in fault ? fault.why : 'is not known' }
  try {
    assertOptionsFit(monitor, { sourceAddresses: settings.sourceAddresses ?? [] })
    return undefined
  } catch (error) {
    if (!isRefusal(error, 'INVALID_FIELD')) throw error
    return { attribute: attributeOf(String(error.facts['field'])), msg: String(error.facts['reason']) }
  }
}

/** `options.http.headers[0].name` → `….request_headers_to_add[0].key`; an option that no attribute sets is the whole check. */
function attributeOf(option: string): string {
  const path = option.replace(/^options\.?/, '')
  const found = Object.entries(ATTRIBUTES).find(
    ([name]) => path === name || path.startsWith(`${name}[`) || path.startsWith(`${name}.`),
  )
  if (found === undefined) return CHECK
  const [name, attribute] = found
  const rest = path.slice(name.length).replace(/\.name$/, '.key')
  return `${CHECK}.${attribute}${rest}`
}
