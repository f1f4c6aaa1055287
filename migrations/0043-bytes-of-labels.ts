/**
 * The bytes of an object of a mesh are those of its labels too: they are read with it, and may be most of it. Writes into a
 * mesh and pages of lists are bounded by them.
 */
import type { Knex } from 'knex'

export async function up(db: Knex): Promise<void> {
  await db.raw(bytesOf('octet_length(body::text) + octet_length(labels::text)'))
}

export async function down(db: Knex): Promise<void> {
  await db.raw(bytesOf('octet_length(body::text)'))
}

/** PostgreSQL 15 has no other way to change the expression of a stored column: it writes the table anew. */
function bytesOf(expression: string): string {
  return `
    alter table kuma_resource drop column bytes,
      add column bytes integer not null generated always as (${expression}) stored;
  `
}
