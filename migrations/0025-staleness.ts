/**
 * The part of migration 0025 that tells when the status of a member is too old to trust, and when it no longer is:
 * `member.stale`, to STALE and to FRESH.
 *
 * - A check without a conclusive result for three windows: the checkpoint of its shard says so. A trigger compares it with what
 *   was told. A prober that takes a shard over knows nothing of what was stale, so that alone is no FRESH: a conclusive result
 *   is, or that the member is not probed any more. Where more than 100 members of a pool change in one checkpoint, one event
 *   tells their number.
 * - A shard without a living owner: nobody writes anything at that moment. `observe_owners`, called once a second, notes since
 *   when, and tells it once for each pool, with the number of its members.
 */
import type { Knex } from 'knex'

const NOT_PROBED = `('NO_MONITOR', 'MONITOR_DISABLED', 'LOAD_BALANCER_DISABLED', 'POOL_DISABLED', 'MEMBER_DISABLED', 'PROVIDER_NOT_PROBED')`
/** More members of a pool than this at once are one event, as in `config.changed`. */
const TOLD_ONE_BY_ONE = 100
/** Shards of which one run tells: all of them within 16 seconds. */
const SHARDS_PER_RUN = 16
const IS_OWNED = `exists (select from prober pr where pr.id = sh.owner and pr.lease_until > now())`
/** Members of a pool that should be probed; rows r and lb. */
const PROBED_MEMBERS = `case when r.monitored and lb.provider <> 'noop_driver' then r.members - r.disabled else 0 end`

export async function tellStaleness(db: Knex): Promise<void> {
  await db.raw(`
    -- Members of which STALE was told, and FRESH was not.
    create table stale_told (
      member_id uuid primary key,
      shard smallint not null
    );
    create index stale_told_shard_idx on stale_told (shard);

    ${tellStaleChecks('waiting', 'create')}
    create trigger tell_stale_checks after insert or update on shard_checkpoint
      for each row execute function tell_stale_checks();

    -- In the order in which checkpoints lock them.
    create function forget_stale() returns trigger language plpgsql as $$
    begin
      delete from stale_told where member_id in (
        select t.member_id from stale_told t where t.member_id in (select g.id from gone g)
        order by t.shard, t.member_id for update);
      return null;
    end $$;
    create trigger forget_stale after delete on member
      referencing old table as gone for each statement execute function forget_stale();
  `)
  await tellOwners(db)
}

/**
 * What migration 0038 has changed. An insert waits for a transaction that deletes the same row, so the row is looked
 * for first. A member that is deleted while its STALE event is written leaves a row behind, which the next checkpoint removes.
 */
const LOCKS = {
  waiting: {
    lock: 'for update',
    unreported: 'e.member_id not in (select told.member_id from told)',
    forget: 'delete from stale_told t using over where t.member_id = over.member_id',
  },
  'without waiting': {
    lock: 'for update skip locked',
    unreported: 'not exists (select from stale_told t where t.member_id = e.member_id)',
    forget: `delete from stale_told t using told where t.member_id = told.member_id
          and (t.member_id in (select over.member_id from over)
            or not exists (select from member m where m.id = t.member_id))`,
  },
} as const

/**
 * The trigger of checkpoints. One statement writes those of many shards and projects. `without waiting`: rows that a
 * request has locked, because it deletes members, are left for the next checkpoint.
 */
export function tellStaleChecks(
  locks: keyof typeof LOCKS,
  create: 'create' | 'create or replace' = 'create or replace',
): string {
  const { lock, unreported, forget } = LOCKS[locks]
  return `
    ${create} function tell_stale_checks() returns trigger language plpgsql as $$
    begin
      if not (true = any (new.stale)) and not exists (select from stale_told t where t.shard = new.shard) then
        return null;
      end if;
      with entry as materialized (
        select e.* from unnest(new.member_ids, new.stale, new.outcomes, new.reasons)
          as e (member_id, is_stale, outcome, reason)
      ), told as materialized (
        select t.member_id from stale_told t where t.shard = new.shard order by t.member_id ${lock}
      ), stale as (
        insert into stale_told (member_id, shard)
        select e.member_id, new.shard from entry e
        join member m on m.id = e.member_id
        join pool p on p.id = m.pool_id and p.shard = new.shard
        where e.is_stale and ${unreported} order by e.member_id
        on conflict do nothing returning member_id
      ), over as materialized (
        select told.member_id, coalesce(e.reason, s.reason) as reason
        from told
        left join entry e on e.member_id = told.member_id
        left join lateral (
          select ms.reason from member_status ms
          where e.member_id is null and ms.member_id = told.member_id offset 0) s on true
        where not e.is_stale and e.outcome <> 'inconclusive' or e.member_id is null and s.reason in ${NOT_PROBED}
      ), fresh as (
        ${forget}
      ), change as (
        select 'STALE' as to_status, e.member_id, e.reason from stale join entry e on e.member_id = stale.member_id
        union all
        select 'FRESH', over.member_id, over.reason from over
      ), counted as (
        select c.*, m.pool_id, m.project_id, count(*) over (partition by c.to_status, m.pool_id) as n
        from change c join member m on m.id = c.member_id
      )
      insert into event_outbox (type, project_id, pool_id, member_id, to_status, data)
      select 'member.stale', c.project_id, c.pool_id, c.member_id, c.to_status, jsonb_build_object('reason', c.reason)
      from counted c where c.n <= ${TOLD_ONE_BY_ONE}
      union all
      select 'member.stale', c.project_id, c.pool_id, null, c.to_status,
        jsonb_build_object('reason', mode() within group (order by c.reason), 'members', count(*))
      from counted c where c.n > ${TOLD_ONE_BY_ONE} group by c.project_id, c.pool_id, c.to_status;
      return null;
    end $$;`
}

async function tellOwners(db: Knex): Promise<void> {
  await db.raw(`
    -- Shards without a living owner; told_at: when their pools were looked through last.
    create table unowned_shard (
      shard smallint primary key,
      since timestamptz not null,
      told_at timestamptz
    );
    -- Pools of which that was told.
    create table unowned_pool_told (
      pool_id uuid primary key,
      shard smallint not null
    );
    create index unowned_pool_told_shard_idx on unowned_pool_told (shard);

    ${observeOwners('create')}
  `)
}

/** `only`: a further condition on pools `p` of which this tells (migration 0041). */
export function observeOwners(create: 'create' | 'create or replace', only = ''): string {
  return `
    -- Tells of shards that have had no living owner for longer than grace.
    ${create} function observe_owners(grace interval) returns void language plpgsql as $$
    begin
      -- One caller is enough; until this is committed.
      if not pg_try_advisory_xact_lock(4826017736) then
        return;
      end if;
      insert into unowned_shard (shard, since)
      select sh.id, coalesce((select pr.lease_until from prober pr where pr.id = sh.owner), now()) from shard sh
      where not ${IS_OWNED} and not exists (select from unowned_shard u where u.shard = sh.id);

      if not exists (select from unowned_shard) then
        return;
      end if;

      with due as (
        update unowned_shard set told_at = now() where shard in (
          select u.shard from unowned_shard u join shard sh on sh.id = u.shard
          where u.since < now() - grace and not ${IS_OWNED}
            and coalesce(u.told_at < now() - interval '1 minute', true)
          order by u.told_at nulls first, u.shard limit ${SHARDS_PER_RUN})
        returning shard
      ), pool_due as materialized (
        select p.id, p.shard, p.project_id, ${PROBED_MEMBERS} as members
        from due join pool p on p.shard = due.shard
        join pool_roll_up r on r.pool_id = p.id
        join load_balancer lb on lb.id = p.load_balancer_id
        where ${PROBED_MEMBERS} > 0${only} and not exists (select from unowned_pool_told t where t.pool_id = p.id)
      ), told as (
        insert into unowned_pool_told (pool_id, shard) select id, shard from pool_due
      )
      insert into event_outbox (type, project_id, pool_id, to_status, data)
      select 'member.stale', project_id, id, 'STALE', jsonb_build_object('reason', 'NO_PROBER', 'members', members)
      from pool_due order by id;

      with back as (
        delete from unowned_shard where shard in (
          select u.shard from unowned_shard u join shard sh on sh.id = u.shard
          where ${IS_OWNED} order by u.shard limit ${SHARDS_PER_RUN})
        returning shard
      ), over as (
        delete from unowned_pool_told t using back where t.shard = back.shard returning t.pool_id
      )
      insert into event_outbox (type, project_id, pool_id, to_status, data)
      select 'member.stale', p.project_id, p.id, 'FRESH',
        jsonb_build_object('reason', 'PROBED_AGAIN', 'members', ${PROBED_MEMBERS})
      from over join pool p on p.id = over.pool_id
      join pool_roll_up r on r.pool_id = p.id
      join load_balancer lb on lb.id = p.load_balancer_id
      order by p.id;
    end $$;`
}

export async function dropStaleness(db: Knex): Promise<void> {
  await db.raw(`
    drop function observe_owners;
    drop table unowned_pool_told, unowned_shard;
    drop trigger tell_stale_checks on shard_checkpoint;
    drop trigger forget_stale on member;
    drop function tell_stale_checks, forget_stale;
    drop table stale_told;
  `)
}
