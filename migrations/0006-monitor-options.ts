/**
 * Options of health monitors, in the form of the API; the columns beside them hold the values of the plain fields. And
 * when traffic was first seen on a pool, for intervals that hold until then.
 */
import type { Knex } from 'knex'

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table health_monitor
      add column options jsonb check (jsonb_typeof(options) = 'object' and options <> '{}');
    alter table pool add column traffic_seen_at timestamptz;
  `)
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    alter table health_monitor drop column options;
    alter table pool drop column traffic_seen_at;
  `)
}
