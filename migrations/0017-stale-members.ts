/**
 * `member_status` says whether anybody has had a sure look at a member lately: column `stale`, as health of members tells it. A
 * member that should be probed is stale while its shard has no living owner, or while the checkpoint of its shard says so of the
 * current generation of its check. The checkpoint keeps the few that are stale apart, so that nobody walks its arrays for them; who does not read the column pays nothing, as left
 * joins by a key that nobody reads are left out.
 */
import type { Knex } from 'knex'

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create function elements_where(elements anyarray, chosen boolean[]) returns anyarray
      language sql immutable parallel safe
      as $$ select array_agg(e) filter (where is_chosen) from unnest(elements, chosen) as u (e, is_chosen) $$;

    alter table shard_checkpoint
      add column stale_ids uuid[] generated always as (elements_where(member_ids, stale)) stored,
      add column stale_generations bigint[] generated always as (elements_where(generations, stale)) stored;

    create view stale_check as
    select c.shard, u.member_id
    from shard_checkpoint c
    cross join lateral unnest(c.stale_ids, c.stale_generations) as u (member_id, generation)
    join member m on m.id = u.member_id
    join pool p on p.id = m.pool_id and p.shard = c.shard
    join load_balancer lb on lb.id = p.load_balancer_id
    join health_monitor hm on hm.pool_id = p.id
    where u.generation = greatest(lb.generation, p.generation, m.generation, hm.generation);

    alter view member_status rename to member_verdict;

    create view member_status as
    select v.*,
      v.reason not in ('NO_MONITOR', 'MONITOR_DISABLED', 'LOAD_BALANCER_DISABLED', 'POOL_DISABLED', 'MEMBER_DISABLED',
          'PROVIDER_NOT_PROBED')
        and (coalesce(pr.lease_until <= now(), true)
          or exists (select from stale_check sc where sc.member_id = v.member_id and sc.shard = p.shard)) as stale
    from member_verdict v
    left join pool p on p.id = v.pool_id
    left join shard sh on sh.id = p.shard
    left join prober pr on pr.id = sh.owner;
  `)
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop view member_status;
    alter view member_verdict rename to member_status;
    drop view stale_check;
    alter table shard_checkpoint drop column stale_ids, drop column stale_generations;
    drop function elements_where;
  `)
}
