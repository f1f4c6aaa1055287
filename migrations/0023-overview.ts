/** What the overview counts beside the kept statuses: members in maintenance, few among many. */
import type { Knex } from 'knex'

export async function up(db: Knex): Promise<void> {
  await db.raw('create index member_maintained_idx on member (project_id) where maintenance is not null')
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop index member_maintained_idx')
}
