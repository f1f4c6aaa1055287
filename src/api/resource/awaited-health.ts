/**
 * `wait_for` and `timeout` of the health of members and pools: the answer comes as soon as the status is the one that is waited
 * for, or when the time is over.
 *
 * A wait first subscribes to events and reads afterwards, so that no change between the two is missed. After each event it reads
 * again: what is read decides, never the event. So a wait cannot be wrong when an event is late or lost; then it is slower.
 */
import { DomainError } from '../../domain/errors.ts'
import type { EventFilter } from '../../domain/event/event-filter.ts'
import {
  HEALTH_WAIT_BUSY_MS,
  HEALTH_WAIT_LOOK_MS,
  HEALTH_WAIT_PAUSE_MS,
  HEALTH_WAIT_SECONDS,
  HEALTH_WAIT_SECONDS_DEFAULT,
} from '../../domain/limits.ts'
import type { ApiContext, ApiDependencies } from '../http/context.ts'
import { invalidQuery, type Parameters } from '../http/query.ts'
import { admitted, onceGone, takePlace } from '../http/waiting.ts'

/** Neutral words, those of events: what probes have found. Nothing else of a member is worth waiting for. */
const AWAITED = ['ONLINE', 'OFFLINE'] as const
export type AwaitedState = (typeof AWAITED)[number]

export interface HealthWait {
  readonly state: AwaitedState
  readonly timeoutMs: number
}

/** The wait that is asked for; undefined = none. Its parameters are taken out of `parameters`. Throws INVALID_QUERY. */
export function takeHealthWait(parameters: Parameters): HealthWait | undefined {
  const word = takeOne(parameters, 'wait_for')
  const timeout = takeOne(parameters, 'timeout')
  if (word === undefined) {
    if (timeout !== undefined) throw invalidQuery('timeout is the time of wait_for, which is not there.')
    return undefined
  }
  const state = AWAITED.find((each) => each === word)
  if (state === undefined) throw invalidQuery(`wait_for must be one of ${AWAITED.join(', ')}.`)
  return { state, timeoutMs: 1000 * secondsOf(timeout) }
}

function takeOne(parameters: Parameters, name: string): string | undefined {
  const values = parameters.getAll(name)
  if (values.length > 1) throw invalidQuery(`${name} is there more than once.`)
  parameters.delete(name)
  return values[0]
}

function secondsOf(text: string | undefined): number {
  if (text === undefined) return HEALTH_WAIT_SECONDS_DEFAULT
  const { min, max } = HEALTH_WAIT_SECONDS
  const seconds = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN
  if (!(seconds >= min && seconds <= max))
    throw invalidQuery(`timeout must be from ${min} to ${max} seconds.`)
  return seconds
}

export interface StatusWait<Found> {
  readonly wait: HealthWait
  /** Whose events may bring what is waited for. */
  readonly about: Pick<EventFilter, 'poolId' | 'memberId'>
  /** Reads what decides; called when the project has its turn at the database. Its errors end the wait. */
  readonly read: () => Promise<Found>
  readonly holds: (found: Found) => boolean
}

export interface WaitResult<Found> {
  readonly found: Found
  /** As it is shown. */
  readonly shown: { readonly for: AwaitedState; readonly reached: boolean; readonly seconds: number }
}

/** Verdicts and roll-ups in the awaited status; and changes of the configuration, which may leave nothing to wait for. */
const WORTH_A_LOOK = [new Set(['member.status', 'pool.status']), new Set(['config.changed'])]

/**
 * Waits until it holds, the time is over, the client is gone or the process ends; then gives what was read last. Holds a place
 * among the waits of its project. Throws PROJECT_BUSY, and the errors of `read`.
 */
export async function untilHeld<Found>(
  ctx: ApiContext,
  deps: ApiDependencies,
  { wait, about, read, holds }: StatusWait<Found>,
): Promise<WaitResult<Found>> {
  const giveBack = takePlace(ctx, deps)
  const startedAt = performance.now()
  const elapsedMs = () => performance.now() - startedAt
  const bell = new Bell()
  const unsubscribe = WORTH_A_LOOK.map((types) => {
    const to = types.has('config.changed') ? {} : { to: new Set([wait.state]) }
    return deps.events.feed.subscribe({ ...about, types, ...to }, () => bell.ring())
  })
  const end = () => bell.ringLast()
  const forget = deps.events.streams.onClose(end)
  onceGone(ctx, end)
  try {
    await deps.events.feed.position()
    let found = await admitted(ctx, read)
    while (!holds(found) && elapsedMs() < wait.timeoutMs && !bell.isLast) {
      await bell.rung(Math.min(HEALTH_WAIT_LOOK_MS, wait.timeoutMs - elapsedMs()))
      if (!ctx.res.destroyed) found = await readAgain(ctx, read, found)
    }
    const reached = holds(found)
    return { found, shown: { for: wait.state, reached, seconds: Math.round(elapsedMs()) / 1000 } }
  } finally {
    ctx.res.off('close', end)
    forget()
    for (const each of unsubscribe) each()
    giveBack()
  }
}

/** A project that is too busy for a look right now gets the next one; what was read before still stands. */
async function readAgain<Found>(ctx: ApiContext, read: () => Promise<Found>, before: Found): Promise<Found> {
  try {
    return await admitted(ctx, read)
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'PROJECT_BUSY') throw error
    await pause(HEALTH_WAIT_BUSY_MS)
    return before
  }
}

async function pause(ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    setTimeout(resolve, ms)
  })
}

/** Wakes its one listener: at once, but HEALTH_WAIT_PAUSE_MS after the ring before. A ring that nobody listened to is kept. */
class Bell {
  #isRung = false
  #isLast = false
  #wake: (() => void) | undefined
  /** Monotonic milliseconds. */
  #quietUntil = 0

  /** Nothing more is worth waiting for. */
  get isLast(): boolean {
    return this.#isLast
  }

  ring(): void {
    this.#isRung = true
    this.#wake?.()
  }

  ringLast(): void {
    this.#isLast = true
    this.ring()
  }

  /** Resolves after the next ring, or after `ms` milliseconds. */
  async rung(ms: number): Promise<void> {
    const quietMs = Math.min(ms, Math.max(0, this.#quietUntil - performance.now()))
    if (quietMs > 0) await pause(quietMs)
    if (!this.#isRung) await this.#next(ms - quietMs)
    if (this.#isRung) this.#quietUntil = performance.now() + HEALTH_WAIT_PAUSE_MS
    this.#isRung = false
  }

  async #next(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
      const timer = setTimeout(wake, ms)
      this.#wake = wake
    })
  }
}
