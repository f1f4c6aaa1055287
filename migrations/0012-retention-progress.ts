/**
 * How far retention has come: the one row that any process goes on from. `position` is the id of the last transition that was
 * looked at; `walk_after`, where a walk over all members is under way, the last member of it.
 */
import type { Knex } from 'knex'

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table retention_progress (
      is_row boolean primary key default true check (is_row),
      position bigint not null,
      walk_after uuid,
      passed_at timestamptz not null,
      walked_at timestamptz not null
    );
    insert into retention_progress (position, passed_at, walked_at)
    select coalesce(max(id), 0), to_timestamp(0), to_timestamp(0) from member_transition;
  `)
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table retention_progress')
}
