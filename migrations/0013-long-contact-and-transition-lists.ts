/**
 * From when on a prober will have had unbroken contact with this database for a lease: the shards of one that is dead may be
 * claimed when somebody has. And the order in which lists of the transitions of a pool and of a project are walked.
 */
import type { Knex } from 'knex'

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table prober add column long_contact_at timestamptz not null default 'infinity';
    create index member_transition_pool_id_id_idx on member_transition (pool_id, id);
    create index member_transition_project_id_id_idx on member_transition (project_id, id);
  `)
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop index member_transition_pool_id_id_idx, member_transition_project_id_id_idx;
    alter table prober drop column long_contact_at;
  `)
}
