/**
 * Zones and clusters of Grey Matter's control API, as their authors wrote them: `object` is the JSON text that is shown, without
 * its checksum. What is probed of a cluster is a pool (migration 0034-doors).
 */
import type { Knex } from 'knex'

/** What a dump has of them, parents first. */
export const TABLES = ['greymatter_zone', 'greymatter_cluster'] as const

const COMMON = `
  project_id text not null check (length(project_id) between 1 and 255),
  name text not null check (length(name) between 1 and 255),
  -- New with each write; of nothing else.
  checksum text not null,
  object text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()`

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table greymatter_zone (
      zone_key text not null check (length(zone_key) between 1 and 255),
      ${COMMON},
      primary key (project_id, zone_key),
      constraint greymatter_zone_name_key unique (project_id, name)
    );
    create table greymatter_cluster (
      cluster_key text not null check (length(cluster_key) between 1 and 255),
      zone_key text not null,
      ${COMMON},
      primary key (project_id, cluster_key),
      constraint greymatter_cluster_name_key unique (project_id, zone_key, name),
      constraint greymatter_cluster_zone_fkey foreign key (project_id, zone_key)
        references greymatter_zone (project_id, zone_key)
    );
  `)
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table greymatter_cluster, greymatter_zone')
}
