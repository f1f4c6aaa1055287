/** Statements on what depends on what: `depends_on` of members and pools, which lies in their `echo`. */
import { type Parent, parentKey, type ParentState } from '../domain/dependencies.ts'
import { DEPENDENCY_DEPTH_MAX } from '../domain/limits.ts'
import { type Db, type Tx, query } from './database.ts'

/** One writer of dependencies per project at a time: two that are each without a cycle could make one together. */
export async function lockDependencies(tx: Tx, projectId: string): Promise<void> {
  await query(tx, `select pg_advisory_xact_lock(hashtextextended('depends_on ' || ?::text, 0))`, [projectId])
}

/** Those of the ids that are a member or a pool of the project. */
export async function knownParents(
  tx: Tx,
  projectId: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await query<{ id: string }>(
    tx,
    `select id from member where id = any(?::uuid[]) and project_id = ?
     union all select id from pool where id = any(?::uuid[]) and project_id = ?`,
    [ids, projectId, ids, projectId],
  )
  return new Set(rows.map((row) => row.id))
}

/**
 * What these members and pools depend on: a member on what it and its pool name, and a pool, as something to depend on,
 * on what it names and what its members name. Also gives the pools of the members among them.
 */
export async function parentsOf(
  tx: Tx,
  ids: readonly string[],
): Promise<{ readonly parents: readonly string[]; readonly pools: readonly string[] }> {
  const rows = await query<{ id: string; is_pool: boolean }>(
    tx,
    `with named as (
       select m.echo->'depends_on' as ids from member m where m.id = any(?::uuid[]) or m.pool_id = any(?::uuid[])
       union all
       select p.echo->'depends_on' from pool p
       where p.id = any(?::uuid[]) or p.id in (select m.pool_id from member m where m.id = any(?::uuid[]))
     )
     select distinct each.id::text as id, false as is_pool
     from named cross join lateral jsonb_array_elements_text(named.ids) each (id) where named.ids is not null
     union all
     select distinct m.pool_id::text, true from member m where m.id = any(?::uuid[])`,
    [ids, ids, ids, ids, ids],
  )
  return {
    parents: rows.filter((row) => !row.is_pool).map((row) => row.id),
    pools: rows.filter((row) => row.is_pool).map((row) => row.id),
  }
}

/**
 * How these members and pools stand, with what they depend on themselves, where they do not stand well. A pool is OFFLINE when some of its members are and
 * none is ONLINE. What does not exist, is of another project than who depends on it, is not probed or is not decided is
 * not in the answer, which goes by `parentKey`.
 */
export async function readParentStates(
  db: Db,
  parents: readonly Parent[],
): Promise<ReadonlyMap<string, ParentState>> {
  const rows = await query<Parent & { is_offline: boolean }>(
    db,
    `with recursive up (asked, project_id, id, depth) as (
       select asked.id, asked.project_id, asked.id, 0 from unnest(?::uuid[], ?::text[]) asked (id, project_id)
       union
       select up.asked, up.project_id, parent.id::uuid, up.depth + 1
       from up
       cross join lateral (
         select m.echo->'depends_on' as ids from member m where m.id = up.id and m.project_id = up.project_id
         union all
         select p.echo->'depends_on' from pool p
         where (p.id = up.id or p.id = (select m.pool_id from member m where m.id = up.id))
           and p.project_id = up.project_id
       ) named
       cross join lateral jsonb_array_elements_text(coalesce(named.ids, '[]')) parent (id)
       where up.depth < ?
     ), standing as (
       select up.asked, up.project_id, up.id, bool_and(ms.state <> 'ONLINE') as is_offline
       from up
       cross join lateral (
         select ms.member_id, ms.state from member_status ms
         where ms.member_id = up.id and ms.project_id = up.project_id
         union all
         select ms.member_id, ms.state from member_status ms
         where ms.pool_id = up.id and ms.project_id = up.project_id
       ) ms
       left join member_state s on s.member_id = ms.member_id
       where ms.state in ('ONLINE', 'OFFLINE')
       group by up.asked, up.project_id, up.id
       having bool_and(ms.state <> 'ONLINE' or s.bad_run > 0)
     )
     select asked::text as id, project_id as "projectId", bool_or(is_offline) as is_offline
     from standing group by asked, project_id`,
    [parents.map(({ id }) => id), parents.map(({ projectId }) => projectId), DEPENDENCY_DEPTH_MAX],
  )
  return new Map(rows.map((row) => [parentKey(row), row.is_offline ? 'OFFLINE' : 'failing']))
}
