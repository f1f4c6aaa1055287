/** What checks say of inbounds: each has the members that decide about it in `kuma_inbound_check`. */
import type { PoolChanges } from '../../domain/door/pool-changes.ts'
import type { InboundVerdict } from '../../domain/kuma/status.ts'
import { type Db, type Tx, query } from '../connection/database.ts'

/**
 * What checks say together (docs/peers/kuma.md 50): one that is OFFLINE is enough, and one that is ONLINE when none is.
 * `member_verdict` is `member_status` without what is stale: with its joins there are so many that PostgreSQL works out all
 * members before it looks which are wanted.
 */
const TOGETHER = `bool_or(s.state = 'OFFLINE') as is_offline, bool_or(s.state = 'ONLINE') as is_online
    from kuma_inbound_check c join member_verdict s on s.member_id = c.member_id`

/** Whether inbound `i` is ready: by its checks; where none has a verdict, as its author says. */
const IS_READY = 'case when checked.is_offline then false when checked.is_online then true else i.ready end'

/** The inbounds that `selected` gives, each with `is_ready`: looked up one by one, as for a page. */
export function withReadiness(selected: string): string {
  return `select i.*, ${IS_READY} as is_ready from (${selected}) i
    left join lateral (
      select ${TOGETHER}
      where c.project_id = i.project_id and c.mesh = i.mesh and c.dataplane = i.dataplane and c.port = i.port
    ) checked on true`
}

/** The same for all inbounds of the meshes `$2` of project `$1`, together. */
export function withReadinessOfMeshes(selected: string): string {
  return `select i.*, ${IS_READY} as is_ready from (${selected}) i
    left join (
      select c.mesh, c.dataplane, c.port, ${TOGETHER}
      where c.project_id = $1 and c.mesh = any($2) group by c.mesh, c.dataplane, c.port
    ) checked on checked.mesh = i.mesh and checked.dataplane = i.dataplane and checked.port = i.port`
}

/** A proxy of a mesh. */
export interface ProxyName {
  readonly mesh: string
  readonly name: string
}

export interface VerdictRow {
  readonly mesh: string
  readonly dataplane: string
  readonly port: number
  readonly verdict: InboundVerdict
}

/** Of the inbounds of these proxies that something checks: a row for each check. */
export async function readVerdicts(
  db: Db,
  projectId: string,
  proxies: readonly ProxyName[],
): Promise<readonly VerdictRow[]> {
  if (proxies.length === 0) return []
  return await query<VerdictRow>(
    db,
    `select c.mesh, c.dataplane, c.port,
       case when s.state in ('ONLINE', 'OFFLINE') then s.state else 'undecided' end as verdict
     from unnest($2::text[], $3::text[]) as wanted (mesh, dataplane)
     join kuma_inbound_check c
       on c.project_id = $1 and c.mesh = wanted.mesh and c.dataplane = wanted.dataplane
     join member_verdict s on s.member_id = c.member_id`,
    [projectId, proxies.map(({ mesh }) => mesh), proxies.map(({ name }) => name)],
  )
}

/** Which members decide about which inbounds, after pools of a mesh were changed. Those of deleted members are gone with them. */
export async function keepInboundChecks(
  tx: Tx,
  { id, projectId, key }: { readonly id: string; readonly projectId: string; readonly key: string },
  { added, changed }: PoolChanges,
): Promise<void> {
  const keys = [...added.map((pool) => pool.key), ...changed.map(({ wanted }) => wanted.key)]
  if (keys.length === 0) return
  const renamed = changed.flatMap(({ changedMembers }) => changedMembers.map((member) => member.id))
  await Promise.all([
    ...(renamed.length === 0
      ? []
      : [query(tx, 'delete from kuma_inbound_check where member_id = any($1::uuid[])', [renamed])]),
    query(
      tx,
      `insert into kuma_inbound_check (member_id, project_id, mesh, dataplane, port)
       select m.id, $2, $3, split_part(i, ':', 1), split_part(i, ':', 2)::integer
       from pool p join member m on m.pool_id = p.id
       cross join lateral jsonb_array_elements_text(m.echo->'inbounds') i
       where p.load_balancer_id = $1 and p.door_key = any($4) and p.echo->'decides' = 'true'
         and not exists (select from kuma_inbound_check c where c.member_id = m.id)
       on conflict do nothing`,
      [id, projectId, key, keys],
    ),
  ])
}
