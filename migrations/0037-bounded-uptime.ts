/**
 * No project makes the uptime, the overview and the events of others fail or wait.
 *
 * - `maintenance_time` reads a time in the JSON of a maintenance. Text that is no time gives null: one such row of one
 *   project does not fail the statements that look at the maintenances of all.
 * - Of the first verdicts of a member (`set_aside`), the newest 100 are kept. Each new generation of a configuration adds one
 *   for each member, so for 31 days there was no bound.
 * - `uptime_gone` notes only members that may have sums: those that existed on a closed day. It knows the project, so that
 *   projects take turns.
 * - The triggers that note monitors and first verdicts are made where they are missing. Migration 0024 was changed 24 minutes
 *   after its first version was on the main branch, on 30 November 2026. A database that was made in between has neither
 *   these triggers nor the kinds of `set_aside` that they write, and no later migration makes them.
 */
import type { Knex } from 'knex'
import { BY_INDEX } from './0019-kept-statuses.ts'
import { CAST, IS_SAME_OCCURRENCE, noteOccurrences, observeClock } from './0027-recurring-maintenance.ts'
import { NOTE_WITHOUT_WAITING } from './0031-asides-without-waiting.ts'

const VERDICTS_KEPT = 100
/** One statement of so many deletes what is too much: it looks at up to VERDICTS_KEPT rows of each member. */
const TRIMS_ONE_OF = 8

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    ${MAINTENANCE_TIME}
    ${noteOccurrences((text) => `maintenance_time(${text})`)}
    ${observeClock({ isSame: IS_SAME_OCCURRENCE, readTime: (text) => `maintenance_time(${text})` })}
  `)
  await db.raw(MAKE_WHAT_IS_MISSING)
  await db.raw(NOTE_FIRST_VERDICTS)
  await db.raw(`
    -- '' = of before this migration.
    alter table uptime_gone add column project_id text not null default '';
    create index uptime_gone_project_id_idx on uptime_gone (project_id, object_id);

    create or replace function note_uptime_gone() returns trigger language plpgsql as $$
    begin
      insert into uptime_gone (object_id, project_id)
      select g.id, g.project_id from gone g
      -- Of every pool there are transitions. A day is summed when it is over.
      where tg_table_name = 'pool'
        or g.created_at < date_trunc('day', now() at time zone 'UTC') at time zone 'UTC'
        or exists (select from uptime_part p where p.object_id = g.id)
      on conflict do nothing;
      return null;
    end $$;
  `)
}

/** RFC 3339 as the API writes it, in any zone; the day is one that its month has. */
const MAINTENANCE_TIME = `
    create function maintenance_time(written text) returns timestamptz language sql stable parallel safe as $$
      select case when written ~ '^[1-9]\\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3])(:[0-5]\\d){2}([.]\\d{1,6}|)(Z|[+-](0\\d|1[0-4]):[0-5]\\d)$'
        then case when substr(written, 9, 2)::int <= extract(day from
            make_date(substr(written, 1, 4)::int, substr(written, 6, 2)::int, 1) + interval '1 month' - interval '1 day')
          then written::timestamptz end
        end
    $$;`

/** As migrations 0024 and 0032 have it. */
const MAKE_WHAT_IS_MISSING = `
    alter table set_aside drop constraint set_aside_kind_check;
    alter table set_aside add constraint set_aside_kind_check
      check (kind in ('off', 'maintenance', 'no_monitor', 'generation', 'verdict'));

    -- It would forget what goes to the pool with the end of its monitor.
    drop trigger if exists forget_asides on health_monitor;

    create or replace function note_no_monitor() returns trigger language plpgsql as $$
    begin
      update set_aside s set object_id = old.pool_id,
        end_at = case when s.kind = 'generation' then s.end_at else coalesce(s.end_at, now()) end
      where s.object_id = old.id;
      perform forget_old_asides(old.pool_id);
      insert into set_aside (object_id, kind, begin_at) values (old.pool_id, 'no_monitor', now());
      return null;
    end $$;
    drop trigger if exists note_no_monitor on health_monitor;
    create trigger note_no_monitor after delete on health_monitor for each row execute function note_no_monitor();

    drop trigger if exists note_monitor on health_monitor;
    create trigger note_monitor after insert on health_monitor for each row execute function note_monitor();

    create or replace function note_new_pool() returns trigger language plpgsql as $$
    begin
      insert into set_aside (object_id, kind, begin_at) values (new.id, 'no_monitor', now());
      return null;
    end $$;
    drop trigger if exists note_new_pool on pool;
    create trigger note_new_pool after insert on pool for each row execute function note_new_pool();

    drop trigger if exists note_first_verdicts on member_state;
    create trigger note_first_verdicts after update on member_state
      referencing new table as new_state old table as old_state
      for each statement execute function note_first_verdicts();

    insert into set_aside (object_id, kind, begin_at)
    select p.id, 'no_monitor', p.created_at from pool p
    where not exists (select from health_monitor hm where hm.pool_id = p.id)
      and not exists (
        select from set_aside s where s.object_id = p.id and s.kind = 'no_monitor' and s.end_at is null);`

/** As migration 0031 has it, with a bound. Rows that somebody has locked are left here too. */
const NOTE_FIRST_VERDICTS = `
    create or replace function note_first_verdicts() returns trigger language plpgsql
      ${BY_INDEX} as $$
    begin
      insert into set_aside (object_id, kind, begin_at, generation)
      select first_one.member_id, 'verdict', now(), first_one.generation from (
        select member_id, generation from new_state except select member_id, generation from old_state
      ) first_one;
      if not found then
        return null;
      end if;
      delete from set_aside s where s.ctid = any(array(
        select s.ctid from set_aside s
        where s.object_id in (select n.member_id from new_state n)
          and s.kind = 'verdict' and s.begin_at < now() - interval '31 days' for update skip locked));
      if random() < 1.0 / ${TRIMS_ONE_OF} then
        -- Materialized: it is sought once for a member, not once for each of its rows.
        with too_old as materialized (
          select n.member_id, first_one.begin_at from new_state n
          cross join lateral (
            select k.begin_at from set_aside k where k.object_id = n.member_id and k.kind = 'verdict'
            order by k.begin_at desc offset ${VERDICTS_KEPT} limit 1
          ) first_one
        )
        delete from set_aside s where s.ctid = any(array(
          select s.ctid from too_old
          join set_aside s on s.object_id = too_old.member_id and s.begin_at <= too_old.begin_at
          where s.kind = 'verdict' for update of s skip locked));
      end if;
      return null;
    end $$;`

/** What was missing stays: it belongs to migration 0024. */
export async function down(db: Knex): Promise<void> {
  await db.raw(`
    create or replace function note_uptime_gone() returns trigger language plpgsql as $$
    begin
      insert into uptime_gone (object_id) select g.id from gone g on conflict do nothing;
      return null;
    end $$;
    drop index uptime_gone_project_id_idx;
    alter table uptime_gone drop column project_id;
    ${NOTE_WITHOUT_WAITING}
    ${noteOccurrences(CAST)}
    ${observeClock({ isSame: IS_SAME_OCCURRENCE, readTime: CAST })}
    drop function maintenance_time;
  `)
}
