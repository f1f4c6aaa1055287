/**
 * Sums of uptime that outlive the transitions. `uptime_day` has what a member or a pool was on each closed day (UTC), in
 * milliseconds by kind: their sum is the part of the day for which it existed. Retention makes these rows, day after day
 * and object after object (`uptime_progress`), and deletes only transitions whose time is summed. Of a day that still
 * runs, `uptime_part` has the beginning where transitions of it had to be deleted already, as a member had too many.
 *
 * Pools get transitions of their own (`pool_transition`): their status is kept in `pool_roll_up`, and its history was
 * not. It begins with the status that each pool has now, and since when.
 */
import type { Knex } from 'knex'

const SUMS = ['online', 'offline', 'pending', 'off', 'maintenance', 'no_data']
  .map((kind) => `${kind}_ms integer not null`)
  .join(', ')

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table uptime_day (
      -- Of a member or a pool.
      object_id uuid not null,
      day date not null,
      ${SUMS},
      primary key (object_id, day)
    );
    create table uptime_part (
      object_id uuid primary key,
      day date not null,
      summed_to timestamptz not null,
      ${SUMS}
    );
    create table uptime_progress (
      is_row boolean primary key default true check (is_row),
      -- Every object is summed up to the end of this day, and for the next day every object up to walk_after.
      day date not null,
      walk_after uuid,
      -- Before it, retention deleted transitions without a look at what was summed.
      kept_from timestamptz not null default now()
    );
    -- As far back as times that stand apart are kept (migration 0024).
    insert into uptime_progress (day) values ((now() at time zone 'UTC')::date - 32);
    -- Deleted objects whose rows are still there: a request does not wait for hundreds of rows of each member.
    create table uptime_gone (object_id uuid primary key);

    create table pool_transition (
      id bigint generated always as identity primary key,
      pool_id uuid not null,
      at timestamptz not null default clock_timestamp(),
      -- Null: of the first one.
      from_status text,
      to_status text not null
    );
    create index pool_transition_pool_id_idx on pool_transition (pool_id, id);
    create index pool_transition_at_idx on pool_transition (at);
    insert into pool_transition (pool_id, at, to_status)
    select r.pool_id, r.since, r.operating_status from pool_roll_up r;

    create function note_pool_status() returns trigger language plpgsql as $$
    begin
      insert into pool_transition (pool_id, from_status, to_status)
      values (new.pool_id, old.operating_status, new.operating_status);
      return null;
    end $$;
    -- Also after a restore, which counts pools anew: their history goes on.
    create function note_first_pool_status() returns trigger language plpgsql as $$
    declare
      last_status text := (
        select t.to_status from pool_transition t where t.pool_id = new.pool_id order by t.id desc limit 1);
    begin
      if last_status is distinct from new.operating_status then
        insert into pool_transition (pool_id, from_status, to_status)
        values (new.pool_id, last_status, new.operating_status);
      end if;
      return null;
    end $$;
    create trigger note_first_pool_status after insert on pool_roll_up
      for each row execute function note_first_pool_status();
    create trigger note_pool_status after update on pool_roll_up
      for each row when (new.operating_status <> old.operating_status) execute function note_pool_status();

    create function note_uptime_gone() returns trigger language plpgsql as $$
    begin
      insert into uptime_gone (object_id) select g.id from gone g on conflict do nothing;
      return null;
    end $$;
    create trigger note_uptime_gone after delete on member referencing old table as gone
      for each statement execute function note_uptime_gone();
    create trigger note_uptime_gone after delete on pool referencing old table as gone
      for each statement execute function note_uptime_gone();
  `)
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop trigger note_uptime_gone on member;
    drop trigger note_uptime_gone on pool;
    drop trigger note_first_pool_status on pool_roll_up;
    drop trigger note_pool_status on pool_roll_up;
    drop function note_uptime_gone, note_pool_status, note_first_pool_status;
    drop table uptime_day, uptime_part, uptime_progress, uptime_gone, pool_transition;
  `)
}
