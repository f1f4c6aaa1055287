/** Statements on dependencies: `depends_on` of members and pools, which is stored in their `echo`. */
import type { ParentState } from '../../domain/status/dependencies.ts'
import { DEPENDENCY_DEPTH_MAX } from '../../domain/limits.ts'
import { type Database, type Tx, query, transaction } from '../connection/database.ts'

/** One writer of dependencies per project at a time: two writes without a cycle could create one together. */
export async function lockDependencies(tx: Tx, projectId: string): Promise<void> {
  await query(tx, `select pg_advisory_xact_lock(hashtextextended('depends_on ' || $1::text, 0))`, [projectId])
}

/** Those of the ids that are a member or a pool of the project. */
export async function knownParents(
  tx: Tx,
  projectId: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await query<{ id: string }>(
    tx,
    `select id from member where id = any($1::uuid[]) and project_id = $2
     union all select id from pool where id = any($1::uuid[]) and project_id = $2`,
    [ids, projectId],
  )
  return new Set(rows.map((row) => row.id))
}

/**
 * The dependencies of these members and pools: a member depends on what it and its pool name; a pool, as a parent, on
 * what it and its members name. Also returns the pools of the members among them.
 */
export async function parentsOf(
  tx: Tx,
  ids: readonly string[],
): Promise<{ readonly parents: readonly string[]; readonly pools: readonly string[] }> {
  const rows = await query<{ id: string; is_pool: boolean }>(
    tx,
    `with named as (
       select m.echo->'depends_on' as ids from member m where m.id = any($1::uuid[]) or m.pool_id = any($1::uuid[])
       union all
       select p.echo->'depends_on' from pool p
       where p.id = any($1::uuid[]) or p.id in (select m.pool_id from member m where m.id = any($1::uuid[]))
     )
     select distinct each.id::text as id, false as is_pool
     from named cross join lateral jsonb_array_elements_text(named.ids) each (id) where named.ids is not null
     union all
     select distinct m.pool_id::text, true from member m where m.id = any($1::uuid[])`,
    [ids],
  )
  return {
    parents: rows.filter((row) => !row.is_pool).map((row) => row.id),
    pools: rows.filter((row) => row.is_pool).map((row) => row.id),
  }
}

/** Whether pool `p` has a verdict that counts, on a member that is switched on. `limit` stops at the first. */
const hasVerdict = (which: string): string => `lateral (
    select true as found
    from member_state s join member m on m.id = s.member_id
    where s.pool_id = p.id and ${which} and m.admin_state_up
      and s.generation >= greatest(lb.generation, p.generation, m.generation, hm.generation)
    limit 1
  )`

/**
 * Every requested object, and everything that it depends on, is one node, however many objects depend on it. The status
 * of a node is read once, and a bad status is passed on from parent to child. A pool depends on what it names, a member
 * on what it and its pool name.
 */
const READ_PARENT_STATES = `
with recursive up (child, id, depth) as (
  select null::uuid, asked.id, 0 from unnest($1::uuid[]) asked (id)
  union
  select up.id, parent.id::uuid, up.depth + 1
  from up
  cross join lateral (
    select coalesce(m.echo->'depends_on', '[]') || coalesce(p.echo->'depends_on', '[]') as ids
    from member m join pool p on p.id = m.pool_id
    where m.id = up.id and m.project_id = $2
    union all
    select p.echo->'depends_on' from pool p where p.id = up.id and p.project_id = $2
  ) named
  cross join lateral jsonb_array_elements_text(coalesce(named.ids, '[]')) parent (id)
  where up.depth < $3
), edge as materialized (
  select distinct child, id as parent from up where child is not null
), node as materialized (
  select distinct id from up
), doubtful as materialized (
  select node.id from node join member_state s on s.member_id = node.id where s.status = 'OFFLINE' or s.bad_run > 0
), bad as materialized (
  select ms.member_id as id, ms.state = 'OFFLINE' as is_offline
  from doubtful join member_status ms on ms.member_id = doubtful.id
  where ms.project_id = $2 and ms.state in ('ONLINE', 'OFFLINE') and not ms.pending
  union all
  select p.id, online.found is null
  from node
  join pool p on p.id = node.id
  join load_balancer lb on lb.id = p.load_balancer_id
  join health_monitor hm on hm.pool_id = p.id
  left join ${hasVerdict(`s.status = 'ONLINE' and s.bad_run = 0`)} well on true
  left join ${hasVerdict(`s.status = 'ONLINE'`)} online on true
  left join ${hasVerdict(`s.status = 'OFFLINE'`)} offline on true
  where p.project_id = $2 and p.admin_state_up and lb.admin_state_up and hm.admin_state_up
    and lb.provider <> 'noop_driver'
    and well.found is null and (online.found or offline.found)
), fallen (id, is_offline) as (
  select id, is_offline from bad
  union
  select edge.child, fallen.is_offline from fallen join edge on edge.parent = fallen.id
)
select fallen.id::text as id, bool_or(fallen.is_offline) as is_offline
from fallen
where fallen.id in (select asked.id from unnest($1::uuid[]) asked (id))
group by fallen.id`

/**
 * Those of these members and pools of a project that are failing or OFFLINE, also because of their own dependencies. A
 * pool is OFFLINE when some of its members are and none is ONLINE. What does not exist, is of another project, is not
 * probed or is not decided as it is configured now (a member whose target has just changed) is not in the answer.
 * PostgreSQL cancels it after `withinMs`.
 */
export async function readParentStates(
  db: Database,
  {
    projectId,
    ids,
    withinMs,
  }: { readonly projectId: string; readonly ids: readonly string[]; readonly withinMs: number },
): Promise<ReadonlyMap<string, ParentState>> {
  const rows = await transaction(db, async (tx) => {
    const [, found] = await Promise.all([
      query(tx, `select set_config('statement_timeout', $1, true)`, [String(withinMs)]),
      query<{ id: string; is_offline: boolean }>(tx, READ_PARENT_STATES, [
        ids,
        projectId,
        DEPENDENCY_DEPTH_MAX,
      ]),
    ])
    return found
  })
  return new Map(rows.map((row) => [row.id, row.is_offline ? 'OFFLINE' : 'failing']))
}
