/**
 * The mass-failure breaker: when most unrelated targets fail at once (src/domain/result/mass-failure.ts) and no canary
 * answers, the prober takes itself for the cause.
 *
 *   closed → suspicious: a failure that would make a member OFFLINE waits until the canaries were asked
 *   suspicious → closed: one canary answered, and what waited counts
 *   suspicious → holding: none answered and most targets fail; for one interval of each check failures are inconclusive
 *     (PROBER_MASS_FAILURE) and the targets are asked again; what still fails then counts like any failure
 *
 * Invariants: a failure waits for one interval at most, whatever the canaries do; a canary that is down for good delays
 * only the first failures (`#canariesAreDown`); a target that was held back is not held back again before it has
 * passed. Without canaries the breaker counts and warns only. While nothing fails it costs one comparison per result.
 *
 * Where several sites probe the same members, the others are asked as well (suspect-site.ts): while they see ONLINE what
 * fails here, the site is the suspect, and failures of the members on which it votes do not count.
 */
import type { CheckConfig } from '../../domain/prober/check.ts'
import {
  CANARY_ROUND_EVERY_MS,
  MASS_FAILURE_LOOK_EVERY_MS,
  MASS_FAILURE_LOOK_SHARE,
  MASS_FAILURE_POOLS_MIN,
} from '../../domain/limits.ts'
import { countFailures, isMassFailure, isWide, type Observation } from '../../domain/result/mass-failure.ts'
import type { BreakerFacts, BreakerState } from '../../domain/prober/prober-facts.ts'
import type { ProbeResult } from '../../domain/result/probe-result.ts'
import { step } from '../../domain/status/state-machine.ts'
import { outcomeOf } from '../../domain/status/step-outcome.ts'
import type { Metrics } from '../../runtime/metrics/metrics.ts'
import type { Canaries } from './canaries.ts'
import type { Check } from '../loop/check.ts'
import { heldBack } from './judgement.ts'
import type { Log } from '../log.ts'
import { isVote, SuspectSite } from './suspect-site.ts'

export interface BreakerOptions {
  readonly checks: () => Iterable<Check>
  readonly canaries: Canaries
  /** Whether the other sites see these members ONLINE, so that this site is the suspect; rejects when nobody can tell. */
  readonly askOtherSites: (memberIds: readonly string[]) => Promise<boolean>
  /** Takes a result that had to wait; the check may be gone or be probed again meanwhile. */
  readonly conclude: (check: Check, config: CheckConfig, result: ProbeResult) => void
  readonly metrics: Pick<Metrics, 'massFailed'>
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

interface Held {
  readonly config: CheckConfig
  readonly result: ProbeResult
  readonly sinceMs: number
}

export class MassFailureBreaker {
  readonly #options: BreakerOptions
  readonly #now: () => number
  /** Checks that failed for the first time within their last interval, and when. */
  readonly #failing = new Map<Check, number>()
  readonly #held = new Map<Check, Held>()
  /** Held back since they last passed: their next failures count. */
  readonly #forgiven = new Set<Check>()
  readonly #suspect: SuspectSite
  #trippedMs = Number.NEGATIVE_INFINITY
  #holdsUntilMs = Number.NEGATIVE_INFINITY
  /** A mass failure was noticed; it counts as one until this time. */
  #episodeUntilMs = Number.NEGATIVE_INFINITY
  #isUnreported = false
  #nextLookMs = Number.NEGATIVE_INFINITY
  #isWide = false
  #isMass = false
  #canariesAnswer: boolean | undefined
  #canariesAreDown = false
  #timer: NodeJS.Timeout | undefined
  #isAsking = false
  #askedMs = Number.NEGATIVE_INFINITY
  #isDestroyed = false
  #massFailures = 0
  #trips = 0

  constructor(options: BreakerOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    const { checks, askOtherSites, metrics, log } = options
    this.#suspect = new SuspectSite({
      checks,
      failing: () => this.#forgiven,
      ask: askOtherSites,
      metrics,
      log,
      now: this.#now,
    })
  }

  get facts(): BreakerFacts {
    const nowMs = this.#now()
    return {
      state: this.#stateAt(nowMs),
      massFailing: nowMs < this.#episodeUntilMs || this.#suspect.isSuspect,
      suspect: this.#suspect.isSuspect,
      canaries: this.#options.canaries.count,
      canariesAnswer: this.#canariesAnswer ?? null,
      massFailures: this.#massFailures,
      trips: this.#trips,
      held: this.#held.size,
    }
  }

  #stateAt(nowMs: number): BreakerState {
    if (nowMs < this.#holdsUntilMs || this.#suspect.isSuspect) return 'holding'
    return this.#held.size > 0 ? 'suspicious' : 'closed'
  }

  /** The result that counts: this one, an inconclusive one in its place, or (undefined) none until it is concluded. */
  reconsider(check: Check, result: ProbeResult, nowMs: number): ProbeResult | undefined {
    if (result.outcome !== 'failed') {
      if (result.outcome === 'passed' && this.#forgiven.size > 0) this.#forgiven.delete(check)
      return result
    }
    if (check.config.policy.invert === true) return result
    if (this.#suspect.holds(check)) return this.#forgive(check, result)
    if (!isFirstFailure(check)) return this.#isHolding(check, nowMs) ? this.#forgive(check, result) : result
    if (this.#isHolding(check, nowMs)) return this.#forgive(check, result)
    if (this.#forgiven.has(check) || this.#isDestroyed) return result
    this.#failing.set(check, nowMs)
    const isDecisive = step(check.config.policy, check.state, outcomeOf(result)).status === 'OFFLINE'
    const isAsked = this.#options.canaries.count > 0 || isVote(check)
    this.#look(nowMs, isDecisive && isAsked)
    if (!isAsked || !this.#isWide || !(isDecisive || this.#isMass)) return result
    this.#ask(0)
    if (!isDecisive || (this.#canariesAreDown && !isVote(check))) return result
    this.#held.set(check, { config: check.config, result, sinceMs: nowMs })
    return undefined
  }

  /** Ends; waiting results do not count: the next owner of their shard decides. */
  destroy(): void {
    this.#isDestroyed = true
    clearTimeout(this.#timer)
    this.#held.clear()
    this.#suspect.destroy()
  }

  #isHolding(check: Check, nowMs: number): boolean {
    return nowMs < this.#holdsUntilMs && nowMs < this.#trippedMs + intervalMs(check)
  }

  #forgive(check: Check, result: ProbeResult): ProbeResult {
    this.#forgiven.add(check)
    return heldBack(result)
  }

  /** Counts, now and then: it walks over all checks. */
  #look(nowMs: number, isUrgent: boolean): void {
    const mayBeMass = this.#failing.size * 2 > MASS_FAILURE_POOLS_MIN
    if ((isUrgent || mayBeMass) && nowMs >= this.#nextLookMs) this.#count(nowMs)
  }

  #count(nowMs: number): void {
    for (const [check, atMs] of this.#failing) {
      const hasPassed = check.lastResult?.outcome === 'passed' && check.conclusiveMs > atMs
      if (hasPassed || check.isGone || nowMs - atMs > windowMs(check)) this.#failing.delete(check)
    }
    for (const check of this.#forgiven) if (check.isGone) this.#forgiven.delete(check)
    const counts = countFailures(this.#observations(nowMs))
    this.#isWide = isWide(counts)
    this.#isMass = isMassFailure(counts)
    this.#nextLookMs =
      nowMs + Math.max(MASS_FAILURE_LOOK_EVERY_MS, (this.#now() - nowMs) * MASS_FAILURE_LOOK_SHARE)
    if (!this.#isMass || nowMs < this.#episodeUntilMs) return
    this.#massFailures++
    this.#isUnreported = true
    this.#episodeUntilMs = nowMs + longest(this.#failing.keys(), windowMs)
    if (this.#options.canaries.count > 0) return
    this.#options.metrics.massFailed('warned')
    this.#options.log.warn(counts, 'most targets failed at once, and no canary (HM_CANARY) is there to ask')
  }

  *#observations(nowMs: number): Iterable<Observation> {
    for (const check of this.#options.checks()) {
      const isFailing = this.#failing.has(check)
      if (!isFailing && (isKnownFailing(check) || this.#forgiven.has(check))) continue
      if (!isFailing && nowMs - check.conclusiveMs > windowMs(check)) continue
      yield { poolId: check.config.poolId, network: check.share.address.network, isFailing }
    }
  }

  /** Asks the canaries within `inMs`, not more often than CANARY_ROUND_EVERY_MS.min. */
  #ask(inMs: number): void {
    if (this.#isDestroyed || this.#isAsking || this.#timer !== undefined) return
    const soonestMs = this.#askedMs + CANARY_ROUND_EVERY_MS.min - this.#now()
    this.#timer = setTimeout(() => void this.#askNow(), Math.max(inMs, soonestMs))
  }

  async #askNow(): Promise<void> {
    this.#timer = undefined
    this.#isAsking = true
    const askedMs = (this.#askedMs = this.#now())
    const { canaries } = this.#options
    const [answer, isSuspect] = await Promise.all([canaries.ask(), this.#askOtherSites()])
    this.#isAsking = false
    if (this.#isDestroyed) return
    const nowMs = this.#now()
    this.#count(nowMs)
    if (isSuspect) this.#forgiveVotes()
    if (canaries.count === 0) this.#release(({ sinceMs }) => sinceMs <= askedMs)
    else this.#noteAnswer(answer, askedMs, nowMs)
    if (this.#held.size > 0) this.#ask(0)
    // Until one of them answers again: then first failures can wait for them again.
    else if (this.#canariesAreDown) this.#ask(CANARY_ROUND_EVERY_MS.max)
  }

  async #askOtherSites(): Promise<boolean> {
    const failing = [...this.#failing.keys()].filter(isVote)
    if (failing.length === 0) return false
    this.#count(this.#now())
    return this.#isMass && (await this.#suspect.ask(failing))
  }

  #noteAnswer(answer: boolean, askedMs: number, nowMs: number): void {
    this.#canariesAnswer = answer
    if (answer) this.#believe(askedMs)
    else if (this.#isMass) this.#trip(nowMs)
    else this.#expire(nowMs)
  }

  /** The site is the suspect: its failures that waited do not count. */
  #forgiveVotes(): void {
    const votes = [...this.#held].filter(([check]) => isVote(check))
    for (const [check, { config, result }] of votes) {
      this.#held.delete(check)
      this.#options.conclude(check, config, this.#forgive(check, result))
    }
  }

  /** A canary answered: failures from before it was probed count. */
  #believe(askedMs: number): void {
    this.#canariesAreDown = false
    if (this.#isMass && this.#isUnreported) {
      this.#isUnreported = false
      this.#options.metrics.massFailed('believed')
      this.#options.log.warn(
        { failing: this.#failing.size },
        'most targets failed at once, and a canary answers',
      )
    }
    this.#release(({ sinceMs }) => sinceMs <= askedMs)
  }

  #trip(nowMs: number): void {
    this.#canariesAreDown = true
    this.#trips++
    this.#trippedMs = nowMs
    const held = [...this.#held]
    const longestMs = longest(this.#failing.keys(), intervalMs)
    this.#holdsUntilMs = nowMs + longestMs
    this.#options.metrics.massFailed('held')
    this.#options.log.warn(
      { failing: this.#failing.size, held: held.length, for_ms: longestMs },
      'most targets and all canaries failed at once: for one interval nothing of it counts',
    )
    this.#failing.clear()
    this.#isMass = false
    this.#held.clear()
    for (const [check, { config, result }] of held)
      this.#options.conclude(check, config, this.#forgive(check, result))
  }

  /** Failures that waited for a whole interval without a mass failure count. */
  #expire(nowMs: number): void {
    const held = this.#held.size
    this.#release(({ sinceMs, config }) => nowMs - sinceMs >= config.policy.intervals.online)
    if (this.#held.size < held) this.#canariesAreDown = true
  }

  #release(isDue: (held: Held) => boolean): void {
    const due = [...this.#held].filter(([, held]) => isDue(held))
    for (const [check] of due) this.#held.delete(check)
    for (const [check, { config, result }] of due) this.#options.conclude(check, config, result)
  }
}

function longest(checks: Iterable<Check>, msOf: (check: Check) => number): number {
  let longestMs = 0
  for (const check of checks) longestMs = Math.max(longestMs, msOf(check))
  return longestMs
}

function isFirstFailure({ state }: Check): boolean {
  return state.status !== 'OFFLINE' && (state.badRun === 0 || !state.decided)
}

/** Failing for longer, or not probed yet: no sign of a fault of the prober now. */
function isKnownFailing(check: Check): boolean {
  return check.state.status === 'OFFLINE' || check.state.badRun > 0 || check.lastResult === undefined
}

function intervalMs({ config }: Check): number {
  return config.policy.intervals.online
}

/** The time within which every target with this interval has had a result, timeouts included. */
function windowMs(check: Check): number {
  return intervalMs(check) + check.config.target.timeoutMs
}
