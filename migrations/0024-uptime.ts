/**
 * What uptime needs beside the transitions: `set_aside` notes when a load balancer, pool, member or monitor was switched
 * off, when its generation rose (from then on a verdict is awaited), and which maintenances there were; of a pool, when it
 * had no monitor; of a member, when the first verdict of a generation came. Rows older than the longest window go with the next change of their object,
 * and all with the object.
 */
import type { Knex } from 'knex'

const TABLES = { load_balancer: false, pool: true, member: true, health_monitor: true } as const
const KEPT = `interval '31 days'`
const KEPT_ROWS = 1000

const FORGET_ASIDES = `create trigger forget_asides after delete on TABLE
        referencing old table as gone for each statement execute function forget_asides();`

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table set_aside (
      object_id uuid not null,
      kind text not null check (kind in ('off', 'maintenance', 'no_monitor', 'generation', 'verdict')),
      begin_at timestamptz not null,
      -- Null: it lasts; of a generation always, as it ends for each member with the first verdict.
      end_at timestamptz,
      generation bigint not null default 0
    );
    create index set_aside_object_id_idx on set_aside (object_id, begin_at);

    create function forget_old_asides(id uuid) returns void language sql as $$
      delete from set_aside s where s.object_id = id
        and (coalesce(s.end_at, case when s.kind in ('generation', 'verdict') then s.begin_at end) < now() - ${KEPT}
          or s.begin_at < (select k.begin_at from set_aside k where k.object_id = id
            order by k.begin_at desc offset ${KEPT_ROWS} limit 1));
    $$;

    create function note_switching() returns trigger language plpgsql as $$
    begin
      perform forget_old_asides(new.id);
      if old.admin_state_up and not new.admin_state_up then
        insert into set_aside (object_id, kind, begin_at) values (new.id, 'off', now());
      elsif new.admin_state_up and not old.admin_state_up then
        update set_aside s set end_at = now() where s.object_id = new.id and s.kind = 'off' and s.end_at is null;
      end if;
      if new.generation <> old.generation then
        insert into set_aside (object_id, kind, begin_at, generation)
        values (new.id, 'generation', now(), new.generation);
      end if;
      return null;
    end $$;

    create function note_maintenance() returns trigger language plpgsql as $$
    begin
      perform forget_old_asides(new.id);
      if (old.maintenance->>'start')::timestamptz < now() then
        insert into set_aside (object_id, kind, begin_at, end_at)
        values (new.id, 'maintenance', (old.maintenance->>'start')::timestamptz,
          least(now(), coalesce((old.maintenance->>'end')::timestamptz, now())));
      end if;
      return null;
    end $$;

    create function forget_asides() returns trigger language plpgsql as $$
    begin
      delete from set_aside s where s.object_id in (select g.id from gone g);
      return null;
    end $$;

    -- A first verdict that equals what is published is no transition; here it ends the wait for it.
    create function note_first_verdicts() returns trigger language plpgsql as $$
    begin
      insert into set_aside (object_id, kind, begin_at, generation)
      select first_one.member_id, 'verdict', now(), first_one.generation from (
        select member_id, generation from new_state except select member_id, generation from old_state
      ) first_one;
      if found then
        delete from set_aside s where s.object_id in (select n.member_id from new_state n)
          and s.kind = 'verdict' and s.begin_at < now() - ${KEPT};
      end if;
      return null;
    end $$;
    create trigger note_first_verdicts after update on member_state
      referencing new table as new_state old table as old_state
      for each statement execute function note_first_verdicts();

    -- Without a monitor nothing is known of the members of a pool.
    create function note_monitor() returns trigger language plpgsql as $$
    begin
      update set_aside s set end_at = now()
      where s.object_id = new.pool_id and s.kind = 'no_monitor' and s.end_at is null;
      return null;
    end $$;
    create trigger note_monitor after insert on health_monitor for each row execute function note_monitor();

    -- What was noted of the monitor happened all the same: it goes to the pool.
    create function note_no_monitor() returns trigger language plpgsql as $$
    begin
      update set_aside s set object_id = old.pool_id,
        end_at = case when s.kind = 'generation' then s.end_at else coalesce(s.end_at, now()) end
      where s.object_id = old.id;
      perform forget_old_asides(old.pool_id);
      insert into set_aside (object_id, kind, begin_at) values (old.pool_id, 'no_monitor', now());
      return null;
    end $$;
    create trigger note_no_monitor after delete on health_monitor for each row execute function note_no_monitor();

    create function note_new_pool() returns trigger language plpgsql as $$
    begin
      insert into set_aside (object_id, kind, begin_at) values (new.id, 'no_monitor', now());
      return null;
    end $$;
    create trigger note_new_pool after insert on pool for each row execute function note_new_pool();
    insert into set_aside (object_id, kind, begin_at)
    select p.id, 'no_monitor', p.created_at from pool p
    where not exists (select from health_monitor hm where hm.pool_id = p.id);
  `)
  for (const [table, isMaintained] of Object.entries(TABLES)) {
    await db.raw(`
      create trigger note_switching after update on ${table} for each row
        when (old.admin_state_up <> new.admin_state_up or old.generation <> new.generation)
        execute function note_switching();
      ${table === 'health_monitor' ? '' : FORGET_ASIDES.replaceAll('TABLE', table)}
    `)
    if (!isMaintained) continue
    await db.raw(`
      create trigger note_maintenance after update on ${table} for each row
        when (old.maintenance is distinct from new.maintenance and old.maintenance is not null)
        execute function note_maintenance();
    `)
  }
}

export async function down(db: Knex): Promise<void> {
  for (const [table, isMaintained] of Object.entries(TABLES)) {
    await db.raw(`drop trigger note_switching on ${table}; drop trigger if exists forget_asides on ${table}`)
    if (isMaintained) await db.raw(`drop trigger note_maintenance on ${table}`)
  }
  await db.raw(`
    drop trigger note_first_verdicts on member_state;
    drop trigger note_monitor on health_monitor;
    drop trigger note_no_monitor on health_monitor;
    drop trigger note_new_pool on pool;
    drop function note_switching, note_maintenance, forget_asides, forget_old_asides, note_first_verdicts, note_monitor,
      note_no_monitor, note_new_pool;
    drop table set_aside;
  `)
}
