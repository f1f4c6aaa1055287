/**
 * What a pool makes of the statuses of its members (ADR 36). `pool_roll_up` keeps the rule that follows from the options of the
 * pool, two more counts, and who should get traffic now. All of it is decided by the trigger that decides the status, from
 * numbers of the same row: a verdict costs no look at members.
 *
 * Without options the status of a pool is decided as before, and there is no event.
 *
 * The rules are those of src/domain/pool-health/traffic.ts and src/domain/status/roll-up.ts, and the presets those of
 * src/domain/pool-health/pool-presets.ts; tests hold them together.
 */
import type { Knex } from 'knex'
import {
  addVerdicts,
  countedPool,
  countLoadBalancer,
  COUNTS,
  DECIDE_POOL_STATUS,
} from './0019-kept-statuses.ts'
import { differ, markChangedMembers } from './0019-marks.ts'
import { countChangedPools } from './0032-cheaper-writes.ts'

const SERVED = 'p.door is not null or '
const PASSING_BACKUP = `m.backup and ${COUNTS['passing'] ?? ''}`
/** Columns of the rule, null where the options say nothing. */
const RULE = ['at_least', 'percent', 'when_too_few', 'overprovisioning_percent']
const ALSO = ['switched_on', 'able_backup', 'passing_backup', ...RULE]
const DECIDED = 'traffic traffic_first traffic_backups'

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table pool_roll_up
      -- The pool and its load balancer, whose provider is one that reports.
      add column switched_on boolean not null default false,
      -- Of able and passing, those that are backups.
      add column able_backup integer not null default 0,
      add column passing_backup integer not null default 0,
      add column at_least integer,
      add column percent integer,
      -- Null: the pool has no options.
      add column when_too_few text,
      add column overprovisioning_percent integer,
      -- What is the case, and who gets traffic: none, passing or all of the able members that are no backups, and of the backups.
      add column traffic text not null default 'switched_off',
      add column traffic_first text not null default 'none',
      add column traffic_backups text not null default 'none';

    ${POOL_RULE}
    create or replace view counted_pool as ${countedPool(SERVED, {
      columns: [
        `lb.provider <> 'noop_driver' and lb.admin_state_up and p.admin_state_up as switched_on`,
        'c.able_backup',
        'c.passing_backup',
        ...RULE.map((column) => `rule.${column}`),
      ],
      tables: ` cross join lateral pool_rule(p.echo->'options') rule`,
      counts: {
        able_backup: 'm.backup and m.admin_state_up and m.weight > 0',
        passing_backup: PASSING_BACKUP,
      },
    })};
    ${countLoadBalancer(ALSO)}
    ${countChangedPools(ALSO)}
    ${addVerdicts('add_first_verdicts', { ...COUNTS, passing_backup: PASSING_BACKUP })}
    ${addVerdicts('add_verdicts', { ...COUNTS, passing_backup: PASSING_BACKUP })}
    ${markChangedMembers(['backup'])}
    ${MARK_OPTIONS}
    ${DECIDE}
    ${TELL}
  `)
  // The trigger decides the rest. No pool has options yet, so no status changes and there are no events.
  await db.raw(`
    update pool_roll_up r set switched_on = c.switched_on, able_backup = c.able_backup, passing_backup = c.passing_backup
    from counted_pool c where c.pool_id = r.pool_id;
  `)
}

/** The options of a pool with those of their preset, as numbers. */
const POOL_RULE = `
    create function pool_rule(options jsonb, out at_least integer, out percent integer, out when_too_few text,
      out overprovisioning_percent integer) language sql immutable parallel safe as $$
      select case when complete->>'healthy_when' = 'any' then 1 else (complete->'healthy_when'->>'at_least')::integer end,
        (complete->'healthy_when'->>'percent')::integer,
        case when options is not null then coalesce(complete->>'when_too_few', 'report') end,
        (complete->>'overprovisioning_percent')::integer
      from (select case options->>'preset'
        when 'aws' then '{"healthy_when": {"at_least": 1}, "when_too_few": "fail_open"}'
        when 'envoy' then
          '{"healthy_when": {"percent": 50}, "when_too_few": "fail_open", "overprovisioning_percent": 140}'
        else '{}' end::jsonb || options as complete) of_preset
    $$;`

const MARK_OPTIONS = `
    create function mark_pool_options() returns trigger language plpgsql as $$
    begin
      new.status_version := old.status_version + 1;
      return new;
    end $$;
    create trigger mark_pool_options before update on pool
      for each row when ((new.echo->'options') is distinct from (old.echo->'options'))
      execute function mark_pool_options();`

/** As `trafficOf` and `POOL_RULES` say it. */
const DECIDE = `
    create or replace function decide_pool_status() returns trigger language plpgsql as $$
    declare
      able_first constant integer := new.able - new.able_backup;
      passing_first constant integer := new.passing - new.passing_backup;
      -- Of whom a percentage is; backups replace first members.
      base constant integer := case when able_first > 0 then able_first else new.able end;
      least_wanted constant integer := coalesce(new.at_least, 1);
      percent_wanted constant integer := coalesce(new.percent, 0);
      of_too_few constant text := case new.when_too_few when 'fail_open' then 'all' when 'fail_closed' then 'none'
        else 'passing' end;
      kind_of_too_few constant text := case when new.when_too_few in ('fail_open', 'fail_closed') then new.when_too_few
        else 'too_few' end;
      too_few boolean := false;
      -- By levels: per cent of the traffic that each can take, and whether too few of it pass.
      health_first integer;
      health_backups integer;
      total integer;
      panic_first boolean;
      panic_backups boolean;
      load_first boolean;
      load_backups boolean;
    begin
      if not new.switched_on or new.able = 0 then
        new.traffic := case when new.switched_on then 'empty' else 'switched_off' end;
        new.traffic_first := 'none';
        new.traffic_backups := 'none';
      elsif new.overprovisioning_percent is null or new.percent is null then
        if passing_first >= least_wanted and passing_first::bigint * 100 >= percent_wanted::bigint * base then
          new.traffic := 'healthy';
          new.traffic_first := 'passing';
          new.traffic_backups := 'none';
        elsif new.passing >= least_wanted and new.passing::bigint * 100 >= percent_wanted::bigint * base then
          new.traffic := 'backup';
          new.traffic_first := 'passing';
          new.traffic_backups := 'passing';
        else
          too_few := true;
          new.traffic := kind_of_too_few;
          new.traffic_first := of_too_few;
          new.traffic_backups := of_too_few;
        end if;
      else
        health_first := case when able_first = 0 then 0
          else least(100, new.overprovisioning_percent::bigint * passing_first / able_first) end;
        health_backups := case when new.able_backup = 0 then 0
          else least(100, new.overprovisioning_percent::bigint * new.passing_backup / new.able_backup) end;
        total := least(100, health_first + health_backups);
        panic_first := total < 100
          and (able_first = 0 or passing_first::bigint * 100 < new.percent::bigint * able_first);
        panic_backups := total < 100
          and (new.able_backup = 0 or new.passing_backup::bigint * 100 < new.percent::bigint * new.able_backup);
        if panic_first and panic_backups then
          load_first := able_first > 0;
          load_backups := new.able_backup > 0;
        else
          load_first := health_first > 0;
          load_backups := health_backups > 0 and 100 * health_first / total < 100;
        end if;
        too_few := load_first and panic_first or load_backups and panic_backups;
        new.traffic := case when too_few then kind_of_too_few when load_backups then 'backup' else 'healthy' end;
        new.traffic_first := case when not load_first then 'none' when panic_first then of_too_few else 'passing' end;
        new.traffic_backups :=
          case when not load_backups then 'none' when panic_backups then of_too_few else 'passing' end;
      end if;
      new.operating_status := case
        when not new.in_service then 'OFFLINE'
        when new.members = 0 then 'ONLINE'
        when new.able = 0 then 'ERROR'
        when not new.monitored then 'ONLINE'
        when new.passing > 0 and case when new.at_least is null and new.percent is null then new.offline > 0 else too_few end
          then 'DEGRADED'
        when new.passing > 0 then 'ONLINE'
        when new.offline > 0 then 'ERROR'
        else 'OFFLINE'
      end;
      if tg_op = 'UPDATE' and new.operating_status <> old.operating_status then
        new.since := now();
      end if;
      return new;
    end $$;`

/** Of pools that have options, or had them until this change. */
const TELL = `
    create function tell_effective_members() returns trigger language plpgsql as $$
    begin
      insert into event_outbox (type, project_id, load_balancer_id, pool_id, from_status, to_status, data)
      values ('pool.effective_members', new.project_id,
        case when not exists (select from pool p where p.id = new.pool_id and p.door is not null)
          then new.load_balancer_id end,
        new.pool_id, old.traffic, new.traffic, jsonb_build_object('members', new.members, 'able', new.able,
          'passing', new.passing, 'first', new.traffic_first, 'backups', new.traffic_backups));
      return null;
    end $$;
    create trigger tell_effective_members after update on pool_roll_up
      for each row when ((new.when_too_few is not null or old.when_too_few is not null) and ${differ(DECIDED)})
      execute function tell_effective_members();`

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop trigger tell_effective_members on pool_roll_up;
    drop trigger mark_pool_options on pool;
    drop function tell_effective_members, mark_pool_options;
    drop view counted_pool;
    drop function pool_rule;
    create view counted_pool as ${countedPool(SERVED)};
    ${countLoadBalancer()}
    ${countChangedPools()}
    ${addVerdicts('add_first_verdicts')}
    ${addVerdicts('add_verdicts')}
    ${markChangedMembers()}
    ${DECIDE_POOL_STATUS}
    alter table pool_roll_up ${[...ALSO, ...DECIDED.split(' ')].map((column) => `drop column ${column}`).join(', ')};
  `)
  // A pool with options may have had another status.
  await db.raw(`
    update pool_roll_up set since = since;
    update pool set echo = echo - 'options' where echo->'options' is not null;
  `)
}
