/**
 * Public pages: names and statuses of chosen pools of a project, for everybody who has the link. Only a digest of the
 * link's token is stored, so nobody who reads the database learns a link.
 */
import type { Knex } from 'knex'

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table public_page (
      id uuid primary key,
      project_id text not null,
      title text not null,
      show_members boolean not null,
      -- SHA-256 of the token.
      token_hash bytea not null unique check (octet_length(token_hash) = 32),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );
    create index public_page_project_id_idx on public_page (project_id, created_at, id);

    create table public_page_pool (
      page_id uuid not null references public_page on delete cascade,
      place integer not null,
      pool_id uuid not null references pool on delete cascade,
      primary key (page_id, place)
    );
    create index public_page_pool_pool_id_idx on public_page_pool (pool_id);
  `)
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table public_page_pool, public_page')
}
