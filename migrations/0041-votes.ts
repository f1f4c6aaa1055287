/**
 * Votes: what each site sees of a member that other sites than `local` probe too (ADR 38). The verdict of such a member is
 * decided from the votes and written into `member_state`, by the transaction that writes a vote.
 *
 * Such a member is stale while too few sites vote, whatever the probers of `local` do: the views and the event say so.
 *
 * Verdicts of a member come from a sequence of their own: epochs of different sites cannot be compared. They have epoch 0,
 * which no shard ever has. A member whose sites change gets a new generation, which orders what was written before and after.
 */
import type { Knex } from 'knex'
import { observeOwners, tellStaleChecks } from './0025-staleness.ts'

/** Pools of which sites vote on the members. */
const VOTED_POOLS = 'select voted.pool_id from health_monitor voted where voted.sites is not null'

/** As migration 0017 made them; `isLocal`: pools that `local` alone probes, `voted`: what holds for others. */
function staleViews({
  isLocal,
  stale,
}: {
  readonly isLocal: string
  readonly stale: (ofLocal: string) => string
}): string {
  const ofLocal = `coalesce(pr.lease_until <= now(), true)
          or v.member_id in (select sc.member_id from stale_check sc)`
  return `
    create or replace view stale_check as
    select u.shard, u.member_id
    from (
      select c.shard, e.member_id, e.generation
      from shard_checkpoint c
      cross join lateral unnest(c.member_ids, c.generations, c.stale) as e (member_id, generation, is_stale)
      where true = any (c.stale) and e.is_stale
      offset 0 -- on its own, before anything is joined to it
    ) u
    join member m on m.id = u.member_id
    join pool p on p.id = m.pool_id and p.shard = u.shard
    join load_balancer lb on lb.id = p.load_balancer_id
    join health_monitor hm on hm.pool_id = p.id${isLocal}
    where u.generation = greatest(lb.generation, p.generation, m.generation, hm.generation);

    create or replace view member_status as
    select v.member_id, v.pool_id, v.project_id, v.operating_status, v.state, v.since, v.reason, v.pending,
      v.reason not in ('NO_MONITOR', 'MONITOR_DISABLED', 'LOAD_BALANCER_DISABLED', 'POOL_DISABLED', 'MEMBER_DISABLED',
          'PROVIDER_NOT_PROBED')
        and (${stale(ofLocal)}) as stale
    from member_verdict v
    left join pool p on p.id = v.pool_id
    left join shard sh on sh.id = p.shard
    left join prober pr on pr.id = sh.owner;`
}

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table member_site_state (
      member_id uuid not null,
      site text not null,
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
      written_at timestamptz not null default now(),
      recent bytea,
      -- No conclusive result for three windows: it has no vote.
      stale boolean not null default false,
      primary key (member_id, site)
    ) with (fillfactor = 80);
    create index member_site_state_site_shard_idx on member_site_state (site, shard, member_id);

    create sequence vote_sequence as bigint;

    -- Of a member that sites vote on: fewer vote than the quorum needs, so the status is that of before.
    alter table member_state add column undecided boolean not null default false;
    create index member_state_undecided_idx on member_state (member_id) where undecided;

    -- Shards of sites without a living owner. is_lost: for so long that its votes do not count. is_counted: every member on
    -- which the site votes was decided again since is_lost changed.
    create table site_loss (
      site text not null,
      shard smallint not null,
      since timestamptz not null default now(),
      is_lost boolean not null default false,
      is_counted boolean not null default true,
      -- Some process decides these members until then.
      counting_until timestamptz,
      primary key (site, shard)
    );
    create index site_loss_uncounted_idx on site_loss (site, shard) where not is_counted;
    create index health_monitor_voted_idx on health_monitor (pool_id) where sites is not null;
    ${staleViews({
      isLocal: ' and hm.sites is null',
      stale: (ofLocal) => `case when v.pool_id in (${VOTED_POOLS})
          then v.member_id in (select s.member_id from member_state s where s.undecided) else ${ofLocal} end`,
    })}
  `)
  // The checkpoints of `local` say nothing of a member on which other sites vote.
  const tell = tellStaleChecks('without waiting')
  const told = tell.replace(
    'where e.is_stale and',
    `where e.is_stale and m.pool_id not in (${VOTED_POOLS}) and`,
  )
  if (told === tell) throw new Error('the function of migration 0025 has no such condition')
  await db.raw(told)
  await db.raw(observeOwners('create or replace', ` and p.id not in (${VOTED_POOLS})`))
}

export async function down(db: Knex): Promise<void> {
  await db.raw(tellStaleChecks('without waiting'))
  await db.raw(observeOwners('create or replace'))
  await db.raw(`
    ${staleViews({ isLocal: '', stale: (ofLocal) => ofLocal })}
    drop index health_monitor_voted_idx, member_state_undecided_idx;
    drop table site_loss, member_site_state;
    alter table member_state drop column undecided;
    drop sequence vote_sequence;
  `)
}
