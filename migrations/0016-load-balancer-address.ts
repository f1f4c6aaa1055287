/**
 * Addresses of load balancers that were given none: clients publish what they read, so each has one of its own out of
 * HM_VIP_RANGE, which is never routed. They are apart from `load_balancer.vip_address`, which holds only addresses that
 * clients chose: an address here is never probed, nor used in a Host header. Load balancers of before get theirs when
 * the API starts, because only it knows the range; those without a port get its id here.
 */
import type { Knex } from 'knex'

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table load_balancer_address (
      load_balancer_id uuid primary key references load_balancer on delete cascade,
      project_id text not null,
      address inet not null unique
    );
    update load_balancer set vip_port_id = gen_random_uuid() where vip_port_id is null;
  `)
}

/** Ids of ports stay: no other object has them, and clients may have read them. */
export async function down(db: Knex): Promise<void> {
  await db.raw('drop table load_balancer_address')
}
