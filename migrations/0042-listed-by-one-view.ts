/**
 * What lists of pools and members read, from one view each. `is_lbaas` says that no door keeps the pool, without a look-up of
 * the pool for each row. `pool_listed` is `pool_detail` with a version, which differs whenever something of the row of the pool
 * does: its members, listeners and monitor raise `status_version` (migration 0019).
 */
import type { Knex } from 'knex'
import { DROP_MEMBER_LISTED, memberListed } from './0033-members-by-verdict.ts'

/** Planned as half of all rows: of `door is null`, PostgreSQL expects nearly none as long as a table was not analyzed. */
const IS_LBAAS = 'case when p.door is null then true else false end as is_lbaas'
const POOL_COLUMNS = `id project_id name admin_state_up provisioning_status tags echo created_at updated_at description
  load_balancer_id protocol lb_algorithm session_persistence`

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    ${memberListed(IS_LBAAS)}

    create view pool_listed as
    select ${POOL_COLUMNS.split(/\s+/)
      .map((column) => `p.${column}`)
      .join(', ')},
      coalesce(r.operating_status, 'OFFLINE') as operating_status, p.xmin::text as version, ${IS_LBAAS}
    from pool p left join pool_roll_up r on r.pool_id = p.id;
  `)
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop view pool_listed;
    ${DROP_MEMBER_LISTED}
    ${memberListed()}
  `)
}
