/**
 * Webhooks as a receiver of events: each event is queued in PostgreSQL for every webhook whose filter it matches, and
 * each webhook with a queue has a lane that empties it. So a receiver that is unreachable takes no memory and does not
 * delay others.
 */
import {
  ALERTS_EVERY_MS,
  WEBHOOK_REQUESTS,
  WEBHOOK_WAITING_MAX,
  WEBHOOK_WAITING_SLACK,
  WEBHOOKS_EVERY_MS,
} from '../../domain/limits.ts'
import type { ServiceEvent } from '../../domain/event/event.ts'
import { FairGate } from '../../domain/share/fair-gate.ts'
import type { Message, Origin } from '../../domain/webhook/message.ts'
import type { Outcome } from '../../domain/webhook/outcome.ts'
import {
  receivesEvent,
  type EnabledWebhook,
  subjectOf,
  type WebhookTarget,
} from '../../domain/webhook/webhook.ts'
import type { Queued } from '../../store/event/webhook-queue.ts'
import type { NotifyLog } from '../log.ts'
import type { Receiver } from '../receiver.ts'
import { TroubleLog } from '../trouble-log.ts'
import { projectKeyOf, type WebhookClient } from './client.ts'
import { type LaneParts, type LaneStore, WebhookLane } from './lane.ts'

/** What webhooks need of PostgreSQL; see `store/event/webhook-queue.ts`. */
export interface WebhookStore {
  /** A number that changes whenever any webhook changes. */
  readonly version: () => Promise<number>
  readonly enabled: () => Promise<readonly EnabledWebhook[]>
  /** The newest position of all events. */
  readonly newest: () => Promise<number>
  readonly queue: (deliveries: readonly Queued[], position: number) => Promise<void>
  /** Those for which something waits. */
  readonly withWaiting: () => Promise<readonly string[]>
  /** How many events wait for one; counts at most `most`. */
  readonly countWaiting: (webhookId: string, most: number) => Promise<number>
  /** Keeps the newest of a queue; returns how many were given up. */
  readonly bound: (webhookId: string, max: number) => Promise<number>
  readonly withDueAlerts: () => Promise<readonly string[]>
  readonly lane: (webhookId: string) => LaneStore
}

export interface WebhooksParts {
  readonly store: WebhookStore
  readonly client: Pick<WebhookClient, 'send' | 'keepOnly' | 'close'>
  /** Whether this process may deliver at this moment. */
  readonly mayDeliver: () => boolean
  readonly origin: Origin
  readonly countDeliveries: LaneParts['countDeliveries']
  readonly log: NotifyLog
}

interface RunningLane {
  readonly lane: WebhookLane
  readonly ended: Promise<void>
}

export const WEBHOOKS_RECEIVER = 'webhooks'

export class Webhooks implements Receiver {
  readonly name = WEBHOOKS_RECEIVER
  readonly movesPosition = true
  readonly #parts: WebhooksParts
  readonly #gate = new FairGate({ places: WEBHOOK_REQUESTS, waitingMax: Number.POSITIVE_INFINITY })
  #version = -1
  #byId: ReadonlyMap<string, EnabledWebhook> = new Map()
  #byProject: ReadonlyMap<string, readonly EnabledWebhook[]> = new Map()
  readonly #lanes = new Map<string, RunningLane>()
  /** At most so many events wait; not known of a webhook before its first event of this term. */
  readonly #waitingAtMost = new Map<string, number>()
  #term: AbortSignal | undefined
  #looking: Promise<void> | undefined
  /** A notification came after the current look had begun. */
  #isLookDue = false
  #timers: readonly NodeJS.Timeout[] = []
  readonly #trouble: TroubleLog

  constructor(parts: WebhooksParts) {
    this.#parts = parts
    this.#trouble = new TroubleLog(parts.log, {
      trouble: 'webhooks cannot be read or written; events for them wait',
      recovery: 'webhooks can be read again',
    })
  }

  begin(signal: AbortSignal): void {
    this.#term = signal
    this.#version = -1
    this.#waitingAtMost.clear()
    this.#timers = [
      setInterval(this.look, WEBHOOKS_EVERY_MS),
      setInterval(() => void this.#attempt(() => this.#lookAtAlerts()), ALERTS_EVERY_MS),
    ]
    signal.addEventListener('abort', () => this.#stopTimers(), { once: true })
    this.look()
  }

  /** Webhooks may have changed, or something may wait that was not queued here. */
  readonly look = (): void => {
    if (this.#term === undefined || this.#term.aborted) return
    this.#isLookDue = this.#looking !== undefined
    this.#looking ??= this.#attempt(async () => {
      await this.#refresh()
      for (const id of await this.#parts.store.withWaiting()) this.#notify(id)
    }).finally(() => {
      this.#looking = undefined
      if (this.#isLookDue) this.look()
    })
  }

  /** While no webhook is enabled. The position is read first: who is enabled later wants nothing before it. */
  async passOver(): Promise<number | undefined> {
    if (this.#byId.size > 0) return undefined
    const newest = await this.#parts.store.newest()
    await this.#refresh()
    return this.#byId.size === 0 ? newest : undefined
  }

  async deliver(events: readonly ServiceEvent[]): Promise<void> {
    await this.#refresh()
    const queued = events.flatMap((event) =>
      this.#webhooksFor(event).map(
        ({ id }): Queued => ({
          webhookId: id,
          position: event.position,
          subject: subjectOf(event),
        }),
      ),
    )
    await this.#parts.store.queue(queued, events.at(-1)?.position ?? 0)
    const counts = new Map<string, number>()
    for (const { webhookId } of queued) counts.set(webhookId, (counts.get(webhookId) ?? 0) + 1)
    for (const [id, count] of counts) {
      await this.#bound(id, count)
      this.#notify(id)
    }
  }

  async close(): Promise<void> {
    this.#stopTimers()
    this.#isLookDue = false
    await this.#looking
    await Promise.all([...this.#lanes.values()].map(({ ended }) => ended))
    await this.#parts.client.close()
  }

  #stopTimers(): void {
    for (const timer of this.#timers) clearInterval(timer)
  }

  /** Reads the webhooks again when one has changed. */
  async #refresh(): Promise<void> {
    const { store, client } = this.#parts
    const version = await store.version()
    if (version === this.#version) return
    const webhooks = await store.enabled()
    this.#byId = new Map(webhooks.map((webhook) => [webhook.id, webhook]))
    const byProject = new Map<string, EnabledWebhook[]>()
    for (const webhook of webhooks) {
      const ofProject = byProject.get(projectKeyOf(webhook)) ?? []
      ofProject.push(webhook)
      byProject.set(projectKeyOf(webhook), ofProject)
    }
    this.#byProject = byProject
    for (const id of this.#waitingAtMost.keys()) if (!this.#byId.has(id)) this.#waitingAtMost.delete(id)
    this.#version = version
    client.keepOnly(new Set(byProject.keys()))
    for (const { lane } of this.#lanes.values()) lane.notify()
  }

  /** The webhooks that get this event: those of its project, and those of administrators. */
  #webhooksFor(event: ServiceEvent): readonly EnabledWebhook[] {
    const ofAdministrators = this.#byProject.get('') ?? []
    const ofProject = event.projectId === null ? [] : (this.#byProject.get(event.projectId) ?? [])
    return [...ofProject, ...ofAdministrators].filter((webhook) => receivesEvent(webhook, event))
  }

  /**
   * Bounds a queue that got `queued` more events. Only this process adds events, so what was counted and what was added
   * since is an upper bound. The queue is counted again when that is WEBHOOK_WAITING_SLACK too many: a count of a full
   * queue reads all of it. Dead letters that the API queues again are in the next count; there are never more of them
   * than DEAD_LETTERS_MAX.
   */
  async #bound(id: string, queued: number): Promise<void> {
    const { store, countDeliveries } = this.#parts
    const known = this.#waitingAtMost.get(id)
    const atMost = known === undefined ? Number.POSITIVE_INFINITY : known + queued
    this.#waitingAtMost.set(id, atMost)
    if (atMost <= WEBHOOK_WAITING_MAX + WEBHOOK_WAITING_SLACK) return
    const waiting = await store.countWaiting(id, WEBHOOK_WAITING_MAX + 1)
    if (waiting > WEBHOOK_WAITING_MAX) countDeliveries('dead', await store.bound(id, WEBHOOK_WAITING_MAX))
    this.#waitingAtMost.set(id, Math.min(waiting, WEBHOOK_WAITING_MAX))
  }

  /** Wakes the lane of a webhook, or makes one. */
  #notify(id: string): void {
    const term = this.#term
    if (term === undefined || term.aborted) return
    const known = this.#lanes.get(id)
    if (known !== undefined) return known.lane.notify()
    const lane = this.#laneOf(id, term)
    lane.notify()
    const ended = lane.run(term).then(() => {
      this.#lanes.delete(id)
      // Something may have come between its last look and its end.
      if (lane.isNotified) this.#notify(id)
    })
    this.#lanes.set(id, { lane, ended })
  }

  #laneOf(id: string, term: AbortSignal): WebhookLane {
    const { store, origin, countDeliveries } = this.#parts
    return new WebhookLane({
      webhook: () => this.#byId.get(id),
      store: store.lane(id),
      send: (target, message) => this.#send(target, message, term),
      origin,
      countDeliveries: (result, events) => {
        if (events > 0) countDeliveries(result, events)
      },
      onTrouble: (error) => this.#noteTrouble(error),
    })
  }

  /** Sends when there is a place among the requests in flight; places are given round-robin by project. */
  async #send(target: WebhookTarget, message: Message, term: AbortSignal): Promise<Outcome | undefined> {
    const key = projectKeyOf(target)
    const entered = await this.#gate.enter(key, (expire) => {
      term.addEventListener('abort', expire, { once: true })
      return () => term.removeEventListener('abort', expire)
    })
    if (!entered) return undefined
    try {
      if (term.aborted || !this.#parts.mayDeliver()) return undefined
      return await this.#parts.client.send(target, message, term)
    } finally {
      this.#gate.leave(key)
    }
  }

  async #lookAtAlerts(): Promise<void> {
    for (const id of await this.#parts.store.withDueAlerts()) {
      this.#notify(id)
      this.#lanes.get(id)?.lane.notifyOfAlerts()
    }
  }

  /** Never rejects. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work()
      this.#trouble.worked()
    } catch (error) {
      this.#noteTrouble(error)
    }
  }

  /** At the end of a term statements may fail: that is no trouble. */
  #noteTrouble(error: unknown): void {
    if (this.#term?.aborted === false) this.#trouble.failed(error)
  }
}
