/**
 * Maintenance of members, pools and monitors, and what members and pools depend on. Both lie with the object that they
 * are of, so they go with it. `maintenance`: {"start", "end" or null, "note"}, times in RFC 3339; whether it lasts now is
 * a question to the clock of whoever asks.
 */
import type { Knex } from 'knex'

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table member
      add column maintenance jsonb check (jsonb_typeof(maintenance) = 'object'),
      add column depends_on jsonb not null default '[]' check (jsonb_typeof(depends_on) = 'array');
    alter table pool
      add column maintenance jsonb check (jsonb_typeof(maintenance) = 'object'),
      add column depends_on jsonb not null default '[]' check (jsonb_typeof(depends_on) = 'array');
    alter table health_monitor
      add column maintenance jsonb check (jsonb_typeof(maintenance) = 'object');
  `)
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    alter table health_monitor drop column maintenance;
    alter table pool drop column depends_on, drop column maintenance;
    alter table member drop column depends_on, drop column maintenance;
  `)
}
