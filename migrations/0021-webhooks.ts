/**
 * Delivery of events to receivers (ADR 26). A row of `delivery` has the position up to which a receiver was given
 * events. Each webhook has a queue: a row of `webhook_delivery` for each event that was not delivered yet. The API
 * writes `webhook`, which has the configuration; the notifier writes all other tables.
 */
import type { Knex } from 'knex'

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table delivery (
      receiver text primary key,
      -- Every event up to it was given to the receiver.
      position bigint not null
    );

    create table webhook (
      id uuid primary key,
      -- Null: of administrators, for the events of all projects.
      project_id text,
      name text not null,
      url text not null,
      format text not null check (format in ('cloudevents', 'slack', 'alertmanager')),
      filter jsonb not null,
      -- The first is the newest.
      secrets text[] not null check (cardinality(secrets) between 1 and 2),
      enabled boolean not null,
      -- Events up to it are older than the webhook.
      after_position bigint not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );
    create index webhook_project_id_idx on webhook (project_id, created_at, id);

    -- Changes with every change of a webhook.
    create table webhook_version (
      is_row boolean primary key default true check (is_row),
      version bigint not null default 0
    );
    insert into webhook_version default values;

    create table webhook_state (
      webhook_id uuid primary key,
      last_success_at timestamptz,
      last_error text,
      last_error_at timestamptz,
      -- Failures in a row of the receiver as a whole, and when it is tried again.
      failures integer not null default 0,
      retry_at timestamptz,
      -- Dead letters that were deleted because there were too many.
      dead_letters_dropped bigint not null default 0
    );

    create table webhook_delivery (
      webhook_id uuid not null,
      position bigint not null,
      -- Events of one subject arrive in their order.
      subject text not null,
      queued_at timestamptz not null default clock_timestamp(),
      -- Of a dead letter that is sent again; null: the row of event.
      event jsonb,
      primary key (webhook_id, position)
    );
    -- Retention keeps the events that are waited for.
    create index webhook_delivery_position_idx on webhook_delivery (position);

    -- A subject whose delivery failed: its events wait until retry_at.
    create table webhook_hold (
      webhook_id uuid not null,
      subject text not null,
      failures integer not null,
      retry_at timestamptz not null,
      primary key (webhook_id, subject)
    );

    create table webhook_dead_letter (
      id bigint generated always as identity primary key,
      webhook_id uuid not null,
      position bigint not null,
      subject text not null,
      event jsonb not null,
      reason text not null,
      at timestamptz not null default clock_timestamp(),
      unique (webhook_id, position)
    );

    -- Format alertmanager: what is not resolved, which is sent again and again.
    create table webhook_alert (
      webhook_id uuid not null,
      subject text not null,
      event jsonb not null,
      sent_at timestamptz not null,
      primary key (webhook_id, subject)
    );
    create index webhook_alert_sent_at_idx on webhook_alert (sent_at);

    create function tell_webhook_change() returns trigger language plpgsql as $$
    begin
      update webhook_version set version = version + 1;
      perform pg_notify('healthmonitor_webhooks', '');
      return null;
    end $$;
    create trigger tell_webhook_change after insert or update or delete on webhook
      for each statement execute function tell_webhook_change();

    -- Instead of foreign keys: a restore replaces the webhooks of a database and not what waits for them.
    create function forget_webhook() returns trigger language plpgsql as $$
    begin
      delete from webhook_state where webhook_id = old.id;
      delete from webhook_delivery where webhook_id = old.id;
      delete from webhook_hold where webhook_id = old.id;
      delete from webhook_dead_letter where webhook_id = old.id;
      delete from webhook_alert where webhook_id = old.id;
      return null;
    end $$;
    create trigger forget_webhook after delete on webhook for each row execute function forget_webhook();
  `)
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop table delivery, webhook_alert, webhook_dead_letter, webhook_hold, webhook_delivery, webhook_state, webhook,
      webhook_version;
    drop function tell_webhook_change, forget_webhook;
  `)
}
