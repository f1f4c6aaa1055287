/**
 * `updated_at` is never null: an object is last changed when it is made, until something changes it. Octavia too sets it
 * when an object becomes ACTIVE, which here is at once.
 */
import type { Knex } from 'knex'

const TABLES = ['load_balancer', 'listener', 'pool', 'member', 'health_monitor']

export async function up(db: Knex): Promise<void> {
  for (const table of TABLES) {
    await db.raw(`
      update ${table} set updated_at = created_at where updated_at is null;
      alter table ${table} alter column updated_at set default now(), alter column updated_at set not null;
    `)
  }
}

export async function down(db: Knex): Promise<void> {
  for (const table of TABLES) {
    await db.raw(
      `alter table ${table} alter column updated_at drop not null, alter column updated_at drop default`,
    )
  }
}
