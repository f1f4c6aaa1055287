/**
 * `sequence_events` looks up the objects of each event by their ids, whatever the tables were like when its plan was made. A
 * session keeps the plan. Made while `member_transition` was known to be empty (analyzed, in a new installation or after a
 * quiet month), it walked that table for each event. Then 20 000 members failed together: moving 2 000 events took longer
 * than a statement may, and events got no positions until PostgreSQL had analyzed the table again.
 */
import type { Knex } from 'knex'
import { BY_INDEX } from './0019-kept-statuses.ts'
import { sequencer } from './0020-events.ts'

/** Row `o` is the event. `offset 0` keeps a look-up what it is: it is not made a join. */
const DATA = `
          jsonb_strip_nulls(jsonb_build_object(
            'reason', t.reason, 'detail', nullif(t.detail, ''), 'evidence', nullif(t.evidence, '{}'),
            'generation', t.generation, 'dropped', nullif(t.dropped, 0),
            'member', case when o.member_id is not null then jsonb_build_object('id', o.member_id, 'name', m.name,
              'address', m.address, 'protocol_port', m.protocol_port) end,
            'pool', case when o.pool_id is not null then jsonb_build_object('id', o.pool_id, 'name', o.pool_name,
              'door', o.door) end,
            'loadbalancer', case when lb_id is not null then jsonb_build_object('id', lb_id, 'name', lb.name) end
          )) || coalesce(o.data, '{}')`

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- Moves about max_events, in the order of their ids; gives the last position, or null when there was nothing to move.
    create or replace function sequence_events(max_events integer) returns bigint language plpgsql
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
          o.to_status, ${DATA}
        from (
          select moved.*, coalesce(moved.load_balancer_id, case when p.door is null then p.load_balancer_id end) as lb_id,
            p.name as pool_name, p.door, min(moved.id) over (partition by moved.written_by) as place
          from moved
          left join lateral (select * from pool where pool.id = moved.pool_id offset 0) p on true
        ) o
        left join lateral (select * from member_transition where member_transition.id = o.transition_id offset 0) t on true
        left join lateral (select * from member where member.id = o.member_id offset 0) m on true
        left join lateral (select * from load_balancer where load_balancer.id = o.lb_id offset 0) lb on true
        order by o.place, array_position(array['pool.status', 'loadbalancer.status'], o.type) nulls first, o.id
        returning position
      )
      select max(position) into last from made;
      if last is not null then
        perform pg_notify('healthmonitor_events', last::text);
      end if;
      return last;
    end $$;
  `)
}

export async function down(db: Knex): Promise<void> {
  const before = sequencer({
    loadBalancer: 'case when pool.door is null then pool.load_balancer_id end',
    door: 'p.door',
  })
  await db.raw(before.replace('create function', 'create or replace function'))
}
