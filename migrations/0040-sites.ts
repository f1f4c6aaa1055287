/**
 * Sites: a prober is in one, and a shard's lease is per site and shard. Everything that there is becomes `local`, and keeps
 * its tables: processes of before this migration go on beside newer ones during an upgrade, and write and read these.
 * Shards of other sites are made when the first prober of the site comes.
 *
 * `health_monitor.sites` are the sites that probe its members; null = `local` alone. It repeats `options.sites`, so that
 * probers find their monitors without reading options, which may be large.
 */
import type { Knex } from 'knex'

/** A label of DNS (src/domain/site/site-name.ts). */
const IS_SITE_NAME = `site ~ '^[a-z0-9-]{1,32}$' and site !~ '^-|-$'`

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table prober add column site text not null default 'local' constraint prober_site_check check (${IS_SITE_NAME});
    alter table probe_request add column site text not null default 'local';
    alter table health_monitor add column sites jsonb
      constraint health_monitor_sites_check check (jsonb_typeof(sites) = 'array' and jsonb_array_length(sites) between 1 and 16);

    create table site_shard (
      site text not null check (${IS_SITE_NAME} and site <> 'local'),
      id smallint not null references shard (id),
      owner uuid,
      epoch bigint not null default 0,
      primary key (site, id)
    );

    -- As shard_checkpoint, of the other sites.
    create table site_checkpoint (
      like shard_checkpoint,
      site text not null,
      primary key (site, shard),
      foreign key (site, shard) references site_shard (site, id)
    ) with (fillfactor = 50);
  `)
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop table site_checkpoint, site_shard;
    alter table health_monitor drop column sites;
    alter table probe_request drop column site;
    alter table prober drop column site;
  `)
}
