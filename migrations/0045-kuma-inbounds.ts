/**
 * What lists of a mesh need, without its objects: each inbound and gateway with its service, and which members decide about an
 * inbound. So a page of services counts the inbounds of these services alone, and a page of proxies looks at the checks of these
 * proxies alone.
 *
 * `kuma_inbound` follows from the proxies by a trigger, whoever writes them. `kuma_inbound_check` is written with the pools.
 */
import type { Knex } from 'knex'

/** What a dump has of them, and what is made again when the proxies are restored. */
export const TABLES = ['kuma_inbound_check'] as const
export const DERIVED_TABLES = ['kuma_inbound'] as const

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table kuma_inbound (
      project_id text not null,
      mesh text not null,
      dataplane text not null,
      -- In the list of inbounds, from 1; 0 = the gateway of the proxy.
      place integer not null,
      -- Null of a gateway.
      port integer,
      name text,
      -- In the order of bytes, as lists have it.
      service text collate "C",
      tags jsonb not null,
      kind text not null check (kind in ('internal', 'gateway_builtin', 'gateway_delegated')),
      -- As the author of the proxy says; what checks say comes before it.
      ready boolean not null,
      ignored boolean not null,
      primary key (project_id, mesh, dataplane, place)
    );
    create index kuma_inbound_service_idx on kuma_inbound (project_id, mesh, service)
      where service is not null and not ignored;
    create index kuma_inbound_port_idx on kuma_inbound (project_id, mesh, port);

    create table kuma_inbound_check (
      member_id uuid not null references member (id) on delete cascade,
      project_id text not null,
      mesh text not null,
      dataplane text not null,
      port integer not null,
      primary key (member_id, dataplane, port)
    );
    create index kuma_inbound_check_inbound_idx on kuma_inbound_check (project_id, mesh, dataplane, port);

    -- Pages by name, of one mesh and of all.
    create index kuma_resource_of_mesh_idx on kuma_resource (project_id, type, mesh, name collate "C");
    create index kuma_resource_of_project_idx on kuma_resource (project_id, type, name collate "C", mesh collate "C");

    create function keep_kuma_inbounds() returns trigger language plpgsql as $$
    begin
      if tg_op <> 'INSERT' then
        delete from kuma_inbound i using old_rows o
        where o.type = 'Dataplane' and i.project_id = o.project_id and i.mesh = o.mesh and i.dataplane = o.name;
      end if;
      if tg_op <> 'DELETE' then
        ${inboundsOf('new_rows')}
      end if;
      return null;
    end $$;
    create trigger keep_kuma_inbounds_added after insert on kuma_resource
      referencing new table as new_rows for each statement execute function keep_kuma_inbounds();
    create trigger keep_kuma_inbounds_changed after update on kuma_resource
      referencing old table as old_rows new table as new_rows for each statement execute function keep_kuma_inbounds();
    create trigger keep_kuma_inbounds_gone after delete on kuma_resource
      referencing old table as old_rows for each statement execute function keep_kuma_inbounds();

    ${inboundsOf('kuma_resource')}
    insert into kuma_inbound_check (member_id, project_id, mesh, dataplane, port)
    select m.id, lb.project_id, lb.door_key, split_part(i, ':', 1), split_part(i, ':', 2)::integer
    from load_balancer lb
    join pool p on p.load_balancer_id = lb.id
    join member m on m.pool_id = p.id
    cross join lateral jsonb_array_elements_text(m.echo->'inbounds') i
    where lb.door = 'kuma' and p.echo->'decides' = 'true'
    on conflict do nothing;
  `)
}

/** An inbound is not ready when it has a health that does not say so, or the state NotReady (src/domain/kuma/status.ts). */
function inboundsOf(rows: string): string {
  return `
    insert into kuma_inbound (project_id, mesh, dataplane, place, port, name, service, tags, kind, ready, ignored)
    select r.project_id, r.mesh, r.name, e.place, e.port, e.name, e.tags->>'kuma.io/service', coalesce(e.tags, '{}'),
      e.kind, e.ready, e.ignored
    from ${rows} r
    cross join lateral (
      select i.place::integer, (i.inbound->>'port')::integer as port, i.inbound->>'name' as name, i.inbound->'tags' as tags,
        'internal' as kind,
        coalesce(i.inbound->>'state', '') <> 'NotReady'
          and (i.inbound->'health' is null or coalesce(i.inbound->'health'->'ready' = 'true', false)) as ready,
        coalesce(i.inbound->>'state', '') = 'Ignored' as ignored
      from jsonb_array_elements(coalesce(r.body->'networking'->'inbound', '[]')) with ordinality i (inbound, place)
      union all
      select 0, null, null, g.gateway->'tags',
        case when g.gateway->>'type' = 'BUILTIN' then 'gateway_builtin' else 'gateway_delegated' end, true, false
      from (select r.body->'networking'->'gateway' as gateway) g where g.gateway is not null
    ) e
    where r.type = 'Dataplane';
  `
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop trigger keep_kuma_inbounds_added on kuma_resource;
    drop trigger keep_kuma_inbounds_changed on kuma_resource;
    drop trigger keep_kuma_inbounds_gone on kuma_resource;
    drop function keep_kuma_inbounds;
    drop index kuma_resource_of_mesh_idx, kuma_resource_of_project_idx;
    drop table kuma_inbound_check, kuma_inbound;
  `)
}
