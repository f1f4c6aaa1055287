/**
 * Preset `kuma` asks in HTTP/2 from now on. Monitors that are stored keep the version that they have: it is written out
 * into their options, and into the column that shows it. A monitor that names a version, by its options or its plain field,
 * and gRPC keep what they have by themselves. The Host stays as it is: both versions name the same.
 */
import type { Knex } from 'knex'

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    update health_monitor
    set options = jsonb_set(options, '{http}', coalesce(options->'http', '{}') || '{"version": "1.1"}'),
        http_version = '1.1'
    where options->>'preset' = 'kuma' and type in ('HTTP', 'HTTPS') and http_version is null
      and options->'http'->'version' is null and options->'grpc' is null;
  `)
}

/** The same probes with or without the version: nothing is taken back. */
export async function down(_db: Knex): Promise<void> {}
