/**
 * `GET /v1.0/cluster/{cluster_key}/health`: what is known of each instance. Beside the object and not in it: clients send whole
 * objects back, and a status must change no checksum. An extension: the control API shows no health (docs/peers/greymatter.md 12).
 */
import { parseAddress } from '../../../domain/address/ip-address.ts'
import type { Cluster, Instance } from '../../../domain/greymatter/cluster.ts'
import {
  type DoorMemberHealth,
  findDoorPoolHealth,
  readDoorMembers,
} from '../../../store/door/pool-health.ts'
import { ofOneMoment } from '../../../store/connection/database.ts'
import { findObject } from '../../../store/greymatter/objects.ts'
import type { ApiContext, ApiDependencies, Route } from '../../http/context.ts'
import { unknownObject } from './refusal.ts'
import { DOOR, keyOf } from './requests.ts'
import { HEALTH_WORDS, HOST_IS_A_NAME, whyOf } from './words.ts'

export function healthRoutes(deps: ApiDependencies): Route[] {
  return [{ method: 'get', paths: ['/v1.0/cluster/:cluster_key/health'], handler: (ctx) => show(ctx, deps) }]
}

async function show(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const clusterKey = keyOf(ctx, 'cluster_key', 'cluster')
  const { projectId } = ctx.state.identity
  const { cluster, pool, members } = await ofOneMoment(deps.db, async (tx) => {
    const stored = await findObject(tx, 'cluster', { projectId, key: clusterKey })
    if (stored === undefined) throw unknownObject('cluster', clusterKey)
    const scope = { projectId, door: DOOR, key: stored.zoneKey }
    const found = await findDoorPoolHealth(tx, scope, clusterKey)
    return {
      cluster: JSON.parse(stored.object) as Cluster,
      pool: found,
      members: found === undefined ? [] : await readDoorMembers(tx, found.poolId),
    }
  })
  const byTarget = new Map(members.map((member) => [targetOf(member.address, member.port), member]))
  const instances = cluster.instances.map((instance) => rendered(instance, byTarget))
  const count = (word: string) => instances.filter(({ status }) => status === word).length
  ctx.body = {
    result: {
      cluster_key: clusterKey,
      zone_key: cluster.zone_key,
      name: cluster.name,
      pool_id: pool?.poolId ?? null,
      healthmonitor_id: pool?.monitorId ?? null,
      operating_status: pool?.status ?? 'OFFLINE',
      since: pool?.since.toISOString() ?? null,
      healthy: count('HEALTHY'),
      unhealthy: count('UNHEALTHY'),
      unknown: count('UNKNOWN'),
      instances,
    },
  }
}

function rendered({ host, port }: Instance, byTarget: ReadonlyMap<string, DoorMemberHealth>) {
  const member = byTarget.get(targetOf(parseAddress(host)?.canonical ?? '', port))
  const reason = member?.reason ?? HOST_IS_A_NAME
  return {
    host,
    port,
    status: member === undefined ? 'UNKNOWN' : HEALTH_WORDS[member.state],
    pending: member?.pending ?? false,
    stale: member?.stale ?? false,
    since: member?.since?.toISOString() ?? null,
    reason,
    why: whyOf(reason),
    member_id: member?.memberId ?? null,
  }
}

function targetOf(address: string, port: number): string {
  return `${address} ${port}`
}
