/** What the targets of a shard say of themselves (src/domain/result/flags.ts), in the order of the checkpoint's other arrays. */
import type { Knex } from 'knex'

export async function up(db: Knex): Promise<void> {
  await db.raw('alter table shard_checkpoint add column flags smallint[]')
}

export async function down(db: Knex): Promise<void> {
  await db.raw('alter table shard_checkpoint drop column flags')
}
