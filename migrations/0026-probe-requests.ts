/**
 * Requests for a probe now: the API inserts one, the prober that owns the shard answers it, the API deletes it. Rows live for
 * seconds. No key refers to other tables, so that the delete of a pool with many members does not look here for each of them;
 * a request for a member that is gone is answered, or ends with its time.
 */
import type { Knex } from 'knex'

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table probe_request (
      id uuid primary key,
      -- One at a time.
      member_id uuid not null constraint probe_request_member_key unique,
      pool_id uuid not null,
      project_id text not null,
      shard smallint not null,
      config_version bigint not null,
      counted boolean not null,
      requested_at timestamptz not null default now(),
      deadline timestamptz not null,
      -- The prober, and the epoch of the shard at which it took the request.
      taken_by uuid,
      taken_epoch bigint,
      answer jsonb
    )`)
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table probe_request')
}
