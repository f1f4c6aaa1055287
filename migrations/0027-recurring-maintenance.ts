/**
 * Maintenances that recur (ADR 29): {"start", "end", "note", "recurrence", "occurrences": [{"start", "end"}, …]}.
 *
 * - Indexes of those that have a next occurrence, by the end of the present one: it is text of one length in UTC, so its
 *   order is that of time.
 * - `note_maintenance` notes for uptime every stored occurrence that has begun: one that nobody moved on in time had the
 *   next ones all the same.
 * - `observe_clock` tells the end and the beginning also where one occurrence followed another between two looks.
 */
import type { Knex } from 'knex'

const TABLES = ['member', 'pool', 'health_monitor'] as const

const RECURS = `maintenance->'occurrences'->1 is not null`
const END = `(maintenance->>'end') collate "C"`

export async function up(db: Knex): Promise<void> {
  for (const table of TABLES) {
    await db.raw(`
      create index ${table}_recurring_idx on ${table} (${END}) where ${RECURS};
      create index ${table}_recurring_project_idx on ${table} (project_id, ${END}) where ${RECURS};
    `)
  }
  await db.raw(noteOccurrences(CAST))
  await db.raw(observeClock({ isSame: IS_SAME_OCCURRENCE, readTime: CAST }))
}

export async function down(db: Knex): Promise<void> {
  for (const table of TABLES)
    await db.raw(`drop index ${table}_recurring_idx, ${table}_recurring_project_idx`)
  await db.raw(noteMaintenance('jsonb_array_elements(jsonb_build_array(old.maintenance))', CAST))
  await db.raw(observeClock({ isSame: '', readTime: CAST }))
}

/** How the text of a time is read: SQL of the text → SQL of the time. */
export type ReadTime = (text: string) => string
export const CAST: ReadTime = (text) => `(${text})::timestamptz`

/** `rows` gives the intervals of `old.maintenance`. */
const noteMaintenance = (rows: string, readTime: ReadTime): string => `
  create or replace function note_maintenance() returns trigger language plpgsql as $$
  begin
    perform forget_old_asides(new.id);
    insert into set_aside (object_id, kind, begin_at, end_at)
    select new.id, 'maintenance', ${readTime(`o->>'start'`)},
      least(now(), coalesce(${readTime(`o->>'end'`)}, now()))
    from ${rows} o where ${readTime(`o->>'start'`)} < now();
    return null;
  end $$;`

export const noteOccurrences = (readTime: ReadTime): string =>
  noteMaintenance(
    `jsonb_array_elements(coalesce(nullif(old.maintenance->'occurrences', '[]'), jsonb_build_array(old.maintenance)))`,
    readTime,
  )

export const IS_SAME_OCCURRENCE = `and (l.maintenance->'recurrence' is null or l.maintenance->'start' = t.maintenance->'start')`

/** Every maintenance that lasts now, of whatever object: as migration 0022 has it. */
const maintenanceNow = (readTime: ReadTime): string =>
  [
    `select m.id as object_id, 'member' as object, m.project_id, m.pool_id, m.id as member_id, m.maintenance from member m`,
    `select p.id, 'pool', p.project_id, p.id, null, p.maintenance from pool p`,
    `select hm.id, 'healthmonitor', hm.project_id, hm.pool_id, null, hm.maintenance from health_monitor hm`,
  ]
    .map(
      (select) => `${select} where maintenance is not null and ${readTime(`maintenance->>'start'`)} <= now()
      and coalesce(${readTime(`maintenance->>'end'`)} > now(), true)`,
    )
    .join('\n      union all ')

/** As migration 0022 has it; `isSame` says when a maintenance that lasts is the one that was told. */
export const observeClock = ({
  isSame,
  readTime,
}: {
  readonly isSame: string
  readonly readTime: ReadTime
}): string => `
    create or replace function observe_clock() returns void language plpgsql as $$
    begin
      with lost as (
        update prober set lost_at = now() where lost_at is null and lease_until < now() - interval '100 milliseconds'
        returning prober.*
      )
      insert into event_outbox (type, data)
      select 'prober.lost', prober_data(l) || jsonb_build_object('last_heartbeat_at', l.beat_at) from lost l;

      with lasting as (
        ${maintenanceNow(readTime)}
      ), ended as (
        delete from maintenance_told t
        where not exists (select from lasting l where l.object_id = t.object_id ${isSame})
        returning t.*
      ), begun as (
        insert into maintenance_told (object_id, object, project_id, pool_id, member_id, maintenance)
        select object_id, object, project_id, pool_id, member_id, maintenance from lasting
        on conflict do nothing returning *
      )
      insert into event_outbox (type, project_id, pool_id, member_id, data)
      select type, project_id, pool_id, member_id, jsonb_strip_nulls(jsonb_build_object(
        'object', object, 'object_id', object_id, 'start', maintenance->'start', 'end', maintenance->'end',
        'note', maintenance->'note'))
      from (select 'maintenance.ended' as type, e.* from ended e union all select 'maintenance.begun', b.* from begun b) t;
    end $$;`
