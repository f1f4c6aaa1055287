/**
 * `member_status` says whether a member had a conclusive result lately: column `stale`, as in the health of members. A
 * member that should be probed is stale while its shard has no living owner, or while the checkpoint of its shard says
 * so of the current generation of its check. A query without the column costs nothing more: PostgreSQL leaves out left
 * joins by a key, and subqueries, whose columns are not read. It is an `in`, which is worked out once for all rows:
 * arrays would be taken apart for each row otherwise, as PostgreSQL takes them to be short. `shard_checkpoint` stays as
 * it is: probers of before write every column.
 */
import type { Knex } from 'knex'

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create view stale_check as
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
    join health_monitor hm on hm.pool_id = p.id
    where u.generation = greatest(lb.generation, p.generation, m.generation, hm.generation);

    alter view member_status rename to member_verdict;

    create view member_status as
    select v.*,
      v.reason not in ('NO_MONITOR', 'MONITOR_DISABLED', 'LOAD_BALANCER_DISABLED', 'POOL_DISABLED', 'MEMBER_DISABLED',
          'PROVIDER_NOT_PROBED')
        and (coalesce(pr.lease_until <= now(), true)
          or v.member_id in (select sc.member_id from stale_check sc)) as stale
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
  `)
}
