/** Quotas of l7 policies and rules: Octavia's clients set and read them; there are no such objects, so nothing counts them. */
import type { Knex } from 'knex'

const OURS = `'loadbalancer', 'listener', 'pool', 'member', 'healthmonitor'`

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table quota drop constraint quota_resource_check,
      add constraint quota_resource_check check (resource in (${OURS}, 'l7policy', 'l7rule'))
  `)
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    delete from quota where resource in ('l7policy', 'l7rule');
    alter table quota drop constraint quota_resource_check,
      add constraint quota_resource_check check (resource in (${OURS}));
  `)
}
