/**
 * Statuses of pools and load balancers are kept, not computed: `pool_roll_up` counts the members of a pool by state, and
 * its status follows from the counts; `load_balancer_roll_up` has the status of a load balancer. So lists, filters, events
 * and the overview read one narrow row, however many members there are. ADR 24 explains the locks.
 *
 * Kept by the database, so that every writer and every release keeps them alike:
 *
 * - A statement that writes verdicts adds the difference of each to the counts of its pool. It locks those rows first
 *   and compares afterwards, so that it sees the configuration that was counted last.
 * - A transaction that changes configuration raises `pool.status_version`, and its pools are counted again when it
 *   commits (deferred triggers): others wait for the rows for the time of a count, not of a transaction.
 *
 * Locks are always taken in the order (load balancer, pool) of `pool_roll_up`, and then `load_balancer_roll_up`.
 *
 * The rules are those of src/domain/status/member-status.ts and src/domain/status/roll-up.ts; tests hold them together.
 */
import type { Knex } from 'knex'
import { replacePoolViews } from './0014-pending.ts'
import { countMembers, differ, markChanges } from './0019-marks.ts'

const CHECK_GENERATION = 'greatest(lb.generation, p.generation, m.generation, hm.generation)'
const PUBLISHED_FROM = 'greatest(lb.published_from, p.published_from, m.published_from, hm.published_from)'

/** The state of member `m`, below `p`, `lb` and `hm`, with the row `s` of member_state; as in migration 0014. */
const stateWith = (s: string): string => `case
    when hm.id is null or not hm.admin_state_up then 'NO_MONITOR'
    when not lb.admin_state_up or not p.admin_state_up or not m.admin_state_up then 'DISABLED'
    when lb.provider = 'noop_driver' then 'UNKNOWN'
    when ${s}.generation >= ${PUBLISHED_FROM} then ${s}.status
    when hm.starts_as = 'ONLINE' then 'ONLINE'
    when hm.starts_as = 'OFFLINE' then 'UNKNOWN'
    when hm.published_from > greatest(lb.published_from, p.published_from, m.published_from) then 'NO_MONITOR'
    else 'UNKNOWN'
  end`
const IS_PROBED = `coalesce(hm.admin_state_up and lb.admin_state_up and p.admin_state_up and m.admin_state_up
    and lb.provider <> 'noop_driver', false)`
const pendingWith = (s: string): string =>
  `(${IS_PROBED} and ${s}.generation is distinct from ${CHECK_GENERATION})`

/**
 * Settings of functions whose work must grow with the rows that they are called for, and never with the tables: every row is
 * looked up by an index. Otherwise a plan reads whole tables, where it was kept from when they were small, or where a pool is
 * smaller than the average. Planning costs more than running: plans are kept.
 */
export const BY_INDEX = `set plan_cache_mode = force_generic_plan
      set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off`

/** Column → when a member `m` in `%.state` (and `%.pending`) counts. */
export type Counts = Readonly<Record<string, string>>
/** Those that verdicts change. */
export const COUNTS: Counts = {
  passing: `m.admin_state_up and m.weight > 0 and %.state in ('ONLINE', 'NO_MONITOR')`,
  online: `%.state = 'ONLINE'`,
  offline: `%.state = 'OFFLINE'`,
  unknown: `%.state = 'UNKNOWN'`,
  disabled: `%.state = 'DISABLED'`,
  no_monitor: `%.state = 'NO_MONITOR'`,
  pending: '%.pending',
}
const COLUMNS = Object.keys(COUNTS)
const KEPT = ['members', 'able', ...COLUMNS]
/** When a member counts, with its state in `alias`. */
const counted = (condition: string, alias: string): string => condition.replaceAll('%', alias)

const POOL_STATUS = `case
      when not new.in_service then 'OFFLINE'
      when new.members = 0 then 'ONLINE'
      when new.able = 0 then 'ERROR'
      when not new.monitored then 'ONLINE'
      when new.passing > 0 and new.offline > 0 then 'DEGRADED'
      when new.passing > 0 then 'ONLINE'
      when new.offline > 0 then 'ERROR'
      else 'OFFLINE'
    end`

export const DECIDE_POOL_STATUS = `
    create or replace function decide_pool_status() returns trigger language plpgsql as $$
    begin
      new.operating_status := ${POOL_STATUS};
      if tg_op = 'UPDATE' and new.operating_status <> old.operating_status then
        new.since := now();
      end if;
      return new;
    end $$;`

/** What a later migration keeps beside: columns of the view, what they are read from, and counts. */
export interface AlsoCounted {
  readonly columns: readonly string[]
  readonly tables: string
  readonly counts: Counts
}

const countOf = ([column, condition]: readonly [string, string]): string =>
  `(count(*) filter (where ${counted(condition, 'm')}))::int as ${column}`

/** What is kept, as it would be counted now. `served`: what else sends traffic to a pool, before `or`. */
export const countedPool = (
  served = '',
  also: AlsoCounted = { columns: [], tables: '', counts: {} },
): string => `
  select p.id as pool_id, p.load_balancer_id, p.project_id, p.status_version,
    lb.provider <> 'noop_driver' and lb.admin_state_up and p.admin_state_up
      and ${served === '' ? '' : `(${served}`}exists (select from listener l where l.default_pool_id = p.id and l.admin_state_up)${served === '' ? '' : ')'} as in_service,
    exists (select from health_monitor hm where hm.pool_id = p.id and hm.admin_state_up) as monitored,
    ${[...KEPT.map((column) => `c.${column}`), ...also.columns].join(', ')}
  from pool p
  join load_balancer lb on lb.id = p.load_balancer_id${also.tables}
  cross join lateral (
    select count(*)::int as members,
      (count(*) filter (where m.admin_state_up and m.weight > 0))::int as able,
      ${Object.entries({ ...COUNTS, ...also.counts })
        .map(countOf)
        .join(',\n      ')}
    from member_detail m where m.pool_id = p.id
  ) c`

const COUNTED_LOAD_BALANCER = `
  select lb.id as load_balancer_id, lb.project_id,
    case
      when lb.provider = 'noop_driver' or not lb.admin_state_up then 'OFFLINE'
      when exists (select from pool_roll_up r where r.load_balancer_id = lb.id and r.operating_status = 'ERROR')
        then 'ERROR'
      when exists (select from pool_roll_up r where r.load_balancer_id = lb.id and r.operating_status = 'DEGRADED')
        then 'DEGRADED'
      else 'ONLINE'
    end as operating_status
  from load_balancer lb`

export async function up(db: Knex): Promise<void> {
  await createTables(db)
  await countConfiguration(db)
  await db.raw('select count_load_balancer(id) from load_balancer order by id')
  await countVerdicts(db)
  await markChanges(db)
  await db.raw(`
    create or replace view pool_detail as
    select p.id, p.project_id, p.name, p.admin_state_up, p.provisioning_status, p.tags, p.echo, p.created_at, p.updated_at,
      p.description, p.load_balancer_id, p.protocol, p.lb_algorithm, p.session_persistence,
      coalesce(r.operating_status, 'OFFLINE') as operating_status
    from pool p left join pool_roll_up r on r.pool_id = p.id;

    create or replace view load_balancer_status as
    select lb.id as load_balancer_id, lb.project_id, coalesce(r.operating_status, 'OFFLINE') as operating_status
    from load_balancer lb left join load_balancer_roll_up r on r.load_balancer_id = lb.id;
  `)
}

async function createTables(db: Knex): Promise<void> {
  await db.raw(`
    alter table pool add column status_version bigint not null default 1;

    create table pool_roll_up (
      pool_id uuid primary key,
      load_balancer_id uuid not null,
      project_id text not null,
      -- pool.status_version that was counted.
      status_version bigint not null,
      -- The pool, its load balancer and a listener that sends traffic to it are switched on.
      in_service boolean not null,
      monitored boolean not null,
      members integer not null,
      -- Switched on, with weight.
      able integer not null,
      -- Of those: ONLINE, or nothing is known of them and they had their traffic before.
      passing integer not null,
      -- By the state of member_status.
      online integer not null,
      offline integer not null,
      unknown integer not null,
      disabled integer not null,
      no_monitor integer not null,
      pending integer not null,
      operating_status text not null,
      since timestamptz not null default now()
    ) with (fillfactor = 70);
    create index pool_roll_up_load_balancer_id_idx on pool_roll_up (load_balancer_id, pool_id);
    create index pool_roll_up_since_idx on pool_roll_up (since);
    create index pool_roll_up_project_id_idx on pool_roll_up (project_id, operating_status);
    -- For lists of members that are switched off: few, among many.
    create index member_switched_off_idx on member (pool_id) where not admin_state_up;

    create table load_balancer_roll_up (
      load_balancer_id uuid primary key,
      project_id text not null,
      operating_status text not null,
      since timestamptz not null default now()
    ) with (fillfactor = 70);

    ${DECIDE_POOL_STATUS}
    create trigger decide_pool_status before insert or update on pool_roll_up
      for each row execute function decide_pool_status();
  `)
}

/** In a function: counts the pools whose ids are in the variable `due`; `also`: more columns that are kept. */
export function countDuePools(also: readonly string[] = []): string {
  const kept = [...KEPT, ...also]
  return `insert into pool_roll_up as r
        (pool_id, load_balancer_id, project_id, status_version, in_service, monitored, ${kept.join(', ')})
      select c.pool_id, c.load_balancer_id, c.project_id, c.status_version, c.in_service, c.monitored,
        ${kept.map((column) => `c.${column}`).join(', ')}
      -- Only these: joined to another table, the view would be counted for every pool.
      from counted_pool c where c.pool_id = any(due)
      order by c.pool_id
      on conflict (pool_id) do update set
        status_version = excluded.status_version, in_service = excluded.in_service, monitored = excluded.monitored,
        ${kept.map((column) => `${column} = excluded.${column}`).join(', ')};`
}

/** The function; `also`: more columns that are kept. */
export function countLoadBalancer(also: readonly string[] = []): string {
  return `
    -- Also when the load balancer, or some of its pools, are gone.
    create or replace function count_load_balancer(of_load_balancer uuid) returns void language plpgsql
      ${BY_INDEX} as $$
    declare
      due uuid[];
    begin
      perform from pool_roll_up r where r.load_balancer_id = of_load_balancer order by r.pool_id for update;
      delete from pool_roll_up r
        where r.load_balancer_id = of_load_balancer and not exists (select from pool p where p.id = r.pool_id);
      select array_agg(p.id) into due
        from pool p left join pool_roll_up kept on kept.pool_id = p.id
        where p.load_balancer_id = of_load_balancer and kept.status_version is distinct from p.status_version;
      ${countDuePools(also)}
      perform roll_up_load_balancers(array[of_load_balancer]);
    end $$;`
}

/** Counts what changed below one load balancer, at the end of the transaction that changed it. */
async function countConfiguration(db: Knex): Promise<void> {
  await db.raw(`
    create view counted_pool as ${countedPool()};
    create view counted_load_balancer as ${COUNTED_LOAD_BALANCER};

    create function roll_up_load_balancers(ids uuid[]) returns void language plpgsql
      ${BY_INDEX} as $$
    begin
      perform from load_balancer_roll_up r where r.load_balancer_id = any(ids) order by r.load_balancer_id for update;
      delete from load_balancer_roll_up r
        where r.load_balancer_id = any(ids) and not exists (select from load_balancer lb where lb.id = r.load_balancer_id);
      insert into load_balancer_roll_up as r (load_balancer_id, project_id, operating_status)
      select c.load_balancer_id, c.project_id, c.operating_status
      from counted_load_balancer c where c.load_balancer_id = any(ids)
      order by c.load_balancer_id
      on conflict (load_balancer_id) do update set operating_status = excluded.operating_status, since = now()
        where r.operating_status <> excluded.operating_status;
    end $$;

    ${countLoadBalancer()}

    create function count_this_load_balancer() returns trigger language plpgsql as $$
    begin
      perform count_load_balancer(coalesce(new.id, old.id));
      return null;
    end $$;
    create constraint trigger count_made after insert on load_balancer deferrable initially deferred
      for each row execute function count_this_load_balancer();
    create constraint trigger count_gone after delete on load_balancer deferrable initially deferred
      for each row execute function count_this_load_balancer();
    create constraint trigger count_changed after update on load_balancer deferrable initially deferred
      for each row when (${differ('admin_state_up provider')}) execute function count_this_load_balancer();

    -- A transaction has as many of these as statements that changed the pool: the first counts it.
    create function count_pool_of_load_balancer() returns trigger language plpgsql as $$
    begin
      if not exists (
        select from pool_roll_up r where r.pool_id = new.id
          and r.status_version = (select p.status_version from pool p where p.id = new.id)
      ) then
        perform count_load_balancer(new.load_balancer_id);
      end if;
      return null;
    end $$;
    create function forget_pool_of_load_balancer() returns trigger language plpgsql as $$
    begin
      if exists (select from pool_roll_up r where r.pool_id = old.id) then
        perform count_load_balancer(old.load_balancer_id);
      end if;
      return null;
    end $$;
    create constraint trigger count_made after insert on pool deferrable initially deferred
      for each row execute function count_pool_of_load_balancer();
    create constraint trigger count_gone after delete on pool deferrable initially deferred
      for each row execute function forget_pool_of_load_balancer();
    create constraint trigger count_changed after update on pool deferrable initially deferred
      for each row when (${differ('status_version')}) execute function count_pool_of_load_balancer();
  `)
}

/** Adds what a statement on member_state changed. Load balancers follow when all pools of the statement are counted. */
async function countVerdicts(db: Knex): Promise<void> {
  await db.raw(`
    ${addVerdicts('add_first_verdicts')}
    ${addVerdicts('add_verdicts')}
    create trigger add_first_verdicts after insert on member_state
      referencing new table as new_state for each statement execute function add_first_verdicts();
    create trigger add_verdicts after update on member_state
      referencing new table as new_state old table as old_state for each statement execute function add_verdicts();

    -- All that changed in this transaction, so that their rows are locked in order; the first of its calls does the work.
    create function follow_pools() returns trigger language plpgsql as $$
    begin
      perform roll_up_load_balancers(
        array(select distinct r.load_balancer_id from pool_roll_up r where r.since = now()));
      return null;
    end $$;
    create constraint trigger follow_pools after update on pool_roll_up deferrable initially deferred
      for each row when (${differ('operating_status')}) execute function follow_pools();
  `)
}

/** What the members of `new_state` had before; without a row there was none. */
export const STATES_BEFORE = {
  add_first_verdicts: 'select -1, n.member_id, null, null from new_state n',
  add_verdicts: 'select -1, o.member_id, o.generation, o.status from old_state o',
} as const

/** A trigger function that adds what verdicts changed to these counts. */
export function addVerdicts(name: keyof typeof STATES_BEFORE, kept: Counts = COUNTS): string {
  const before = STATES_BEFORE[name]
  const columns = Object.keys(kept)
  const differences = Object.entries(kept).map(
    ([column, condition]) => `sum(s.sign * (${counted(condition, 'now')})::int)::int as ${column}`,
  )
  return `
    create or replace function ${name}() returns trigger language plpgsql ${BY_INDEX} as $$
    begin
      perform from pool_roll_up r where r.pool_id in (select n.pool_id from new_state n)
        order by r.load_balancer_id, r.pool_id for update;
      -- No join of old and new states: a kept plan takes both to be short, and compares each with each.
      update pool_roll_up r set ${columns.map((column) => `${column} = r.${column} + difference.${column}`).join(', ')}
      from (
        select m.pool_id, ${differences.join(',\n          ')}
        from (
          select 1 as sign, n.member_id, n.generation, n.status from new_state n
          union all
          ${before}
        ) s
        join member m on m.id = s.member_id
        join pool p on p.id = m.pool_id
        join load_balancer lb on lb.id = p.load_balancer_id
        left join health_monitor hm on hm.pool_id = m.pool_id
        cross join lateral (select ${stateWith('s')} as state, ${pendingWith('s')} as pending) now
        group by m.pool_id
      ) difference
      where r.pool_id = difference.pool_id
        and (${columns.map((column) => `difference.${column}`).join(', ')}) <> (${columns.map(() => '0').join(', ')});
      return null;
    end $$;`
}

export async function down(db: Knex): Promise<void> {
  await replacePoolViews(db)
  await db.raw(`
    ${countMembers('')}
    drop trigger count_made on load_balancer;
    drop trigger count_gone on load_balancer;
    drop trigger count_changed on load_balancer;
    drop trigger count_made on pool;
    drop trigger count_gone on pool;
    drop trigger count_changed on pool;
    drop trigger add_first_verdicts on member_state;
    drop trigger add_verdicts on member_state;
    drop trigger mark_changed_members on member;
    drop trigger mark_pool_of_monitor on health_monitor;
    drop trigger mark_pool_of_changed_monitor on health_monitor;
    drop trigger mark_pools on listener;
    drop trigger mark_pools_of_changed on listener;
    drop trigger mark_pools on load_balancer;
    drop trigger mark_this_pool on pool;
    drop view counted_pool, counted_load_balancer;
    drop table pool_roll_up, load_balancer_roll_up;
    drop index member_switched_off_idx;
    drop function decide_pool_status, roll_up_load_balancers, count_load_balancer, count_this_load_balancer,
      count_pool_of_load_balancer, forget_pool_of_load_balancer, add_first_verdicts, add_verdicts, follow_pools,
      mark_changed_members, mark_pool, mark_pools_of_listener, mark_pools_of_load_balancer, mark_this_pool;
    alter table pool drop column status_version;
  `)
}
