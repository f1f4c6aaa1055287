/**
 * Roll-up of member states to pool, listener and load balancer: the rules of src/domain/status/roll-up.ts in SQL; a test holds
 * the two together.
 *
 * Every question about the members of a pool is an `exists` inside a `case`: it is asked only when no earlier rule has
 * decided, of the rows that are shown only, and ends at the first member that answers it. `member_state.pool_id`, which
 * never changes, is there for its index: whether anything fails in a pool of 5 000 members is one look.
 */
import type { Knex } from 'knex'

/**
 * A verdict that still counts on a member, of pool `p`, that is switched on. The monitor is looked up last: of a pool
 * that has no such verdict, never. No state is of a later generation than its check: `>=` is `=` here, but the planner
 * takes `=` for something rare and would read every state of the pool before it looks at the first.
 */
const VERDICT = `member_state s
  join member m on m.id = s.member_id
  join health_monitor hm on hm.pool_id = s.pool_id
  where s.pool_id = p.id and m.admin_state_up and hm.admin_state_up
    and s.generation >= greatest(lb.generation, p.generation, m.generation, hm.generation)`

const HAS_PASSING = `exists (select from ${VERDICT} and s.status = 'ONLINE' and m.weight > 0)`
const HAS_FAILING = `exists (select from ${VERDICT} and s.status = 'OFFLINE')`
const HAS_MEMBERS = 'exists (select from member m where m.pool_id = p.id)'
const HAS_WEIGHT =
  'exists (select from member m where m.pool_id = p.id and m.admin_state_up and m.weight > 0)'
const IS_MONITORED = 'exists (select from health_monitor hm where hm.pool_id = p.id and hm.admin_state_up)'
const IS_LISTENED = 'exists (select from listener l where l.default_pool_id = p.id and l.admin_state_up)'

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table member_state add column pool_id uuid;
    update member_state s set pool_id = m.pool_id from member m where m.id = s.member_id;
    create index member_state_pool_id_status_idx on member_state (pool_id, status);

    create view pool_status as
    select
      p.id as pool_id,
      p.load_balancer_id,
      p.project_id,
      case
        when lb.provider = 'noop_driver' then 'OFFLINE'
        when not lb.admin_state_up or not p.admin_state_up or not ${IS_LISTENED} then 'OFFLINE'
        when ${HAS_PASSING} then case when ${HAS_FAILING} then 'DEGRADED' else 'ONLINE' end
        when not ${HAS_MEMBERS} then 'ONLINE'
        when not ${HAS_WEIGHT} then 'ERROR'
        when not ${IS_MONITORED} then 'ONLINE'
        when ${HAS_FAILING} then 'ERROR'
        else 'OFFLINE'
      end as operating_status
    from pool p
    join load_balancer lb on lb.id = p.load_balancer_id;

    create view listener_status as
    select
      l.id as listener_id,
      l.load_balancer_id,
      l.project_id,
      case
        when lb.provider = 'noop_driver' then 'OFFLINE'
        when not lb.admin_state_up or not l.admin_state_up then 'OFFLINE'
        else 'ONLINE'
      end as operating_status
    from listener l
    join load_balancer lb on lb.id = l.load_balancer_id;
  `)
  await createLoadBalancerStatus(db)
}

/** Also for those who go back to this view from a later one. */
export async function createLoadBalancerStatus(db: Knex): Promise<void> {
  await db.raw(`
    -- The worst of the pools, asked in another order than above: of a pool where nothing fails and somebody has weight,
    -- which is almost every pool, nothing else matters here.
    create view load_balancer_status as
    select
      lb.id as load_balancer_id,
      lb.project_id,
      case
        when lb.provider = 'noop_driver' then 'OFFLINE'
        when not lb.admin_state_up then 'OFFLINE'
        else case (
          select max(case
            when ${HAS_FAILING} then case
              when not p.admin_state_up or not ${IS_LISTENED} then 0
              when ${HAS_PASSING} then 1
              else 2
            end
            when ${HAS_WEIGHT} then 0
            when not p.admin_state_up or not ${IS_LISTENED} or not ${HAS_MEMBERS} then 0
            else 2
          end)
          from pool p where p.load_balancer_id = lb.id
        ) when 2 then 'ERROR' when 1 then 'DEGRADED' else 'ONLINE' end
      end as operating_status
    from load_balancer lb;
  `)
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop view load_balancer_status, listener_status, pool_status;
    alter table member_state drop column pool_id;
  `)
}
