/** The part of migration 0019 that notes which pools have to be counted again. */
import type { Knex } from 'knex'

/** Whether `new` and `old` differ in some of these columns. */
export const differ = (columns: string): string => {
  const row = (alias: string): string =>
    columns
      .split(' ')
      .map((column) => `${alias}.${column}`)
      .join(', ')
  return `row(${row('new')}) is distinct from row(${row('old')})`
}

/** Raises `pool.status_version` where something changes that its counts depend on. */
export async function markChanges(db: Knex): Promise<void> {
  await db.raw(`
    ${countMembers('status_version = status_version + 1,')}
    ${markChangedMembers()}
    create trigger mark_changed_members after update on member
      referencing old table as old_member new table as new_member
      for each statement execute function mark_changed_members();

    create function mark_pool() returns trigger language plpgsql as $$
    begin
      update pool p set status_version = p.status_version + 1 where p.id = coalesce(new.pool_id, old.pool_id);
      return null;
    end $$;
    create trigger mark_pool_of_monitor after insert or delete on health_monitor for each row execute function mark_pool();
    create trigger mark_pool_of_changed_monitor after update on health_monitor
      for each row when (${differ('admin_state_up generation published_from starts_as')}) execute function mark_pool();

    create function mark_pools_of_listener() returns trigger language plpgsql as $$
    begin
      update pool p set status_version = p.status_version + 1 where p.id in (new.default_pool_id, old.default_pool_id);
      return null;
    end $$;
    create trigger mark_pools after insert or delete on listener for each row execute function mark_pools_of_listener();
    create trigger mark_pools_of_changed after update on listener
      for each row when (${differ('admin_state_up default_pool_id')}) execute function mark_pools_of_listener();

    create function mark_pools_of_load_balancer() returns trigger language plpgsql as $$
    begin
      update pool p set status_version = p.status_version + 1 where p.load_balancer_id = new.id;
      return null;
    end $$;
    create trigger mark_pools after update on load_balancer
      for each row when (${differ('admin_state_up provider generation published_from')})
      execute function mark_pools_of_load_balancer();

    -- After begin_publishing_switched_on, by its name.
    create function mark_this_pool() returns trigger language plpgsql as $$
    begin
      new.status_version := old.status_version + 1;
      return new;
    end $$;
    create trigger mark_this_pool before update on pool
      for each row when (${differ('admin_state_up generation published_from')}) execute function mark_this_pool();
  `)
}

/** The function; `also`: more columns on which counts depend. */
export function markChangedMembers(also: readonly string[] = []): string {
  const columns = ['id', 'pool_id', 'admin_state_up', 'weight', 'generation', 'published_from', ...also].join(
    ', ',
  )
  return `
    create or replace function mark_changed_members() returns trigger language plpgsql as $$
    begin
      update pool p set status_version = p.status_version + 1
      where p.id in (
        select changed.pool_id from (
          select ${columns} from new_member
          except
          select ${columns} from old_member
        ) changed);
      return null;
    end $$;`
}

/** The functions of migration 0011, with something more to set. */
export function countMembers(also: string): string {
  return `
    create or replace function count_added_members() returns trigger language plpgsql as $$
    begin
      update pool p set ${also} member_count = p.member_count + added.members
      from (select m.pool_id, count(*) as members from added_member m group by m.pool_id) added
      where p.id = added.pool_id;
      return null;
    end $$;
    create or replace function count_removed_members() returns trigger language plpgsql as $$
    begin
      update pool p set ${also} member_count = p.member_count - removed.members
      from (select m.pool_id, count(*) as members from removed_member m group by m.pool_id) removed
      where p.id = removed.pool_id;
      return null;
    end $$;`
}
