/**
 * What lists read: `member_detail` and `pool_detail` are members and pools with what they are at the moment, each table
 * looked at once. `member_status` and `pool_status` are now parts of them, so that the rules of src/domain still stand once.
 * Indexes in the order in which pages of dialect octavia are walked.
 */
import type { Knex } from 'knex'

const STATUS = `case rule.state when 'NO_MONITOR' then 'NO_MONITOR' when 'ONLINE' then 'ONLINE' else 'OFFLINE' end`
const SINCE = `case when hm.admin_state_up and lb.admin_state_up and p.admin_state_up and m.admin_state_up
  and lb.provider <> 'noop_driver' then s.since end`

const CHECK_GENERATION = 'greatest(lb.generation, p.generation, m.generation, hm.generation)'

const FROM = `
  from member m
  join pool p on p.id = m.pool_id
  join load_balancer lb on lb.id = p.load_balancer_id
  left join health_monitor hm on hm.pool_id = m.pool_id
  left join member_state s
    on s.member_id = m.id
    and s.generation = ${CHECK_GENERATION}
  cross join lateral (
    select
      case
        when hm.id is null or not hm.admin_state_up then 'NO_MONITOR'
        when not lb.admin_state_up or not p.admin_state_up or not m.admin_state_up then 'DISABLED'
        when lb.provider = 'noop_driver' then 'UNKNOWN'
        else coalesce(s.status, 'UNKNOWN')
      end as state,
      case
        when hm.id is null then 'NO_MONITOR'
        when not hm.admin_state_up then 'MONITOR_DISABLED'
        when not lb.admin_state_up then 'LOAD_BALANCER_DISABLED'
        when not p.admin_state_up then 'POOL_DISABLED'
        when not m.admin_state_up then 'MEMBER_DISABLED'
        when lb.provider = 'noop_driver' then 'PROVIDER_NOT_PROBED'
        else coalesce(s.reason, 'NOT_YET_PROBED')
      end as reason
  ) rule`

// The status of pool `p` of load balancer `lb`, word for word as in migration 0003.
const VERDICT = `member_state s
  join member m on m.id = s.member_id
  join health_monitor hm on hm.pool_id = s.pool_id
  where s.pool_id = p.id and m.admin_state_up and hm.admin_state_up
    and s.generation >= greatest(lb.generation, p.generation, m.generation, hm.generation)`
const POOL_STATUS = `case
    when lb.provider = 'noop_driver' then 'OFFLINE'
    when not lb.admin_state_up or not p.admin_state_up
      or not exists (select from listener l where l.default_pool_id = p.id and l.admin_state_up) then 'OFFLINE'
    when exists (select from ${VERDICT} and s.status = 'ONLINE' and m.weight > 0)
      then case when exists (select from ${VERDICT} and s.status = 'OFFLINE') then 'DEGRADED' else 'ONLINE' end
    when not exists (select from member m where m.pool_id = p.id) then 'ONLINE'
    when not exists (select from member m where m.pool_id = p.id and m.admin_state_up and m.weight > 0) then 'ERROR'
    when not exists (select from health_monitor hm where hm.pool_id = p.id and hm.admin_state_up) then 'ONLINE'
    when exists (select from ${VERDICT} and s.status = 'OFFLINE') then 'ERROR'
    else 'OFFLINE'
  end`

export async function up(db: Knex): Promise<void> {
  await createViews(db)
  await db.raw(`
    create index member_pool_id_created_at_id_idx on member (pool_id, created_at, id);
    create index health_monitor_project_id_created_at_id_idx on health_monitor (project_id, created_at, id);
    create index pool_project_id_created_at_id_idx on pool (project_id, created_at, id);
  `)
}

/** Also for those who go back to these views from later ones. */
export async function createViews(db: Knex): Promise<void> {
  await db.raw(`
    create view member_detail as
    select
      m.id,
      m.project_id,
      m.name,
      m.admin_state_up,
      m.provisioning_status,
      m.tags,
      m.echo,
      m.created_at,
      m.updated_at,
      m.pool_id,
      m.address,
      m.protocol_port,
      m.subnet_id,
      m.weight,
      m.backup,
      m.monitor_address,
      m.monitor_port,
      p.load_balancer_id,
      lb.provider,
      ${STATUS} as operating_status,
      rule.state,
      ${SINCE} as since,
      rule.reason,
      ${CHECK_GENERATION} as check_generation
    ${FROM};

    create or replace view member_status as
    select id as member_id, pool_id, project_id, operating_status, state, since, reason from member_detail;

    create view pool_detail as
    select
      p.id,
      p.project_id,
      p.name,
      p.admin_state_up,
      p.provisioning_status,
      p.tags,
      p.echo,
      p.created_at,
      p.updated_at,
      p.description,
      p.load_balancer_id,
      p.protocol,
      p.lb_algorithm,
      p.session_persistence,
      ${POOL_STATUS} as operating_status
    from pool p
    join load_balancer lb on lb.id = p.load_balancer_id;

    create or replace view pool_status as
    select id as pool_id, load_balancer_id, project_id, operating_status from pool_detail;
  `)
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop index member_pool_id_created_at_id_idx, health_monitor_project_id_created_at_id_idx,
      pool_project_id_created_at_id_idx;

    create or replace view member_status as
    select m.id as member_id, m.pool_id, m.project_id, ${STATUS} as operating_status, rule.state, ${SINCE} as since, rule.reason
    ${FROM};

    create or replace view pool_status as
    select p.id as pool_id, p.load_balancer_id, p.project_id, ${POOL_STATUS} as operating_status
    from pool p
    join load_balancer lb on lb.id = p.load_balancer_id;

    drop view member_detail, pool_detail;
  `)
}
