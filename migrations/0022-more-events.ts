/**
 * Events that no verdict causes (ADR 25).
 *
 * - `config.changed`: what a request of the API changed, and who sent it. The API names itself in the setting
 *   `healthmonitor.request` of its transaction; without it nothing is written. A statement that changes more than 100
 *   objects gives one event for each pool, with their number.
 * - `prober.joined`, `prober.left`, `breaker.held`, `breaker.released`: the prober reports it itself, with its
 *   heartbeat.
 * - `prober.lost`, `maintenance.begun`, `maintenance.ended`: nothing is written at that moment. API processes and
 *   notifiers call `observe_clock` once a second, which writes each of these events once.
 */
import type { Knex } from 'knex'

/** table → the columns of its row that say which objects an event is about. */
const TABLES: Readonly<
  Record<string, { readonly lb: string; readonly pool: string; readonly member: string }>
> = {
  load_balancer: { lb: `j->>'id'`, pool: 'null', member: 'null' },
  listener: { lb: `j->>'load_balancer_id'`, pool: `j->>'default_pool_id'`, member: 'null' },
  pool: { lb: `j->>'load_balancer_id'`, pool: `j->>'id'`, member: 'null' },
  health_monitor: { lb: 'null', pool: `j->>'pool_id'`, member: 'null' },
  member: { lb: 'null', pool: `j->>'pool_id'`, member: `j->>'id'` },
}

/** Columns that change without a request for it, or that say again what another one says. */
const SILENT = `'{updated_at,generation,published_from,status_version,config_version,member_count,provisioning_status,sent_fields,starts_as,traffic_seen_at,echo}'::text[]`

const NEUTRAL_WORDS = `replace(replace(tg_table_name, 'load_balancer', 'loadbalancer'), 'health_monitor', 'healthmonitor')`

export async function up(db: Knex): Promise<void> {
  await tellRequests(db)
  await tellProbers(db)
  await tellClock(db)
}

/** A trigger function of one table; `rows` gives `j`, the row, and `fields`, or null. */
export function tellFunction(
  table: string,
  action: string,
  rows: string,
  also: { readonly lb?: string } = {},
): string {
  const known = TABLES[table]
  if (known === undefined) throw new Error(`events say nothing of ${table}`)
  const of = { ...known, ...also }
  return `
    create function tell_${table}_${action}() returns trigger language plpgsql as $$
    declare
      request jsonb := nullif(current_setting('healthmonitor.request', true), '')::jsonb;
    begin
      if request is null then
        return null;
      end if;
      if (select count(*) from ${action === 'deleted' ? 'old_rows' : 'new_rows'}) > 100 then
        insert into event_outbox (type, project_id, load_balancer_id, pool_id, data)
        select 'config.changed', j->>'project_id', (${of.lb})::uuid, (${of.pool})::uuid, jsonb_build_object(
          'object', ${NEUTRAL_WORDS}, 'action', '${action}', 'count', count(*), 'by', request)
        from (${rows}) changed group by 2, 3, 4;
      else
        insert into event_outbox (type, project_id, load_balancer_id, pool_id, member_id, data)
        select 'config.changed', j->>'project_id', (${of.lb})::uuid, (${of.pool})::uuid, (${of.member})::uuid,
          jsonb_strip_nulls(jsonb_build_object('object', ${NEUTRAL_WORDS}, 'object_id', j->>'id',
            'object_name', nullif(j->>'name', ''), 'action', '${action}', 'fields', to_jsonb(fields), 'by', request))
        from (${rows}) changed;
      end if;
      return null;
    end $$;`
}

export const CREATED = 'select to_jsonb(n) as j, null::text[] as fields from new_rows n'
export const DELETED = 'select to_jsonb(o) as j, null::text[] as fields from old_rows o'
/** Old and new row of each object, without a join: a kept plan would compare each with each. */
export const CHANGED_ROWS = `
  select after as j, fields from (
    select after, (
      select array_agg(key order by key) from (
        select key from jsonb_object_keys(after || (after->'echo') || (before->'echo')) key
        where not key = any (${SILENT})
          and coalesce(after->key, after->'echo'->key) is distinct from coalesce(before->key, before->'echo'->key)
      ) changed_key
    ) as fields
    from (
      select (array_agg(j) filter (where is_new))[1] as after, (array_agg(j) filter (where not is_new))[1] as before
      from (
        select n.id, true as is_new, to_jsonb(n) as j from new_rows n
        union all
        select o.id, false, to_jsonb(o) from old_rows o
      ) versions group by id
    ) pair
  ) compared where fields is not null`

async function tellRequests(db: Knex): Promise<void> {
  for (const table of Object.keys(TABLES)) {
    await db.raw(`
      ${tellFunction(table, 'created', CREATED)}
      ${tellFunction(table, 'changed', CHANGED_ROWS)}
      ${tellFunction(table, 'deleted', DELETED)}
      create trigger tell_created after insert on ${table} referencing new table as new_rows
        for each statement execute function tell_${table}_created();
      create trigger tell_changed after update on ${table} referencing old table as old_rows new table as new_rows
        for each statement execute function tell_${table}_changed();
      create trigger tell_deleted after delete on ${table} referencing old table as old_rows
        for each statement execute function tell_${table}_deleted();
    `)
  }
}

async function tellProbers(db: Knex): Promise<void> {
  await db.raw(`
    alter table prober add column lost_at timestamptz;

    create function prober_data(p prober) returns jsonb language sql immutable as $$
      select jsonb_build_object('prober', jsonb_build_object('id', p.id, 'host', p.host, 'pid', p.pid))
    $$;

    create function tell_prober() returns trigger language plpgsql as $$
    begin
      if tg_op = 'DELETE' then
        -- One that was lost is deleted much later.
        if old.lost_at is null then
          insert into event_outbox (type, data) values ('prober.left', prober_data(old));
        end if;
        return null;
      end if;
      if tg_op = 'INSERT' or old.lost_at is not null and new.lost_at is null then
        insert into event_outbox (type, data) values ('prober.joined', prober_data(new));
      end if;
      if tg_op = 'UPDATE' and (old.facts->'breaker'->>'state' = 'holding')
          is distinct from (new.facts->'breaker'->>'state' = 'holding') then
        insert into event_outbox (type, data)
        select case when new.facts->'breaker'->>'state' = 'holding' then 'breaker.held' else 'breaker.released' end,
          prober_data(new)
        where new.facts->'breaker'->>'state' = 'holding' or old.facts->'breaker'->>'state' = 'holding';
      end if;
      return null;
    end $$;
    create trigger tell_prober after insert or update or delete on prober
      for each row execute function tell_prober();

    -- A heartbeat of one that was lost says that it is there again.
    create function find_prober() returns trigger language plpgsql as $$
    begin
      new.lost_at := null;
      return new;
    end $$;
    create trigger find_prober before update on prober
      for each row when (old.lost_at is not null and new.lease_until > old.lease_until) execute function find_prober();
  `)
}

const MAINTAINED = ['member', 'pool', 'health_monitor'] as const

/** Every maintenance that lasts now, of whatever object. */
const MAINTENANCE_NOW = [
  `select m.id as object_id, 'member' as object, m.project_id, m.pool_id, m.id as member_id, m.maintenance from member m`,
  `select p.id, 'pool', p.project_id, p.id, null, p.maintenance from pool p`,
  `select hm.id, 'healthmonitor', hm.project_id, hm.pool_id, null, hm.maintenance from health_monitor hm`,
]
  .map(
    (select) => `${select} where maintenance is not null and (maintenance->>'start')::timestamptz <= now()
      and coalesce((maintenance->>'end')::timestamptz > now(), true)`,
  )
  .join('\n      union all ')

async function tellClock(db: Knex): Promise<void> {
  for (const table of MAINTAINED) {
    await db.raw(`create index ${table}_maintenance_idx on ${table} (id) where maintenance is not null`)
  }
  await db.raw(`
    -- Maintenances whose beginning was told.
    create table maintenance_told (
      object_id uuid primary key,
      object text not null,
      project_id text not null,
      pool_id uuid,
      member_id uuid,
      maintenance jsonb not null
    );

    create function observe_clock() returns void language plpgsql as $$
    begin
      with lost as (
        update prober set lost_at = now() where lost_at is null and lease_until < now() - interval '100 milliseconds'
        returning prober.*
      )
      insert into event_outbox (type, data)
      select 'prober.lost', prober_data(l) || jsonb_build_object('last_heartbeat_at', l.beat_at) from lost l;

      with lasting as (
        ${MAINTENANCE_NOW}
      ), ended as (
        delete from maintenance_told t where not exists (select from lasting l where l.object_id = t.object_id)
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
    end $$;
  `)
}

export async function down(db: Knex): Promise<void> {
  for (const table of MAINTAINED) await db.raw(`drop index ${table}_maintenance_idx`)
  await db.raw(`
    drop function observe_clock;
    drop table maintenance_told;
    drop trigger tell_prober on prober;
    drop trigger find_prober on prober;
    drop function tell_prober, find_prober, prober_data;
    alter table prober drop column lost_at;
  `)
  for (const table of Object.keys(TABLES)) {
    for (const action of ['created', 'changed', 'deleted']) {
      await db.raw(`drop trigger tell_${action} on ${table}; drop function tell_${table}_${action};`)
    }
  }
}
