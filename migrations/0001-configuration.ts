/**
 * Configuration: what the API writes. Every range is the union of what the dialects allow; each dialect is stricter.
 *
 * `generation`, of load balancer, pool, member and monitor, comes from one sequence and is raised when old verdicts
 * become meaningless (new object, switched on again, other target, other type). The generation of a check is the
 * greatest of its four. `pool.config_version` is raised by every transaction that changes what the pool's checks do.
 */
import type { Knex } from 'knex'

const COMMON = `
  project_id text not null check (length(project_id) between 1 and 255),
  name text not null default '' check (length(name) <= 255),
  admin_state_up boolean not null default true,
  provisioning_status text not null default 'ACTIVE' check (provisioning_status in
    ('ACTIVE', 'PENDING_CREATE', 'PENDING_UPDATE', 'PENDING_DELETE', 'ERROR', 'DELETED')),
  tags jsonb not null default '[]' check (jsonb_typeof(tags) = 'array'),
  echo jsonb not null default '{}' check (jsonb_typeof(echo) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz`

const PORT = 'between 1 and 65535'

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create sequence check_generation as bigint;

    create table load_balancer (
      id uuid primary key,
      ${COMMON},
      description text not null default '' check (length(description) <= 255),
      provider text not null check (length(provider) between 1 and 255),
      vip_address text,
      vip_subnet_id text,
      vip_port_id text,
      generation bigint not null default nextval('check_generation')
    );
    create index load_balancer_project_id_id_idx on load_balancer (project_id, id);

    create table pool (
      id uuid primary key,
      ${COMMON},
      load_balancer_id uuid not null references load_balancer (id),
      description text not null default '' check (length(description) <= 255),
      protocol text not null check (protocol in ('TCP', 'UDP', 'HTTP', 'HTTPS', 'PROXY', 'PROXYV2', 'SCTP')),
      lb_algorithm text not null check (lb_algorithm in
        ('ROUND_ROBIN', 'LEAST_CONNECTIONS', 'SOURCE_IP', 'SOURCE_IP_PORT')),
      session_persistence jsonb,
      shard smallint not null check (shard between 0 and 255),
      config_version bigint not null default 1,
      generation bigint not null default nextval('check_generation')
    );
    create index pool_project_id_id_idx on pool (project_id, id);
    create index pool_load_balancer_id_idx on pool (load_balancer_id);
    create index pool_shard_idx on pool (shard) include (id, config_version);

    create table listener (
      id uuid primary key,
      ${COMMON},
      load_balancer_id uuid not null references load_balancer (id),
      default_pool_id uuid references pool (id) on delete set null,
      description text not null default '' check (length(description) <= 255),
      protocol text not null check (protocol in
        ('TCP', 'UDP', 'HTTP', 'HTTPS', 'TERMINATED_HTTPS', 'SCTP', 'PROMETHEUS')),
      protocol_port integer not null check (protocol_port ${PORT})
    );
    create index listener_project_id_id_idx on listener (project_id, id);
    create index listener_default_pool_id_idx on listener (default_pool_id);
    -- One port per load balancer and transport: TCP 53 and UDP 53 may stand side by side.
    create unique index listener_port_key on listener (
      load_balancer_id, protocol_port,
      (case when protocol in ('UDP', 'SCTP') then protocol else 'TCP' end)
    );

    create table health_monitor (
      id uuid primary key,
      ${COMMON},
      pool_id uuid not null constraint health_monitor_pool_id_key unique references pool (id),
      type text not null check (type in ('HTTP', 'HTTPS', 'PING', 'TCP', 'TLS-HELLO', 'UDP-CONNECT', 'SCTP')),
      profile text not null check (profile in ('elb', 'octavia')),
      delay_seconds integer not null check (delay_seconds >= 0),
      timeout_seconds integer not null check (timeout_seconds >= 0),
      rise smallint not null check (rise between 1 and 10),
      fall smallint not null check (fall between 1 and 10),
      monitor_port integer check (monitor_port ${PORT}),
      domain_name text check (length(domain_name) <= 255),
      url_path text check (length(url_path) <= 2048),
      http_method text,
      http_version text check (http_version in ('1.0', '1.1')),
      expected_codes text check (length(expected_codes) <= 64),
      generation bigint not null default nextval('check_generation')
    );
    create index health_monitor_project_id_id_idx on health_monitor (project_id, id);

    create table member (
      id uuid primary key,
      ${COMMON},
      pool_id uuid not null references pool (id),
      address text not null,
      protocol_port integer not null check (protocol_port ${PORT}),
      subnet_id text,
      weight smallint not null default 1 check (weight between 0 and 256),
      backup boolean not null default false,
      monitor_address text check (monitor_address is null or monitor_address::inet is not null),
      monitor_port integer check (monitor_port ${PORT}),
      generation bigint not null default nextval('check_generation')
    );
    create index member_project_id_id_idx on member (project_id, id);
    -- The same address in two spellings (::1, 0:0:0:0:0:0:0:1) is one address.
    create unique index member_target_key on member (pool_id, (address::inet), protocol_port);

    -- A quota of one project; without a row the configured default holds. -1 = unlimited.
    create table quota (
      project_id text not null check (length(project_id) between 1 and 255),
      resource text not null check (resource in ('loadbalancer', 'listener', 'pool', 'member', 'healthmonitor')),
      quota integer not null check (quota >= -1),
      primary key (project_id, resource)
    );
  `)
}

export async function down(db: Knex): Promise<void> {
  await db.raw(
    'drop table quota, member, health_monitor, listener, pool, load_balancer; drop sequence check_generation',
  )
}
