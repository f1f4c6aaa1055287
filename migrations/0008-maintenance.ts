/**
 * Maintenance of members, pools and monitors: {"start", "end" or null, "note"}, times in RFC 3339. It is a column of
 * its object, so it is deleted with it; the reader compares it with a clock to know whether it lasts now.
 */
import type { Knex } from 'knex'

const TABLES = ['member', 'pool', 'health_monitor']

export async function up(db: Knex): Promise<void> {
  for (const table of TABLES) {
    await db.raw(
      `alter table ${table} add column maintenance jsonb check (jsonb_typeof(maintenance) = 'object')`,
    )
  }
}

export async function down(db: Knex): Promise<void> {
  for (const table of TABLES) await db.raw(`alter table ${table} drop column maintenance`)
}
