/**
 * Events of probers have their site; `breaker.held` has the reason: the canaries do not answer, or other sites see ONLINE
 * what fails there (ADR 38).
 */
import type { Knex } from 'knex'

/** The function of migration 0022, with `reason`. */
const tellProber = (heldMore: string): string => `
  create or replace function tell_prober() returns trigger language plpgsql as $$
  begin
    if tg_op = 'DELETE' then
      -- One that was lost is deleted much later.
      if old.lost_at is null then
        insert into event_outbox (type, data) values ('prober.left', prober_data(old));
      end if;
      return null;
    end if;
    if tg_op = 'INSERT' or old.lost_at is not null and new.lost_at is null then
      insert into event_outbox (type, data) values ('prober.joined', prober_data(new));
    end if;
    if tg_op = 'UPDATE' and (old.facts->'breaker'->>'state' = 'holding')
        is distinct from (new.facts->'breaker'->>'state' = 'holding') then
      insert into event_outbox (type, data)
      select case when new.facts->'breaker'->>'state' = 'holding' then 'breaker.held' else 'breaker.released' end,
        prober_data(new)${heldMore}
      where new.facts->'breaker'->>'state' = 'holding' or old.facts->'breaker'->>'state' = 'holding';
    end if;
    return null;
  end $$`

const proberData = (more: string): string => `
  create or replace function prober_data(p prober) returns jsonb language sql immutable as $$
    select jsonb_build_object('prober', jsonb_build_object('id', p.id, 'host', p.host, 'pid', p.pid${more}))
  $$`

const REASON = `
        || case when new.facts->'breaker'->>'state' <> 'holding' then '{}'
           when new.facts->'breaker'->>'suspect' = 'true' then '{"reason": "OTHER_SITES_DISAGREE"}'
           else '{"reason": "NO_CANARY_ANSWERS"}' end::jsonb`

export async function up(db: Knex): Promise<void> {
  await db.raw(proberData(`, 'site', p.site`))
  await db.raw(tellProber(REASON))
}

export async function down(db: Knex): Promise<void> {
  await db.raw(tellProber(''))
  await db.raw(proberData(''))
}
