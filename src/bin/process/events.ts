/** The events of an API process: sends them to its streams and to the requests that wait. */
import { EventFeed } from '../../api/v1/event-feed.ts'
import { EventStreams } from '../../api/v1/event-streams.ts'
import type { Log } from '../../schedule/log.ts'
import type { DatabaseUrl } from '../../store/connection/connection-url.ts'
import type { Database } from '../../store/connection/database.ts'
import { EVENTS_CHANNEL } from '../../store/event/event-channels.ts'
import { readEventBounds, readEvents } from '../../store/event/events.ts'
import { eventListener, makeEventUpkeep } from './event-upkeep.ts'

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
  const upkeep = makeEventUpkeep(db, databaseUrl, log)
  const onPayload = (payload: string) => {
    upkeep.noteEvents(payload)
    feed.notify()
  }
  const listener = eventListener({ databaseUrl, log, channel: EVENTS_CHANNEL, onPayload })
  return {
    feed,
    streams,
    start: () => {
      listener.start()
      upkeep.start()
    },
    close: async () => {
      streams.close()
      await Promise.all([listener.close(), upkeep.close(), feed.close()])
    },
  }
}

/** Events of all projects after a position. */
export function readAllEvents(db: Database, after: number, limit: number): ReturnType<typeof readEvents> {
  return readEvents(db, { after, upTo: Number.MAX_SAFE_INTEGER, limit, filter: {} })
}

export function feedOf(db: Database, log: Pick<Log, 'warn' | 'info'>): EventFeed {
  return new EventFeed({
    newest: async () => (await readEventBounds(db)).last,
    read: (after, limit) => readAllEvents(db, after, limit),
    onTrouble: (error) => log.warn({ err: error }, 'new events cannot be read'),
    onRecovery: () => log.info({}, 'new events are read again'),
  })
}
