/**
 * What lists of members read. An index has members of a pool by verdict, in the order of their ids: lists by status read
 * its entries. `member_listed` is `member_detail` with a version, which differs whenever something of it does: `xmin` of each
 * row of which it is. `member_detail` has the columns that it had.
 */
import type { Knex } from 'knex'
import { MEMBER_DETAIL_COLUMNS, MEMBER_DETAIL_TABLES } from './0014-pending.ts'

/** `member_detail`, as migration 0014 made it. */
const COLUMNS =
  `id project_id name admin_state_up provisioning_status tags echo created_at updated_at pool_id address
  protocol_port subnet_id weight backup monitor_address monitor_port load_balancer_id provider operating_status state since
  reason check_generation published_from pending`.split(/\s+/)

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create index member_state_verdict_idx on member_state (pool_id, status, member_id);
    drop index member_state_pool_id_status_idx;

    ${memberListed()}
  `)
}

/** Makes `member_listed`, and `member_detail` from it; `also`: one more column. */
export function memberListed(also = ''): string {
  return `
    create or replace view member_listed as
    select ${MEMBER_DETAIL_COLUMNS}, concat_ws(' ', m.xmin, p.xmin, lb.xmin, hm.xmin, s.xmin) as version
      ${also === '' ? '' : `, ${also}`}
    ${MEMBER_DETAIL_TABLES};
    create or replace view member_detail as select ${COLUMNS.join(', ')} from member_listed;`
}

/** Leaves `member_detail` as migration 0014 made it. */
export const DROP_MEMBER_LISTED = `
    create or replace view member_detail as select ${MEMBER_DETAIL_COLUMNS} ${MEMBER_DETAIL_TABLES};
    drop view member_listed;`

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    ${DROP_MEMBER_LISTED}

    create index member_state_pool_id_status_idx on member_state (pool_id, status);
    drop index member_state_verdict_idx;
  `)
}
