/**
 * Pools that another door keeps (ADR 35): those of an API whose objects are not load balancers. `door` names the door, null =
 * LBaaS; `door_key` is the door's own name of the object. The pools of one scope (a zone, a mesh) share a row of
 * `load_balancer`, which is their lock and their roll-up and which no LBaaS dialect shows.
 *
 * - Such a pool needs no listener to be in service.
 * - Events of it name no load balancer, and its parent has none. The event says which door keeps the pool.
 * - Presets of the doors are profiles: a monitor probes as its door says.
 */
import type { Knex } from 'knex'
import { countedPool } from './0019-kept-statuses.ts'
import { sequencer } from './0020-events.ts'
import { CHANGED_ROWS, tellFunction } from './0022-more-events.ts'
import { TABLES, tellRows } from './0032-cheaper-writes.ts'

const KEY = 'check (length(door_key) between 1 and 512)'

/** What events say of rows that may belong to a door. */
const LOAD_BALANCER_OF_POOL = 'case when r.door is null then r.load_balancer_id end'
const LOAD_BALANCER_OF_CHANGED = `case when j->>'door' is null then j->>'load_balancer_id' end`

export async function up(db: Knex): Promise<void> {
  for (const table of ['load_balancer', 'pool']) {
    await db.raw(`
      alter table ${table} add column door text check (length(door) between 1 and 64),
        add column door_key text ${KEY},
        add constraint ${table}_door_named_check check ((door is null) = (door_key is null));
    `)
  }
  await db.raw(`
    create unique index load_balancer_door_key on load_balancer (project_id, door, door_key) where door is not null;
    create unique index pool_door_key on pool (load_balancer_id, door_key) where door is not null;
    alter table health_monitor drop constraint health_monitor_profile_check;
    alter table health_monitor add constraint health_monitor_profile_check
      check (profile in ('elb', 'octavia', 'envoy', 'kuma'));
    ${viewOf(countedPool('p.door is not null or '))}
    ${replaced(sequencer({ loadBalancer: 'case when pool.door is null then pool.load_balancer_id end', door: 'p.door' }))}

    create or replace function tell_pool_status() returns trigger language plpgsql as $$
    begin
      insert into event_outbox (type, project_id, load_balancer_id, pool_id, from_status, to_status, data)
      values ('pool.status', new.project_id,
        case when not exists (select from pool p where p.id = new.pool_id and p.door is not null)
          then new.load_balancer_id end,
        new.pool_id, old.operating_status, new.operating_status, jsonb_build_object('members', new.members,
          'online', new.online, 'offline', new.offline, 'pending', new.pending));
      return null;
    end $$;

    create or replace function tell_load_balancer_status() returns trigger language plpgsql as $$
    begin
      insert into event_outbox (type, project_id, load_balancer_id, from_status, to_status)
      select 'loadbalancer.status', new.project_id, new.load_balancer_id, old.operating_status, new.operating_status
      where not exists (select from load_balancer lb where lb.id = new.load_balancer_id and lb.door is not null);
      return null;
    end $$;
  `)
  for (const [action, rows] of Object.entries({ created: 'new_rows', deleted: 'old_rows' })) {
    const ofLbaas = `(select * from ${rows} where door is null)`
    await db.raw(tellRows('load_balancer', action, { ...TABLES.load_balancer, rows: ofLbaas }))
    await db.raw(tellRows('pool', action, { ...TABLES.pool, lb: LOAD_BALANCER_OF_POOL, rows }))
  }
  await db.raw(replaced(tellFunction('pool', 'changed', CHANGED_ROWS, { lb: LOAD_BALANCER_OF_CHANGED })))
}

function replaced(definition: string): string {
  return definition.replace('create function', 'create or replace function')
}

function viewOf(select: string): string {
  return `create or replace view counted_pool as ${select};`
}

/** Objects of doors are deleted: the schema of before would take them for those of LBaaS. */
export async function down(db: Knex): Promise<void> {
  const pools = '(select id from pool where door is not null)'
  await db.raw(`
    delete from member where pool_id in ${pools};
    delete from health_monitor where pool_id in ${pools};
    delete from pool where door is not null;
    delete from load_balancer where door is not null;
    -- Counted now: no trigger may wait when the tables are altered.
    set constraints all immediate;
    set constraints all deferred;
    ${viewOf(countedPool())}
    ${replaced(sequencer())}

    create or replace function tell_pool_status() returns trigger language plpgsql as $$
    begin
      insert into event_outbox (type, project_id, load_balancer_id, pool_id, from_status, to_status, data)
      values ('pool.status', new.project_id, new.load_balancer_id, new.pool_id, old.operating_status,
        new.operating_status, jsonb_build_object('members', new.members, 'online', new.online, 'offline', new.offline,
          'pending', new.pending));
      return null;
    end $$;

    create or replace function tell_load_balancer_status() returns trigger language plpgsql as $$
    begin
      insert into event_outbox (type, project_id, load_balancer_id, from_status, to_status)
      values ('loadbalancer.status', new.project_id, new.load_balancer_id, old.operating_status, new.operating_status);
      return null;
    end $$;
  `)
  for (const [action, rows] of Object.entries({ created: 'new_rows', deleted: 'old_rows' })) {
    await db.raw(tellRows('load_balancer', action, { ...TABLES.load_balancer, rows }))
    await db.raw(tellRows('pool', action, { ...TABLES.pool, rows }))
  }
  await db.raw(replaced(tellFunction('pool', 'changed', CHANGED_ROWS)))
  await db.raw(`
    alter table health_monitor drop constraint health_monitor_profile_check;
    alter table health_monitor add constraint health_monitor_profile_check check (profile in ('elb', 'octavia'));
    alter table load_balancer drop column door, drop column door_key;
    alter table pool drop column door, drop column door_key;
  `)
}
