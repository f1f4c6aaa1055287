/**
 * Events, by an outbox (ADR 25). Each change writes a row into `event_outbox`, in its own transaction. Rows get their
 * ids before they are committed, so a reader that reads by id would miss rows that are committed later. Therefore
 * `sequence_events` moves committed rows into `event`, one caller at a time, and gives them positions. A reader that
 * has read up to a position has missed no event.
 *
 * A row of the outbox names its objects. Their names and addresses are added when it is moved.
 */
import type { Knex } from 'knex'
import { BY_INDEX } from './0019-kept-statuses.ts'

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table event_outbox (
      id bigint generated always as identity primary key,
      type text not null,
      at timestamptz not null default clock_timestamp(),
      -- Null: of the service itself; for administrators.
      project_id text,
      load_balancer_id uuid,
      pool_id uuid,
      member_id uuid,
      from_status text,
      to_status text,
      -- Of member.status: reason, detail, evidence and dropped are those of the transition.
      transition_id bigint,
      -- What this type of event has beside the rest.
      data jsonb,
      -- One transaction tells of a pool before it tells of the member that caused it: the triggers run so.
      written_by xid8 not null default pg_current_xact_id()
    );

    create table event (
      position bigint primary key,
      type text not null,
      at timestamptz not null,
      project_id text,
      load_balancer_id uuid,
      pool_id uuid,
      member_id uuid,
      from_status text,
      to_status text,
      data jsonb not null
    );
    create index event_project_id_position_idx on event (project_id, position);
    create index event_at_idx on event (at);

    create sequence event_position as bigint;
    -- The greatest position that was deleted because it was too old.
    create table event_retention (
      is_row boolean primary key default true check (is_row),
      purged_to bigint not null default 0
    );
    insert into event_retention default values;

    create function notify_of_outbox() returns trigger language plpgsql as $$
    begin
      perform pg_notify('healthmonitor_outbox', '');
      return null;
    end $$;
    create trigger notify_of_outbox after insert on event_outbox
      for each statement execute function notify_of_outbox();

    create function tell_pool_status() returns trigger language plpgsql as $$
    begin
      insert into event_outbox (type, project_id, load_balancer_id, pool_id, from_status, to_status, data)
      values ('pool.status', new.project_id, new.load_balancer_id, new.pool_id, old.operating_status,
        new.operating_status, jsonb_build_object('members', new.members, 'online', new.online, 'offline', new.offline,
          'pending', new.pending));
      return null;
    end $$;
    create trigger tell_pool_status after update on pool_roll_up
      for each row when (new.operating_status <> old.operating_status) execute function tell_pool_status();

    create function tell_load_balancer_status() returns trigger language plpgsql as $$
    begin
      insert into event_outbox (type, project_id, load_balancer_id, from_status, to_status)
      values ('loadbalancer.status', new.project_id, new.load_balancer_id, old.operating_status, new.operating_status);
      return null;
    end $$;
    create trigger tell_load_balancer_status after update on load_balancer_roll_up
      for each row when (new.operating_status <> old.operating_status) execute function tell_load_balancer_status();

    create function tell_transitions() returns trigger language plpgsql as $$
    begin
      insert into event_outbox (type, at, project_id, pool_id, member_id, from_status, to_status, transition_id)
      select 'member.status', t.at, t.project_id, t.pool_id, t.member_id, t.from_state, t.to_state, t.id
      from new_transition t order by t.id;
      return null;
    end $$;
    create trigger tell_transitions after insert on member_transition
      referencing new table as new_transition for each statement execute function tell_transitions();
  `)
  await db.raw(sequencer())
}

/** The object of an event with its parents, with their present names and addresses; of a deleted one only the id. */
const dataOf = (door: string): string => `
  jsonb_strip_nulls(jsonb_build_object(
    'reason', t.reason, 'detail', nullif(t.detail, ''), 'evidence', nullif(t.evidence, '{}'), 'generation', t.generation,
    'dropped', nullif(t.dropped, 0),
    'member', case when o.member_id is not null then jsonb_build_object('id', o.member_id, 'name', m.name,
      'address', m.address, 'protocol_port', m.protocol_port) end,
    'pool', case when o.pool_id is not null then jsonb_build_object('id', o.pool_id, 'name', p.name${door === '' ? '' : `, 'door', ${door}`}) end,
    'loadbalancer', case when lb_id is not null then jsonb_build_object('id', lb_id, 'name', lb.name) end
  )) || coalesce(o.data, '{}')`

/** `loadBalancer`: of a pool of which an event names none; `door`: of pool p, null = none. */
export function sequencer({ loadBalancer = 'pool.load_balancer_id', door = '' } = {}): string {
  return `
    -- Moves about max_events, in the order of their ids; gives the last position, or null when there was nothing to move.
    create function sequence_events(max_events integer) returns bigint language plpgsql
      ${BY_INDEX} as $$
    declare
      up_to bigint;
      last bigint;
    begin
      -- Until this is committed: positions become visible in their order.
      perform pg_advisory_xact_lock(4826017735);
      select max(id) into up_to from (select id from event_outbox order by id limit max_events) first_ones;
      if up_to is null then
        return null;
      end if;
      with moved as (
        delete from event_outbox where id <= up_to returning *
      ), made as (
        insert into event
          (position, type, at, project_id, load_balancer_id, pool_id, member_id, from_status, to_status, data)
        select nextval('event_position'), o.type, o.at, o.project_id, o.lb_id, o.pool_id, o.member_id, o.from_status,
          o.to_status, ${dataOf(door)}
        from (
          select moved.*, coalesce(moved.load_balancer_id, ${loadBalancer}) as lb_id,
            min(moved.id) over (partition by moved.written_by) as place
          from moved left join pool on pool.id = moved.pool_id
        ) o
        left join member_transition t on t.id = o.transition_id
        left join member m on m.id = o.member_id
        left join pool p on p.id = o.pool_id
        left join load_balancer lb on lb.id = o.lb_id
        order by o.place, array_position(array['pool.status', 'loadbalancer.status'], o.type) nulls first, o.id
        returning position
      )
      select max(position) into last from made;
      if last is not null then
        perform pg_notify('healthmonitor_events', last::text);
      end if;
      return last;
    end $$;
  `
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop trigger tell_pool_status on pool_roll_up;
    drop trigger tell_load_balancer_status on load_balancer_roll_up;
    drop trigger tell_transitions on member_transition;
    drop table event_outbox, event, event_retention;
    drop sequence event_position;
    drop function notify_of_outbox, tell_pool_status, tell_load_balancer_status, tell_transitions, sequence_events;
  `)
}
