/** Names of NOTIFY channels (migrations 0020, 0021): there are rows to move, new events, and webhooks that changed. */
export const OUTBOX_CHANNEL = 'healthmonitor_outbox'
export const EVENTS_CHANNEL = 'healthmonitor_events'
export const WEBHOOKS_CHANNEL = 'healthmonitor_webhooks'
