/** Names of NOTIFY channels (migration 0020): there are rows to move, and there are new events. */
export const OUTBOX_CHANNEL = 'healthmonitor_outbox'
export const EVENTS_CHANNEL = 'healthmonitor_events'
