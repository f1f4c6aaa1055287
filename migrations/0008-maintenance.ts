/**
 * Maintenance of members, pools and monitors: {"start", "end" or null, "note"}, times in RFC 3339. It lies with the object
 * that it is of, so it goes with it; whether it lasts now is a question to the clock of whoever asks.
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
