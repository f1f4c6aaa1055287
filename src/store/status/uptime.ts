/** Statements on what uptime is computed from: transitions, and the times that stand apart (migration 0024). */
import { UPTIME_CHANGES_MAX } from '../../domain/limits.ts'
import type { Aside, NewGeneration, StatusChange, UptimeFacts } from '../../domain/status/uptime.ts'
import { type Db, query } from '../connection/database.ts'

interface SetAsideRow {
  readonly kind: 'off' | 'maintenance' | 'no_monitor' | 'generation' | 'verdict'
  readonly begin_at: Date
  readonly end_at: Date | null
  readonly generation: number
}

interface ChangeRow {
  readonly at: Date
  readonly from_state: StatusChange['from']
  readonly to_state: StatusChange['to']
  readonly generation: number
}

/** Facts since some days ago; undefined = the member is unknown. */
export async function readUptimeFacts(
  db: Db,
  memberId: string,
  days: number,
): Promise<(UptimeFacts & { readonly projectId: string; readonly nowMs: number }) | undefined> {
  const [member] = await query<{ project_id: string; created_at: Date; now: Date; objects: string[] }>(
    db,
    `select m.project_id, m.created_at, now() as now,
       array_remove(array[m.id, p.id, lb.id, hm.id], null) as objects
     from member m
     join pool p on p.id = m.pool_id
     join load_balancer lb on lb.id = p.load_balancer_id
     left join health_monitor hm on hm.pool_id = p.id
     where m.id = $1`,
    [memberId],
  )
  if (member === undefined) return undefined
  const [changes, asides] = await Promise.all([
    readChanges(db, memberId, days),
    readAsides(db, member.objects),
  ])
  return {
    projectId: member.project_id,
    nowMs: member.now.getTime(),
    createdMs: member.created_at.getTime(),
    changes: changes.map((row) => ({
      atMs: row.at.getTime(),
      from: row.from_state,
      to: row.to_state,
      generation: row.generation,
    })),
    asides: asides.flatMap((row): Aside[] =>
      row.kind === 'generation' || row.kind === 'verdict'
        ? []
        : [
            {
              kind: row.kind === 'no_monitor' ? 'noMonitor' : row.kind,
              beginMs: row.begin_at.getTime(),
              endMs: row.end_at?.getTime() ?? Number.POSITIVE_INFINITY,
            },
          ],
    ),
    generations: ofKind(asides, 'generation'),
    firstVerdicts: ofKind(asides, 'verdict'),
  }
}

function ofKind(asides: readonly SetAsideRow[], kind: 'generation' | 'verdict'): readonly NewGeneration[] {
  return asides
    .filter((row) => row.kind === kind)
    .map((row) => ({ atMs: row.begin_at.getTime(), generation: row.generation }))
}

/** Of these days, and the last one before, ascending; the newest where there are too many. */
async function readChanges(db: Db, memberId: string, days: number): Promise<readonly ChangeRow[]> {
  const rows = await query<ChangeRow>(
    db,
    `select t.at, t.from_state, t.to_state, t.generation from member_transition t
     where t.member_id = $1
       and t.id >= coalesce((select max(b.id) from member_transition b
         where b.member_id = $1 and b.at < now() - $2 * interval '1 day'), 0)
     order by t.id desc limit $3`,
    [memberId, days, UPTIME_CHANGES_MAX],
  )
  return rows.toReversed()
}

/** What was noted, and the maintenance of now with its next occurrences, which is noted when it changes. */
async function readAsides(db: Db, objects: readonly string[]): Promise<readonly SetAsideRow[]> {
  return await query<SetAsideRow>(
    db,
    `select s.kind, s.begin_at, s.end_at, s.generation from set_aside s where s.object_id = any($1::uuid[])
     union all
     select 'maintenance', (each->>'start')::timestamptz, (each->>'end')::timestamptz, 0
     from (
       select maintenance from member where id = any($1::uuid[])
       union all select maintenance from pool where id = any($1::uuid[])
       union all select maintenance from health_monitor where id = any($1::uuid[])
     ) o cross join jsonb_array_elements(
       coalesce(nullif(o.maintenance->'occurrences', '[]'), jsonb_build_array(o.maintenance))) each
     where o.maintenance is not null`,
    [objects],
  )
}
