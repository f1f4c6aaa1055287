/**
 * Gives the new events of all projects to the streams and waits of one process. It reads the database once, however
 * many streams and waits there are. It keeps the newest events, so that a reader that reconnects soon needs no
 * statement.
 */
import type { ServiceEvent } from '../../domain/event/event.ts'
import { type EventFilter, matchesFilter } from '../../domain/event/event-filter.ts'
import { FEED_BATCH, FEED_EVERY_MS, FEED_KEPT } from '../../domain/limits.ts'

export interface FeedParts {
  /** The newest position. */
  readonly newest: () => Promise<number>
  /** At most `limit` events after a position, of all projects. */
  readonly read: (after: number, limit: number) => Promise<readonly ServiceEvent[]>
  /** The feed cannot read, or can again. */
  readonly onTrouble: (error: unknown) => void
  readonly onRecovery: () => void
}

/** Called with new events that match the filter of the subscription, in their order. */
export type FeedReader = (events: readonly ServiceEvent[]) => void

interface Subscription {
  readonly filter: EventFilter
  readonly reader: FeedReader
}

export class EventFeed {
  readonly #parts: FeedParts
  /** By project; under undefined those of administrators, which get the events of all projects. */
  readonly #subscriptions = new Map<string | undefined, Set<Subscription>>()
  #kept: ServiceEvent[] = []
  #keptAfter = 0
  #position: number | undefined
  #starting: Promise<number> | undefined
  #timer: NodeJS.Timeout | undefined
  #reading: Promise<void> | undefined
  #isDue = false
  #isInTrouble = false
  #isStopped = false

  constructor(parts: FeedParts) {
    this.#parts = parts
  }

  /**
   * The position up to which the feed has read. The first call starts the feed, so a process without subscriptions
   * reads nothing. Throws the error of the database if it has not answered yet.
   */
  async position(): Promise<number> {
    if (this.#position !== undefined) return this.#position
    // One statement for all first callers: a second result that comes late would set the position back.
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined
    })
    return await this.#starting
  }

  async #start(): Promise<number> {
    const newest = await this.#parts.newest()
    this.#position = newest
    this.#keptAfter = newest
    this.#timer = setInterval(this.notify, FEED_EVERY_MS).unref()
    return newest
  }

  /** There may be new events. */
  readonly notify = (): void => {
    this.#isDue = true
    if (this.#isStopped || this.#position === undefined) return
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
  }

  async close(): Promise<void> {
    this.#isStopped = true
    clearInterval(this.#timer)
    await this.#reading
  }

  /** Events after a position that match, if they are still kept here. Undefined: they must be read from the database. */
  keptAfter(position: number, filter: EventFilter): readonly ServiceEvent[] | undefined {
    if (position < this.#keptAfter) return undefined
    return this.#kept.filter((event) => event.position > position && matchesFilter(event, filter))
  }

  /** Calls `reader` with each new event that matches `filter`. Returns the function that ends the subscription. */
  subscribe(filter: EventFilter, reader: FeedReader): () => void {
    const subscription = { filter, reader }
    const ofProject = this.#subscriptions.get(filter.projectId) ?? new Set()
    this.#subscriptions.set(filter.projectId, ofProject.add(subscription))
    return () => {
      ofProject.delete(subscription)
      if (ofProject.size === 0) this.#subscriptions.delete(filter.projectId)
    }
  }

  /** Reads until nothing new was found after the last notification. Never rejects. */
  async #read(): Promise<void> {
    try {
      while (this.#isDue && !this.#isStopped) {
        this.#isDue = false
        const events = await this.#parts.read(this.#position ?? 0, FEED_BATCH)
        const last = events.at(-1)
        if (last === undefined) continue
        this.#position = last.position
        this.#keep(events)
        this.#distribute(events)
        // There may be more; of those that come later there is a notification.
        if (events.length >= FEED_BATCH) this.#isDue = true
      }
      if (this.#isInTrouble) this.#parts.onRecovery()
      this.#isInTrouble = false
    } catch (error) {
      if (!this.#isInTrouble) this.#parts.onTrouble(error)
      this.#isInTrouble = true
    }
  }

  #keep(events: readonly ServiceEvent[]): void {
    this.#kept.push(...events)
    if (this.#kept.length <= 2 * FEED_KEPT) return
    this.#kept = this.#kept.slice(-FEED_KEPT)
    this.#keptAfter = (this.#kept[0]?.position ?? 1) - 1
  }

  #distribute(events: readonly ServiceEvent[]): void {
    const byProject = new Map<string | undefined, ServiceEvent[]>()
    for (const event of events) {
      if (event.projectId === null || !this.#subscriptions.has(event.projectId)) continue
      const ofProject = byProject.get(event.projectId)
      if (ofProject === undefined) byProject.set(event.projectId, [event])
      else ofProject.push(event)
    }
    for (const [projectId, ofProject] of byProject) this.#publish(projectId, ofProject)
    this.#publish(undefined, events)
  }

  #publish(projectId: string | undefined, events: readonly ServiceEvent[]): void {
    for (const { filter, reader } of this.#subscriptions.get(projectId) ?? []) {
      const wanted = events.filter((event) => matchesFilter(event, filter))
      if (wanted.length > 0) reader(wanted)
    }
  }
}
