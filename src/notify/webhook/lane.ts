/**
 * The deliveries of one webhook, one request at a time. When the receiver cannot be reached, all of its deliveries
 * wait. When it refuses a request, the request is divided until it is known whose events are refused: only those wait.
 */
import {
  WEBHOOK_BATCH,
  WEBHOOK_REFUSALS_MAX,
  WEBHOOK_RETRY_MS,
  WEBHOOK_SUBJECT_RETRY_MS,
  WEBHOOK_TIMEOUTS_MAX,
} from '../../domain/limits.ts'
import { backOffMs } from '../../domain/webhook/back-off.ts'
import { isFiring } from '../../domain/webhook/alert.ts'
import { type Message, messageOf, type Origin } from '../../domain/webhook/message.ts'
import type { WebhookTarget } from '../../domain/webhook/webhook.ts'
import type { Delivery, Due } from '../../store/event/webhook-due.ts'
import type { Held } from '../../store/event/webhook-queue.ts'
import type { OpenAlert } from '../../store/event/webhook-alerts.ts'
import type { Outcome } from '../../domain/webhook/outcome.ts'
import { backOff, WakeablePause } from '../pause.ts'

/** What a lane needs of PostgreSQL; see `store/event/webhook-*.ts`. */
export interface LaneStore {
  readonly due: (limit: number) => Promise<Due>
  readonly delivered: (positions: readonly number[], subjects: readonly string[]) => Promise<void>
  readonly subjectFailures: (subjects: readonly string[]) => Promise<ReadonlyMap<string, number>>
  /** These two return how many were given up. */
  readonly refused: (error: string, held: readonly Held[]) => Promise<number>
  readonly unreachable: (error: string, failures: number, retryMs: number) => Promise<number>
  readonly failures: () => Promise<number>
  readonly noteAlerts: (alerts: {
    readonly firing: readonly { readonly subject: string; readonly position: number }[]
    readonly resolved: readonly { readonly subject: string; readonly position: number }[]
  }) => Promise<void>
  readonly dueAlerts: (limit: number) => Promise<readonly OpenAlert[]>
  readonly resent: (alerts: readonly OpenAlert[]) => Promise<void>
}

export interface LaneParts {
  /** As it is now; undefined = it is gone, or disabled. */
  readonly webhook: () => WebhookTarget | undefined
  readonly store: LaneStore
  /** Sends when it is the turn of the project. Undefined: this process may no longer deliver. */
  readonly send: (target: WebhookTarget, message: Message) => Promise<Outcome | undefined>
  readonly origin: Origin
  /** Counts events by the result of their request; `dead`: they were given up. */
  readonly countDeliveries: (result: 'delivered' | 'failed' | 'dead', events: number) => void
  /** Called when a statement failed. The lane continues after a pause. */
  readonly onTrouble: (error: unknown) => void
}

export class WebhookLane {
  readonly #parts: LaneParts
  #isDue = false
  #hasDueAlerts = false
  readonly #pause = new WakeablePause()

  constructor(parts: LaneParts) {
    this.#parts = parts
  }

  /** Whether a notification came that was not handled yet. */
  get isNotified(): boolean {
    return this.#isDue
  }

  /** There may be something to deliver. */
  readonly notify = (): void => {
    this.#isDue = true
    this.#pause.wake()
  }

  /** There are alerts to be sent again. */
  readonly notifyOfAlerts = (): void => {
    this.#hasDueAlerts = true
    this.notify()
  }

  /** Resolves when nothing waits any more, or `signal` is aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', this.notify, { once: true })
    while (!signal.aborted) {
      try {
        const pauseMs = await this.#step()
        if (pauseMs === undefined) break
        if (!this.#isDue && pauseMs > 0) await this.#pause.wait(pauseMs, signal)
      } catch (error) {
        if (signal.aborted) break
        this.#parts.onTrouble(error)
        await backOff(WEBHOOK_RETRY_MS.min, signal)
      }
    }
    signal.removeEventListener('abort', this.notify)
  }

  /** Delivers what is due. Returns milliseconds until more can be due; undefined = nothing waits. */
  async #step(): Promise<number | undefined> {
    this.#isDue = false
    const webhook = this.#parts.webhook()
    if (webhook === undefined) return undefined
    if (this.#hasDueAlerts && !(await this.#resendAlerts(webhook))) return undefined
    const { deliveries, nextInMs } = await this.#parts.store.due(WEBHOOK_BATCH)
    if (deliveries.length > 0) {
      const mayContinue = await this.#deliver(webhook, deliveries, (sent) =>
        this.#noteDelivered(webhook, sent),
      )
      return mayContinue ? 0 : undefined
    }
    return nextInMs ?? (this.#isDue ? 0 : undefined)
  }

  /**
   * Sends until every event has arrived or waits for a later attempt. `noteSent` stores what has arrived. Returns
   * whether this process may still deliver.
   */
  async #deliver(
    webhook: WebhookTarget,
    deliveries: readonly Delivery[],
    noteSent: (sent: readonly Delivery[]) => Promise<void>,
  ): Promise<boolean> {
    const parts: (readonly Delivery[])[] = [deliveries]
    const failedInARow = { refused: 0, unanswered: 0 }
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      const message = this.#messageOf(webhook, part)
      const sent = part.slice(0, message.count)
      if (sent.length < part.length) parts.unshift(part.slice(sent.length))
      const outcome = await this.#parts.send(webhook, message)
      if (outcome === undefined) return false
      if (outcome.kind === 'unreachable') {
        await this.#noteUnreachable(outcome, sent.length)
        return true
      }
      if (outcome.kind === 'delivered') {
        await noteSent(sent)
        this.#parts.countDeliveries('delivered', sent.length)
        failedInARow.refused = failedInARow.unanswered = 0
        continue
      }
      failedInARow[outcome.kind] += 1
      const isEnough =
        failedInARow.refused >= WEBHOOK_REFUSALS_MAX || failedInARow.unanswered >= WEBHOOK_TIMEOUTS_MAX
      const held = isEnough ? [sent, ...parts].flat() : sent
      if (isEnough || subjectsOf(sent).length === 1) {
        await this.#hold(outcome.error, subjectsOf(held), sent.length)
        withoutSubjects(parts, new Set(subjectsOf(held)))
      } else {
        this.#parts.countDeliveries('failed', sent.length)
        const half = Math.ceil(sent.length / 2)
        parts.unshift(sent.slice(0, half), sent.slice(half))
      }
    }
    return true
  }

  #messageOf(webhook: WebhookTarget, deliveries: readonly Delivery[]): Message {
    const { origin } = this.#parts
    return messageOf(
      webhook,
      deliveries.map(({ event }) => event),
      { origin, nowMs: Date.now() },
    )
  }

  async #noteDelivered(webhook: WebhookTarget, sent: readonly Delivery[]): Promise<void> {
    const { store } = this.#parts
    if (webhook.format === 'alertmanager') {
      // Of several changes of one object, only the last one is its state.
      const last = [...new Map(sent.map((delivery) => [delivery.subject, delivery])).values()]
      const alertsOf = (deliveries: readonly Delivery[]) =>
        deliveries.map(({ subject, event }) => ({ subject, position: event.position }))
      await store.noteAlerts({
        firing: alertsOf(last.filter(({ event }) => isFiring(event))),
        resolved: alertsOf(last.filter(({ event }) => !isFiring(event))),
      })
    }
    await store.delivered(
      sent.map(({ event }) => event.position),
      subjectsOf(sent),
    )
  }

  async #noteUnreachable(outcome: Outcome & { kind: 'unreachable' }, events: number): Promise<void> {
    const { store, countDeliveries } = this.#parts
    const failures = (await store.failures()) + 1
    const retryMs = Math.max(backOffMs(failures, WEBHOOK_RETRY_MS, Math.random()), outcome.retryAfterMs ?? 0)
    countDeliveries('failed', events)
    countDeliveries('dead', await store.unreachable(outcome.error, failures, retryMs))
  }

  async #hold(error: string, subjects: readonly string[], events: number): Promise<void> {
    const { store, countDeliveries } = this.#parts
    const before = await store.subjectFailures(subjects)
    const held = subjects.map((subject): Held => {
      const failures = (before.get(subject) ?? 0) + 1
      return { subject, failures, retryMs: backOffMs(failures, WEBHOOK_SUBJECT_RETRY_MS, Math.random()) }
    })
    countDeliveries('failed', events)
    countDeliveries('dead', await store.refused(error, held))
  }

  /**
   * Runs in the lane, so that an alert that is resolved meanwhile is not sent again after its end. Failures have the
   * same effect as those of deliveries. Returns whether this process may still deliver.
   */
  async #resendAlerts(webhook: WebhookTarget): Promise<boolean> {
    this.#hasDueAlerts = false
    const { store } = this.#parts
    const alerts = await store.dueAlerts(WEBHOOK_BATCH)
    if (alerts.length === 0) return true
    const at = new Date()
    const again = alerts.map(({ subject, event, endsWith }) => ({
      subject,
      event: endsWith === undefined ? event : { ...event, from: event.to, to: endsWith, at },
    }))
    return await this.#deliver(webhook, again, async (sent) => {
      const subjects = new Set(subjectsOf(sent))
      await store.resent(alerts.filter(({ subject }) => subjects.has(subject)))
    })
  }
}

function subjectsOf(deliveries: readonly Delivery[]): readonly string[] {
  return [...new Set(deliveries.map(({ subject }) => subject))]
}

/** Removes the events of these subjects: they wait, so that events of a subject stay in order. */
function withoutSubjects(parts: (readonly Delivery[])[], subjects: ReadonlySet<string>): void {
  const left = parts
    .map((part) => part.filter(({ subject }) => !subjects.has(subject)))
    .filter((part) => part.length > 0)
  parts.splice(0, parts.length, ...left)
}
