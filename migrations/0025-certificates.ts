/**
 * The certificates that members show over TLS, and events of what ends by itself: a certificate, and the trust in a status.
 *
 * `member_certificate` is written by probers, when something in it differs from what is there, and is fenced as verdicts are. So
 * it has no foreign key to what the API writes, and counts only as `shown_certificate` has it: while the member is probed over
 * TLS, and of the present generation of its check.
 *
 * `observe_certificates` is called once a second beside `observe_clock`. The indexes have only certificates that were not told
 * of yet, so it looks at nothing else.
 */
import type { Knex } from 'knex'
import { BY_INDEX } from './0019-kept-statuses.ts'
import { dropStaleness, tellStaleness } from './0025-staleness.ts'

const CHECK_GENERATION = 'greatest(lb.generation, p.generation, m.generation, hm.generation)'
const PROBED = `hm.admin_state_up and lb.admin_state_up and p.admin_state_up and m.admin_state_up
  and lb.provider <> 'noop_driver'`
/** As `speaksTls` of the domain says it. */
const SPEAKS_TLS = `(hm.type in ('HTTPS', 'TLS-HELLO')
  or hm.type in ('HTTP', 'TCP') and p.echo @> '{"tls_enabled": true}')`

/** Each certificate has one event of a kind: not_after of the one that had it. */
const NOT_TOLD = {
  expired: 'warn_at is not null and expired_told is distinct from not_after',
  expiring: 'warn_at is not null and expiring_told is distinct from not_after',
} as const

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table member_certificate (
      member_id uuid primary key,
      project_id text not null,
      generation bigint not null,
      not_after timestamptz not null,
      -- From when on there is a warning; null = never.
      warn_at timestamptz,
      subject text not null,
      issuer text not null,
      expiring_told timestamptz,
      expired_told timestamptz
    ) with (fillfactor = 80);
    create index member_certificate_expired_idx on member_certificate (not_after) where ${NOT_TOLD.expired};
    create index member_certificate_expiring_idx on member_certificate (warn_at) where ${NOT_TOLD.expiring};
    create index member_certificate_told_idx on member_certificate (project_id) where expiring_told = not_after;

    create view shown_certificate as
    select c.member_id, m.pool_id, c.project_id, c.not_after, c.warn_at, c.subject, c.issuer, c.expiring_told
    from member_certificate c
    join member m on m.id = c.member_id
    join pool p on p.id = m.pool_id
    join load_balancer lb on lb.id = p.load_balancer_id
    join health_monitor hm on hm.pool_id = p.id
    where c.generation = ${CHECK_GENERATION} and ${PROBED} and ${SPEAKS_TLS};

    -- The first certificate of each pool to end.
    create view pool_certificate as
    select pool_id, min(not_after) as not_after from shown_certificate group by pool_id;

    -- In the order in which a prober locks them.
    create function forget_certificates() returns trigger language plpgsql as $$
    begin
      delete from member_certificate where member_id in (
        select c.member_id from member_certificate c where c.member_id in (select g.id from gone g)
        order by c.member_id for update);
      return null;
    end $$;
    create trigger forget_certificates after delete on member
      referencing old table as gone for each statement execute function forget_certificates();

    -- Tells of at most max_rows that have expired, and of as many that will.
    create function observe_certificates(max_rows integer) returns void language plpgsql
      ${BY_INDEX} as $$
    begin
      ${tell('expired', 'not_after', 'expired_told = c.not_after, expiring_told = c.not_after')}
      ${tell('expiring', 'warn_at', 'expiring_told = c.not_after')}
    end $$;
  `)
  await tellStaleness(db)
}

/** What is due but not shown (the member is not probed any more, or not over TLS) is forgotten: a prober that sees it writes it again. */
function tell(what: 'expired' | 'expiring', dueAt: 'not_after' | 'warn_at', mark: string): string {
  return `
      with due as materialized (
        select c.member_id from member_certificate c
        where ${NOT_TOLD[what].replaceAll(/\b(warn_at|not_after|expir\w+_told)\b/g, 'c.$1')} and c.${dueAt} <= now()
        order by c.${dueAt} limit max_rows for update skip locked
      ), shown as materialized (
        -- One by one: a plan would read every member otherwise.
        select s.* from due cross join lateral (
          select sc.* from shown_certificate sc where sc.member_id = due.member_id offset 0) s
      ), forgotten as (
        delete from member_certificate c
        where c.member_id in (select due.member_id from due except select s.member_id from shown s)
      ), marked as (
        update member_certificate c set ${mark} from shown s where s.member_id = c.member_id
      )
      insert into event_outbox (type, project_id, pool_id, member_id, data)
      select 'certificate.${what}', s.project_id, s.pool_id, s.member_id, jsonb_build_object(
        'detail', concat_ws(', ', nullif(s.subject, ''), 'not valid after ' || t.not_after),
        'certificate', jsonb_build_object('not_after', t.not_after, 'subject', s.subject, 'issuer', s.issuer))
      from shown s
      cross join lateral (
        select to_char(s.not_after at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as not_after) t
      order by s.not_after, s.member_id;`
}

export async function down(db: Knex): Promise<void> {
  await dropStaleness(db)
  await db.raw(`
    drop function observe_certificates;
    drop trigger forget_certificates on member;
    drop function forget_certificates;
    drop view pool_certificate, shown_certificate;
    drop table member_certificate;
  `)
}
