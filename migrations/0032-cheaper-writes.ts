/**
 * What a write of the API costs beside its own row.
 *
 * - The triggers that count the members and the monitor of a pool also raise its `config_version`: one change of the row
 *   instead of two, and one statement less.
 * - What triggers change of a pool is no `config.changed`: they change columns that no event names.
 * - A pool that is counted again changes its load balancer only when its own status changed: `follow_pools` sees that.
 * - Events of rows that were made or deleted read the columns that they name: the whole row is not made into JSON.
 * - Who sets `healthmonitor.tells` in a transaction notifies readers of the outbox itself, after the commit (ADR 30).
 * - What an object has set aside is found by its index, and counted now and then instead of each time.
 */
import type { Knex } from 'knex'
import { BY_INDEX, countDuePools } from './0019-kept-statuses.ts'
import { countMembers, differ } from './0019-marks.ts'
import { CREATED, DELETED, tellFunction } from './0022-more-events.ts'

/** table → its name in events, and what says which objects an event of row `r` is about; as in migration 0022. */
export const TABLES = {
  load_balancer: { name: 'loadbalancer', lb: 'r.id', pool: 'null', member: 'null' },
  listener: { name: 'listener', lb: 'r.load_balancer_id', pool: 'r.default_pool_id', member: 'null' },
  pool: { name: 'pool', lb: 'r.load_balancer_id', pool: 'r.id', member: 'null' },
  health_monitor: { name: 'healthmonitor', lb: 'null', pool: 'r.pool_id', member: 'null' },
  member: { name: 'member', lb: 'null', pool: 'r.pool_id', member: 'r.id' },
} as const
const CHANGED_MONITOR = differ('admin_state_up generation published_from starts_as')
const ROWS = { created: 'new_rows', deleted: 'old_rows' } as const

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    ${countMembers('status_version = status_version + 1, config_version = config_version + 1,')}
    -- A monitor that only changed raises config_version by the statement that says so.
    create function mark_pool_of_changed_monitor() returns trigger language plpgsql as $$
    begin
      update pool p set status_version = p.status_version + 1 where p.id = new.pool_id;
      return null;
    end $$;
    drop trigger mark_pool_of_changed_monitor on health_monitor;
    create trigger mark_pool_of_changed_monitor after update on health_monitor
      for each row when (${CHANGED_MONITOR}) execute function mark_pool_of_changed_monitor();
    ${markPool('status_version = p.status_version + 1, config_version = p.config_version + 1')}

    ${countChangedPools()}

    create function count_changed_pool() returns trigger language plpgsql as $$
    begin
      if not exists (
        select from pool_roll_up r where r.pool_id = new.id
          and r.status_version = (select p.status_version from pool p where p.id = new.id)
      ) then
        perform count_due_pools(new.load_balancer_id);
      end if;
      return null;
    end $$;
    drop trigger count_changed on pool;
    create constraint trigger count_changed after update on pool deferrable initially deferred
      for each row when (${differ('status_version')}) execute function count_changed_pool();

    drop trigger tell_changed on pool;
    create trigger tell_changed after update on pool referencing old table as old_rows new table as new_rows
      for each statement when (pg_trigger_depth() = 0) execute function tell_pool_changed();

    create or replace function notify_of_outbox() returns trigger language plpgsql as $$
    begin
      if coalesce(current_setting('healthmonitor.tells', true), '') <> 'on' then
        perform pg_notify('healthmonitor_outbox', '');
      end if;
      return null;
    end $$;

    create or replace function forget_old_asides(id uuid) returns void language plpgsql as $$
    declare
      kept constant interval := interval '31 days';
    begin
      if (select s.begin_at from set_aside s where s.object_id = id order by s.begin_at limit 1) < now() - kept
          or random() < 1.0 / 64 then
        delete from set_aside s where s.object_id = id
          and (coalesce(s.end_at, case when s.kind in ('generation', 'verdict') then s.begin_at end) < now() - kept
            or s.begin_at < (select k.begin_at from set_aside k where k.object_id = id
              order by k.begin_at desc offset 1000 limit 1));
      end if;
    end $$;

    create or replace function note_monitor() returns trigger language plpgsql as $$
    begin
      update set_aside s set end_at = now()
      where s.object_id = new.pool_id and s.kind = 'no_monitor' and s.end_at is null
        and s.begin_at = (select k.begin_at from set_aside k where k.object_id = new.pool_id and k.kind = 'no_monitor'
          order by k.begin_at desc limit 1);
      return null;
    end $$;
  `)
  for (const [table, of] of Object.entries(TABLES)) {
    for (const [action, rows] of Object.entries(ROWS)) await db.raw(tellRows(table, action, { ...of, rows }))
  }
}

/** The function; `also`: more columns that are kept. */
export function countChangedPools(also: readonly string[] = []): string {
  return `
    create or replace function count_due_pools(of_load_balancer uuid) returns void language plpgsql
      ${BY_INDEX} as $$
    declare
      due uuid[];
      is_new boolean;
    begin
      perform from pool_roll_up r where r.load_balancer_id = of_load_balancer order by r.pool_id for update;
      select array_agg(p.id), bool_or(kept.pool_id is null) into due, is_new
        from pool p left join pool_roll_up kept on kept.pool_id = p.id
        where p.load_balancer_id = of_load_balancer and kept.status_version is distinct from p.status_version;
      ${countDuePools(also)}
      -- Of the others follow_pools sees whether their status changed.
      if is_new then
        perform roll_up_load_balancers(array[of_load_balancer]);
      end if;
    end $$;`
}

function markPool(raised: string): string {
  return `
    create or replace function mark_pool() returns trigger language plpgsql as $$
    begin
      update pool p set ${raised} where p.id = coalesce(new.pool_id, old.pool_id);
      return null;
    end $$;`
}

interface Told {
  readonly name: string
  readonly lb: string
  readonly pool: string
  readonly member: string
  readonly rows: string
}

/** As in migration 0022, without a JSON of the row. */
export function tellRows(table: string, action: string, { name, lb, pool, member, rows }: Told): string {
  const object = `'object', '${name}', 'action', '${action}', 'by', request`
  return `
    create or replace function tell_${table}_${action}() returns trigger language plpgsql as $$
    declare
      request jsonb := nullif(current_setting('healthmonitor.request', true), '')::jsonb;
    begin
      if request is null then
        return null;
      end if;
      if (select count(*) from ${rows} r) > 100 then
        insert into event_outbox (type, project_id, load_balancer_id, pool_id, data)
        select 'config.changed', r.project_id, (${lb})::uuid, (${pool})::uuid,
          jsonb_build_object(${object}, 'count', count(*))
        from ${rows} r group by 2, 3, 4;
      else
        insert into event_outbox (type, project_id, load_balancer_id, pool_id, member_id, data)
        select 'config.changed', r.project_id, (${lb})::uuid, (${pool})::uuid, (${member})::uuid,
          jsonb_strip_nulls(jsonb_build_object(${object}, 'object_id', r.id, 'object_name', nullif(r.name, '')))
        from ${rows} r;
      end if;
      return null;
    end $$;`
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    ${countMembers('status_version = status_version + 1,')}
    ${markPool('status_version = p.status_version + 1')}
    drop trigger mark_pool_of_changed_monitor on health_monitor;
    create trigger mark_pool_of_changed_monitor after update on health_monitor
      for each row when (${CHANGED_MONITOR}) execute function mark_pool();
    drop function mark_pool_of_changed_monitor;

    drop trigger count_changed on pool;
    create constraint trigger count_changed after update on pool deferrable initially deferred
      for each row when (${differ('status_version')}) execute function count_pool_of_load_balancer();
    drop function count_changed_pool, count_due_pools;

    drop trigger tell_changed on pool;
    create trigger tell_changed after update on pool referencing old table as old_rows new table as new_rows
      for each statement execute function tell_pool_changed();

    create or replace function notify_of_outbox() returns trigger language plpgsql as $$
    begin
      perform pg_notify('healthmonitor_outbox', '');
      return null;
    end $$;

    drop function forget_old_asides;
    create function forget_old_asides(id uuid) returns void language sql as $$
      delete from set_aside s where s.object_id = id
        and (coalesce(s.end_at, case when s.kind in ('generation', 'verdict') then s.begin_at end) < now() - interval '31 days'
          or s.begin_at < (select k.begin_at from set_aside k where k.object_id = id
            order by k.begin_at desc offset 1000 limit 1));
    $$;

    create or replace function note_monitor() returns trigger language plpgsql as $$
    begin
      update set_aside s set end_at = now()
      where s.object_id = new.pool_id and s.kind = 'no_monitor' and s.end_at is null;
      return null;
    end $$;
  `)
  for (const table of Object.keys(TABLES)) {
    await db.raw(
      tellFunction(table, 'created', CREATED).replace('create function', 'create or replace function'),
    )
    await db.raw(
      tellFunction(table, 'deleted', DELETED).replace('create function', 'create or replace function'),
    )
  }
}
