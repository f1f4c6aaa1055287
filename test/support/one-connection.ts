/**
 * A request is admitted for one connection to PostgreSQL: this holds every request of every test of the API to it. One that
 * asks for a second while it has one gets an error, so its answer is 500.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { ApiDependencies } from '../../src/api/http/context.ts'
import type { EventFeed } from '../../src/api/v1/event-feed.ts'
import type { Database } from '../../src/store/connection/database.ts'

const requests = new AsyncLocalStorage<{ held: number }>()

/** Handles a request under this rule. */
export function asOneRequest(handle: () => void): void {
  requests.run({ held: 0 }, handle)
}

const watched = new WeakSet<Database>()

export function oneConnectionPerRequest(db: Database): void {
  if (watched.has(db)) return
  watched.add(db)
  const acquire = db.acquire.bind(db)
  const release = db.release.bind(db)
  const tell = db.notices.tell.bind(db.notices)
  const owners = new WeakMap<object, { held: number }>()
  db.acquire = async () => {
    const request = requests.getStore()
    if (request === undefined) return await acquire()
    if (request.held > 0) throw new Error('this request has a connection already')
    request.held++
    try {
      const connection = await acquire()
      owners.set(connection, request)
      return connection
    } catch (error) {
      request.held--
      throw error
    }
  }
  db.release = (connection) => {
    const request = owners.get(connection)
    if (request !== undefined) request.held--
    owners.delete(connection)
    release(connection)
  }
  // Sent for the whole process, after the transaction.
  db.notices.tell = (notices) => requests.exit(() => tell(notices))
}

/** What the process reads for all requests begins with the first that asks for it, and is part of none. */
export function ofTheProcess<Events extends { readonly feed: EventFeed }>(events: Events): Events {
  const position = events.feed.position.bind(events.feed)
  events.feed.position = () => requests.exit(position)
  return events
}

/** The same of answers to requests for a probe: one reader reads them for all that wait, each second, as the first asked it to. */
export function readsForAll<Probes extends Pick<ApiDependencies['probes'], 'answers'>>(
  probes: Probes,
): Probes {
  const waitFor = probes.answers.waitFor.bind(probes.answers)
  probes.answers.waitFor = (...asked) => requests.exit(waitFor, ...asked)
  return probes
}
