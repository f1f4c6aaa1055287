/**
 * What has to run for events to appear: they get their positions, and the next occurrence of maintenances that recur is
 * set. API processes and notifiers run it, so it goes on while either is there.
 */
import { RecurringMaintenances } from '../../notify/recurring-maintenances.ts'
import { EventSequencer } from '../../notify/sequencer.ts'
import { ChannelListener } from '../../schedule/configuration/channel-listener.ts'
import type { Log } from '../../schedule/log.ts'
import { moveRecurringMaintenances } from '../../store/configuration/recurring-maintenance.ts'
import type { DatabaseUrl } from '../../store/connection/connection-url.ts'
import type { Database } from '../../store/connection/database.ts'
import { listen } from '../../store/connection/listen.ts'
import { OUTBOX_CHANNEL } from '../../store/event/event-channels.ts'
import { observeClock, sequenceEvents } from '../../store/event/events.ts'

export interface EventUpkeep {
  /** Takes what comes on EVENTS_CHANNEL. */
  readonly noteEvents: (payload: string) => void
  start(): void
  close(): Promise<void>
}

export function makeEventUpkeep(db: Database, databaseUrl: DatabaseUrl, log: Log): EventUpkeep {
  const sequencer = sequencerOf(db, log)
  const maintenances = new RecurringMaintenances({
    move: (options) => moveRecurringMaintenances(db, options),
    log,
  })
  const outbox = eventListener({ databaseUrl, log, channel: OUTBOX_CHANNEL, onPayload: sequencer.notify })
  const parts = [outbox, sequencer, maintenances]
  return {
    noteEvents: (payload) => sequencer.noteGiven(Number(payload) || 0),
    start: () => {
      for (const part of parts) part.start()
    },
    close: async () => {
      await Promise.all(parts.map((part) => part.close()))
    },
  }
}

function sequencerOf(db: Database, log: Log): EventSequencer {
  return new EventSequencer({
    sequence: (max) => sequenceEvents(db, max),
    observeClock: () => observeClock(db),
    log,
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
  readonly onPayload: (payload: string) => void
}): ChannelListener {
  return new ChannelListener({
    log,
    subject: 'events',
    onPayload,
    listen: (...hearing) =>
      listen({ url: databaseUrl, applicationName: 'healthmonitor events', channel }, ...hearing),
  })
}
