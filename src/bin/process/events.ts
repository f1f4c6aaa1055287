/**
 * The events of an API process: gives them their positions, and sends them to its streams and waits. It also sets the
 * next occurrence of maintenances that recur.
 */
import { EventFeed } from '../../api/v1/event-feed.ts'
import { EventStreams } from '../../api/v1/event-streams.ts'
import { RecurringMaintenances } from '../../notify/recurring-maintenances.ts'
import { EventSequencer } from '../../notify/sequencer.ts'
import { ChannelListener } from '../../schedule/channel-listener.ts'
import type { Log } from '../../schedule/log.ts'
import type { DatabaseUrl } from '../../store/connection/connection-url.ts'
import type { Database } from '../../store/connection/database.ts'
import { moveRecurringMaintenances } from '../../store/configuration/recurring-maintenance.ts'
import { EVENTS_CHANNEL, OUTBOX_CHANNEL } from '../../store/event/event-channels.ts'
import { observeClock, readEventBounds, readEvents, sequenceEvents } from '../../store/event/events.ts'
import { listen } from '../../store/connection/listen.ts'

export interface ApiEvents {
  readonly feed: EventFeed
  readonly streams: EventStreams
  start(): void
  /** Ends the streams, so that their readers reconnect to another process, and stops. */
  close(): Promise<void>
}

export function makeEvents(db: Database, databaseUrl: DatabaseUrl, log: Log): ApiEvents {
  const feed = feedOf(db, log)
  const streams = new EventStreams()
  const sequencer = sequencerOf(db, log)
  const maintenances = recurringMaintenancesOf(db, log)
  const listeners = [
    eventListener({ databaseUrl, log, channel: OUTBOX_CHANNEL, onPayload: sequencer.notify }),
    eventListener({ databaseUrl, log, channel: EVENTS_CHANNEL, onPayload: feed.notify }),
  ]
  return {
    feed,
    streams,
    start: () => {
      for (const listener of listeners) listener.start()
      sequencer.start()
      maintenances.start()
    },
    close: async () => {
      streams.close()
      await Promise.all([
        ...listeners.map((listener) => listener.close()),
        sequencer.close(),
        maintenances.close(),
        feed.close(),
      ])
    },
  }
}

export function sequencerOf(db: Database, log: Log): EventSequencer {
  return new EventSequencer({
    sequence: (max) => sequenceEvents(db, max),
    observeClock: () => observeClock(db),
    log,
  })
}

export function recurringMaintenancesOf(db: Database, log: Log): RecurringMaintenances {
  return new RecurringMaintenances({ move: (options) => moveRecurringMaintenances(db, options), log })
}

export function feedOf(db: Database, log: Pick<Log, 'warn' | 'info'>): EventFeed {
  return new EventFeed({
    newest: async () => (await readEventBounds(db)).last,
    read: (after, limit) => readEvents(db, { after, upTo: Number.MAX_SAFE_INTEGER, limit, filter: {} }),
    onTrouble: (error) => log.warn({ err: error }, 'new events cannot be read'),
    onRecovery: () => log.info({}, 'new events are read again'),
  })
}

/** Keeps a connection that listens on a channel of events. */
export function eventListener({
  databaseUrl,
  log,
  channel,
  onPayload,
}: {
  readonly databaseUrl: DatabaseUrl
  readonly log: Log
  readonly channel: string
  readonly onPayload: () => void
}): ChannelListener {
  return new ChannelListener({
    log,
    subject: 'events',
    onPayload,
    listen: (onNews, onEnd) =>
      listen({ url: databaseUrl, applicationName: 'healthmonitor events', channel }, onNews, onEnd),
  })
}
