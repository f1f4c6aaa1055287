/**
 * Probing: what probers write. They lock nothing that the API writes, so `member_state` and `member_transition` have no
 * foreign keys to configuration: rows of a deleted member are invisible (every read joins `member`) and purged later;
 * its transitions stay readable until their retention ends.
 *
 * Every write is fenced by (shard, epoch). Order of verdicts is (epoch, sequence), never wall-clock time.
 */
import type { Knex } from 'knex'

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table prober (
      id uuid primary key,
      host text not null,
      pid integer not null,
      started_at timestamptz not null default now(),
      lease_until timestamptz not null
    );

    create table shard (
      id smallint primary key check (id between 0 and 255),
      owner uuid,
      epoch bigint not null default 0
    );
    insert into shard (id) select generate_series(0, 255);

    create table member_state (
      member_id uuid primary key,
      generation bigint not null,
      status text not null check (status in ('ONLINE', 'OFFLINE')),
      since timestamptz not null,
      reason text not null,
      detail text not null default '',
      evidence jsonb not null default '{}',
      ok_run smallint not null,
      bad_run smallint not null,
      shard smallint not null,
      epoch bigint not null,
      sequence bigint not null,
      written_at timestamptz not null default now()
    ) with (fillfactor = 80);

    create table member_transition (
      id bigint generated always as identity primary key,
      member_id uuid not null,
      pool_id uuid not null,
      project_id text not null,
      at timestamptz not null,
      from_state text not null check (from_state in ('UNKNOWN', 'ONLINE', 'OFFLINE')),
      to_state text not null check (to_state in ('ONLINE', 'OFFLINE')),
      reason text not null,
      detail text not null default '',
      evidence jsonb not null default '{}',
      generation bigint not null,
      -- Transitions of this member that were dropped before this one, because PostgreSQL was away for long.
      dropped integer not null default 0 check (dropped >= 0),
      epoch bigint not null,
      sequence bigint not null,
      constraint member_transition_order_key unique (member_id, epoch, sequence)
    );
    create index member_transition_at_idx on member_transition (at);

    -- What a prober last saw of the checks of one shard, rewritten as a whole: element i of each array is one check.
    create table shard_checkpoint (
      shard smallint primary key references shard (id),
      epoch bigint not null,
      as_of timestamptz not null,
      member_ids uuid[] not null,
      generations bigint[] not null,
      probed_at timestamptz[] not null,
      next_at timestamptz[] not null,
      outcomes text[] not null,
      reasons text[] not null,
      -- Microseconds since the start of the probe; null = that phase was not reached.
      total_us integer[] not null,
      echo_us integer[] not null,
      connect_us integer[] not null,
      tls_us integer[] not null,
      first_byte_us integer[] not null,
      ok_runs smallint[] not null,
      bad_runs smallint[] not null,
      stale boolean[] not null
    ) with (fillfactor = 50);

    -- The rules of src/domain/status/member-status.ts in SQL; a test holds the two together.
    create view member_status as
    select
      facts.member_id,
      facts.pool_id,
      facts.project_id,
      case facts.state when 'NO_MONITOR' then 'NO_MONITOR' when 'ONLINE' then 'ONLINE' else 'OFFLINE' end
        as operating_status,
      facts.state,
      case when facts.judged then facts.since end as since,
      facts.reason
    from (
      select
        m.id as member_id,
        m.pool_id,
        m.project_id,
        s.since,
        rule.state,
        rule.reason,
        rule.judged
      from member m
      join pool p on p.id = m.pool_id
      join load_balancer lb on lb.id = p.load_balancer_id
      left join health_monitor hm on hm.pool_id = p.id
      left join member_state s
        on s.member_id = m.id
        and s.generation = greatest(lb.generation, p.generation, m.generation, hm.generation)
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
          end as reason,
          (hm.admin_state_up and lb.admin_state_up and p.admin_state_up and m.admin_state_up
            and lb.provider <> 'noop_driver') as judged
      ) rule
    ) facts;
  `)
}

export async function down(db: Knex): Promise<void> {
  await db.raw(
    'drop view member_status; drop table shard_checkpoint, member_transition, member_state, shard, prober',
  )
}
