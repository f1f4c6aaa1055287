/**
 * What a prober knows of itself, written with its heartbeat, and the recent results of checks, packed
 * (src/domain/result/recent-results.ts): of all checks of a shard with its checkpoint, of one check with its verdict.
 */
import type { Knex } from 'knex'

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table prober
      add column beat_at timestamptz not null default now(),
      add column facts jsonb not null default '{}' check (jsonb_typeof(facts) = 'object');
    alter table shard_checkpoint add column recent bytea;
    alter table member_state add column recent bytea;
  `)
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    alter table member_state drop column recent;
    alter table shard_checkpoint drop column recent;
    alter table prober drop column facts, drop column beat_at;
  `)
}
