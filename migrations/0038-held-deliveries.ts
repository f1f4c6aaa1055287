/**
 * What is held back of a webhook is not read at each look at its queue, and a checkpoint never waits for a request.
 *
 * - A delivery whose subject has a row in `webhook_hold` is marked once (`held`) and then found by its subject only,
 *   when that may be tried again. A look reads what is not marked. Who removes a hold unmarks its deliveries: a trigger
 *   does it, so that nothing is left behind by any writer, an older notifier included.
 * - Holds are found by the time of their next attempt, those of which nothing waits (`idle`) left out: of these the
 *   number of failures is kept, for alerts that are sent again.
 * - `tell_stale_checks` skips the rows of `stale_told` that a request has locked, and forgets members that are gone.
 */
import type { Knex } from 'knex'
import { tellStaleChecks } from './0025-staleness.ts'

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- Its subject has a row in webhook_hold.
    alter table webhook_delivery add column held boolean not null default false;
    create index webhook_delivery_not_held_idx on webhook_delivery (webhook_id, position) where not held;
    create index webhook_delivery_subject_idx on webhook_delivery (webhook_id, subject, position);
    -- No delivery of its subject waits.
    alter table webhook_hold add column idle boolean not null default false;
    create index webhook_hold_retry_at_idx on webhook_hold (webhook_id, retry_at) where not idle;

    create function unmark_deliveries() returns trigger language plpgsql as $$
    begin
      update webhook_delivery d set held = false from gone g
      where d.webhook_id = g.webhook_id and d.subject = g.subject and d.held;
      return null;
    end $$;
    create trigger unmark_deliveries after delete on webhook_hold
      referencing old table as gone for each statement execute function unmark_deliveries();
  `)
  await db.raw(tellStaleChecks('without waiting'))
}

export async function down(db: Knex): Promise<void> {
  await db.raw(tellStaleChecks('waiting'))
  await db.raw(`
    drop trigger unmark_deliveries on webhook_hold;
    drop function unmark_deliveries;
    drop index webhook_hold_retry_at_idx, webhook_delivery_subject_idx, webhook_delivery_not_held_idx;
    alter table webhook_hold drop column idle;
    alter table webhook_delivery drop column held;
  `)
}
