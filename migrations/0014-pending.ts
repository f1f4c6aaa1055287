/**
 * What is published until the first verdict, and which fields of a monitor somebody sent.
 *
 * `published_from` of load balancer, pool, member and monitor is the generation at which it was made or last switched
 * on: that ends what was published of the checks below it. Whatever else raises a generation (another type, another
 * target) makes a verdict old; it stays published until there is a newer one. So a verdict is published when its
 * generation is not below the greatest of the four. Kept by the database, so that every writer and every release keeps
 * it alike.
 *
 * `starts_as` is what the options of a monitor choose for members without a verdict; null = what held before the
 * monitor.
 *
 * `sent_fields`: a field that nobody sent has the value of the preset or the default of the dialect, which its column
 * shows. A monitor that an API process of before makes has none: the trigger gives it what the monitors of before got
 * here, so that its columns hold. A change by such a process looks the same as a new one: stop older processes before
 * monitors are changed, or send the change again.
 *
 * And `no_traffic.reported` of monitors that rely on it.
 *
 * The views follow src/domain/status/member-status.ts and src/domain/status/roll-up.ts; tests hold them together.
 */
import type { Knex } from 'knex'
import { createLoadBalancerStatus } from './0003-roll-up.ts'
import { createViews } from './0009-member-and-pool-detail.ts'

const TABLES = ['load_balancer', 'pool', 'member', 'health_monitor']

const CHECK_GENERATION = 'greatest(lb.generation, p.generation, m.generation, hm.generation)'
const PUBLISHED_FROM = 'greatest(lb.published_from, p.published_from, m.published_from, hm.published_from)'
/** Until the monitor was there, NO_MONITOR was published; of members that came later nothing was. */
const MONITOR_IS_NEWEST =
  'hm.published_from > greatest(lb.published_from, p.published_from, m.published_from)'

const PROBED = `hm.admin_state_up and lb.admin_state_up and p.admin_state_up and m.admin_state_up
  and lb.provider <> 'noop_driver'`

const RULE = `
  select
    case
      when hm.id is null or not hm.admin_state_up then 'NO_MONITOR'
      when not lb.admin_state_up or not p.admin_state_up or not m.admin_state_up then 'DISABLED'
      when lb.provider = 'noop_driver' then 'UNKNOWN'
      when s.status is not null then s.status
      when hm.starts_as = 'ONLINE' then 'ONLINE'
      when hm.starts_as = 'OFFLINE' then 'UNKNOWN'
      when ${MONITOR_IS_NEWEST} then 'NO_MONITOR'
      else 'UNKNOWN'
    end as state,
    case
      when hm.id is null then 'NO_MONITOR'
      when not hm.admin_state_up then 'MONITOR_DISABLED'
      when not lb.admin_state_up then 'LOAD_BALANCER_DISABLED'
      when not p.admin_state_up then 'POOL_DISABLED'
      when not m.admin_state_up then 'MEMBER_DISABLED'
      when lb.provider = 'noop_driver' then 'PROVIDER_NOT_PROBED'
      else coalesce(s.reason, 'NOT_YET_PROBED')
    end as reason,
    coalesce(${PROBED}, false) as is_probed`

/** A verdict that is published of a member, of pool `p`, that is switched on; word for word as in migration 0003. */
const VERDICT = `member_state s
  join member m on m.id = s.member_id
  join health_monitor hm on hm.pool_id = s.pool_id
  where s.pool_id = p.id and m.admin_state_up and hm.admin_state_up and s.generation >= ${PUBLISHED_FROM}`
/** A member without one that passes all the same. Asked last: it looks at every member when nobody passes. */
const STARTING = `member m
  join health_monitor hm on hm.pool_id = m.pool_id
  where m.pool_id = p.id and m.admin_state_up and m.weight > 0 and hm.admin_state_up
    and (hm.starts_as = 'ONLINE' or hm.starts_as is null and ${MONITOR_IS_NEWEST})
    and not exists (
      select from member_state s where s.member_id = m.id and s.generation >= ${PUBLISHED_FROM})`

const HAS_PASSING = `(exists (select from ${VERDICT} and s.status = 'ONLINE' and m.weight > 0) or exists (select from ${STARTING}))`
const HAS_FAILING = `exists (select from ${VERDICT} and s.status = 'OFFLINE')`
const HAS_MEMBERS = 'exists (select from member m where m.pool_id = p.id)'
const HAS_WEIGHT =
  'exists (select from member m where m.pool_id = p.id and m.admin_state_up and m.weight > 0)'
const IS_MONITORED = 'exists (select from health_monitor hm where hm.pool_id = p.id and hm.admin_state_up)'
const IS_LISTENED = 'exists (select from listener l where l.default_pool_id = p.id and l.admin_state_up)'

/** Presets that set a status of their own to start with, as they were when this was written. */
const STARTS_AS = `coalesce(
  nullif(options->'initial'->>'status', 'UNKNOWN'),
  case when options->'initial'->>'status' is not null then null
    when options->>'preset' in ('octavia', 'haproxy', 'keepalived', 'contrail') then 'ONLINE'
    when options->>'preset' = 'consul' then 'OFFLINE'
  end)`

/**
 * What holds of a monitor of before goes on: the code 200 said nothing beside a preset, and keepalived's and Contrail's presets
 * overruled max_retries. What the columns show follows.
 */
const SENT_FIELDS = `'["delaySeconds", "timeoutSeconds", "fall"]'::jsonb
  || case when options->>'preset' in ('keepalived', 'contrail') then '[]' else '["rise"]'::jsonb end
  || case when coalesce(expected_codes, '200') = '200' then '[]' else '["expectedCodes"]'::jsonb end
  || case when url_path is null then '[]' else '["urlPath"]'::jsonb end
  || case when http_method is null then '[]' else '["httpMethod"]'::jsonb end
  || case when http_version is null then '[]' else '["httpVersion"]'::jsonb end
  || case when domain_name is null then '[]' else '["domainName"]'::jsonb end`
const RISE = `case when options->>'preset' in ('keepalived', 'contrail') and options->>'rise' is null then 1 else rise end`
const EXPECTED_CODES = `case
    when options->>'preset' in ('haproxy', 'contrail', 'consul') and type in ('HTTP', 'HTTPS')
      and coalesce(expected_codes, '200') = '200' and options->'http'->'expected_statuses' is null and options->'grpc' is null
    then case options->>'preset' when 'haproxy' then '200-399' when 'contrail' then '100-599' else '200-299' end
    else expected_codes
  end`
/** Who set intervals that hold until traffic is seen means to report it. */
const OPTIONS = `case
    when coalesce(options->'intervals'->'no_traffic_ms', options->'intervals'->'no_traffic_healthy_ms') is null then options
    else options || '{"no_traffic": {"reported": true}}'
  end`

/** Columns of `member_detail`, and the tables of which they are. */
export const MEMBER_DETAIL_COLUMNS = `m.id,
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
    case rule.state when 'NO_MONITOR' then 'NO_MONITOR' when 'ONLINE' then 'ONLINE' else 'OFFLINE' end
      as operating_status,
    rule.state,
    case when rule.is_probed then s.since end as since,
    rule.reason,
    ${CHECK_GENERATION} as check_generation,
    ${PUBLISHED_FROM} as published_from,
    rule.is_probed and s.generation is distinct from ${CHECK_GENERATION} as pending`
export const MEMBER_DETAIL_TABLES = `from member m
  join pool p on p.id = m.pool_id
  join load_balancer lb on lb.id = p.load_balancer_id
  left join health_monitor hm on hm.pool_id = m.pool_id
  left join member_state s on s.member_id = m.id and s.generation >= ${PUBLISHED_FROM}
  cross join lateral (${RULE}) rule`
const MEMBER_DETAIL = `select ${MEMBER_DETAIL_COLUMNS} ${MEMBER_DETAIL_TABLES}`

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create function begin_publishing() returns trigger language plpgsql as $$
    begin
      new.published_from := new.generation;
      return new;
    end $$
  `)
  for (const table of TABLES) {
    await db.raw(`
      alter table ${table} add column published_from bigint;
      update ${table} set published_from = generation;
      alter table ${table} alter column published_from set not null;
      create trigger begin_publishing_made before insert on ${table}
        for each row execute function begin_publishing();
      create trigger begin_publishing_switched_on before update of admin_state_up on ${table}
        for each row when (new.admin_state_up and not old.admin_state_up) execute function begin_publishing();
    `)
  }
  await db.raw(`
    alter table health_monitor
      add column starts_as text check (starts_as in ('ONLINE', 'OFFLINE')),
      add column sent_fields jsonb check (jsonb_typeof(sent_fields) = 'array');
    update health_monitor set starts_as = ${STARTS_AS}, sent_fields = ${SENT_FIELDS}, rise = ${RISE},
      expected_codes = ${EXPECTED_CODES}, options = ${OPTIONS};
    alter table health_monitor alter column sent_fields set not null;

    create function complete_monitor_of_before() returns trigger language plpgsql as $$
    begin
      select coalesce(starts_as, ${STARTS_AS}), ${SENT_FIELDS}, ${RISE}, ${EXPECTED_CODES}, ${OPTIONS}
        into new.starts_as, new.sent_fields, new.rise, new.expected_codes, new.options from (select new.*) m;
      return new;
    end $$;
    create trigger complete_monitor_of_before before insert on health_monitor
      for each row when (new.sent_fields is null) execute function complete_monitor_of_before();
  `)
  await dropViews(db)
  await db.raw(`
    create view member_detail as
    ${MEMBER_DETAIL};

    create view member_status as
    select id as member_id, pool_id, project_id, operating_status, state, since, reason, pending from member_detail;
  `)
  await replacePoolViews(db)
}

/** Also for those who go back to these views from later ones. */
export async function replacePoolViews(db: Knex): Promise<void> {
  await db.raw(`
    create or replace view pool_detail as
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

    create or replace view pool_status as
    select id as pool_id, load_balancer_id, project_id, operating_status from pool_detail;

    create or replace view load_balancer_status as
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

async function dropViews(db: Knex): Promise<void> {
  await db.raw('drop view load_balancer_status, pool_status, pool_detail, member_status, member_detail')
}

export async function down(db: Knex): Promise<void> {
  await dropViews(db)
  for (const table of TABLES) {
    await db.raw(`
      drop trigger begin_publishing_made on ${table};
      drop trigger begin_publishing_switched_on on ${table};
      alter table ${table} drop column published_from;
    `)
  }
  await db.raw(`
    drop trigger complete_monitor_of_before on health_monitor;
    drop function begin_publishing, complete_monitor_of_before;
    alter table health_monitor drop column starts_as, drop column sent_fields;
  `)
  await createViews(db)
  await createLoadBalancerStatus(db)
}
