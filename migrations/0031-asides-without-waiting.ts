/**
 * Deleting old rows of `set_aside` never waits for a lock. The statement that writes verdicts deletes them for members
 * of many projects. A transaction that deletes members of one project locks their rows until it ends, and all verdicts
 * would wait for it. Locked rows are skipped: they are deleted later, or together with their member.
 */
import type { Knex } from 'knex'

/** As in migration 0024, where `rows` are deleted. */
function noteFirstVerdicts(rows: string): string {
  return `
    create or replace function note_first_verdicts() returns trigger language plpgsql as $$
    begin
      insert into set_aside (object_id, kind, begin_at, generation)
      select first_one.member_id, 'verdict', now(), first_one.generation from (
        select member_id, generation from new_state except select member_id, generation from old_state
      ) first_one;
      if found then
        delete from set_aside s where ${rows};
      end if;
      return null;
    end $$;`
}

const OLD_ROWS = `s.object_id in (select n.member_id from new_state n)
          and s.kind = 'verdict' and s.begin_at < now() - interval '31 days'`

/** As this migration leaves it. */
export const NOTE_WITHOUT_WAITING = noteFirstVerdicts(`s.ctid = any(array(
          select s.ctid from set_aside s where ${OLD_ROWS} for update skip locked))`)

export async function up(db: Knex): Promise<void> {
  await db.raw(NOTE_WITHOUT_WAITING)
}

export async function down(db: Knex): Promise<void> {
  await db.raw(noteFirstVerdicts(OLD_ROWS))
}
