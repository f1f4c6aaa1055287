/**
 * Kuma's objects: meshes, and what is in them, as their authors wrote them. What is probed follows from them: pools of the door
 * `kuma` (ADR 35), written in the same transaction.
 */
import type { Knex } from 'knex'

/** What a dump has of them, parents first. */
export const TABLES = ['kuma_mesh', 'kuma_resource'] as const

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table kuma_mesh (
      project_id text not null check (length(project_id) between 1 and 255),
      name text not null check (length(name) between 1 and 253),
      labels jsonb not null default '{}' check (jsonb_typeof(labels) = 'object'),
      body jsonb not null default '{}' check (jsonb_typeof(body) = 'object'),
      created_at timestamptz not null default clock_timestamp(),
      updated_at timestamptz not null default clock_timestamp(),
      primary key (project_id, name)
    );
    create table kuma_resource (
      project_id text not null,
      mesh text not null,
      type text not null check (type in ('Dataplane', 'HealthCheck', 'MeshHealthCheck', 'MeshService')),
      name text not null check (length(name) between 1 and 253),
      labels jsonb not null default '{}' check (jsonb_typeof(labels) = 'object'),
      -- Without type, mesh, name, labels and times.
      body jsonb not null check (jsonb_typeof(body) = 'object'),
      -- Of the body as text: reads of many rows are bounded by it.
      bytes integer not null generated always as (octet_length(body::text)) stored,
      created_at timestamptz not null default clock_timestamp(),
      updated_at timestamptz not null default clock_timestamp(),
      primary key (project_id, mesh, type, name),
      foreign key (project_id, mesh) references kuma_mesh (project_id, name)
    );
  `)
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table kuma_resource, kuma_mesh')
}
