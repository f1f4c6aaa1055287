/**
 * Whether the site of this prober is the suspect: most unrelated members fail here at once, and more than half of the
 * other sites see them ONLINE without such a mass failure of their own (src/domain/site/witnesses.ts, ADR 38). While it
 * is, failures of members on which it votes do not count: they are inconclusive, so that after three windows the votes
 * are stale, and the other sites decide.
 *
 * The others are asked again once a second. It ends when most of what failed has passed, when the others see the failure
 * too, or when they cannot be asked any more.
 */
import {
  MASS_FAILURE_LOOK_SHARE,
  WITNESS_MEMBERS_ASKED,
  WITNESSES_ASKED_EVERY_MS,
} from '../../domain/limits.ts'
import { countFailures, isMassFailure, type Observation } from '../../domain/result/mass-failure.ts'
import type { Metrics } from '../../runtime/metrics/metrics.ts'
import type { Check } from '../loop/check.ts'
import type { Log } from '../log.ts'

export interface SuspectSiteOptions {
  readonly checks: () => Iterable<Check>
  /** Checks whose failures did not count, since they last passed. */
  readonly failing: () => ReadonlySet<Check>
  /** Whether the other sites see these members ONLINE; rejects when that is not known. */
  readonly ask: (memberIds: readonly string[]) => Promise<boolean>
  readonly metrics: Pick<Metrics, 'massFailed'>
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly now: () => number
}

export class SuspectSite {
  readonly #options: SuspectSiteOptions
  #isSuspect = false
  /** What had failed when it began, and when that was. */
  #failedBefore: ReadonlySet<Check> = new Set()
  #sinceMs = 0
  #timer: NodeJS.Timeout | undefined
  #isDestroyed = false

  constructor(options: SuspectSiteOptions) {
    this.#options = options
  }

  get isSuspect(): boolean {
    return this.#isSuspect
  }

  /** Whether a failure of this check does not count. */
  holds(check: Check): boolean {
    return this.#isSuspect && isVote(check)
  }

  /** Asks the other sites about what fails here. Never rejects: what is not known counts. */
  async ask(failing: ReadonlySet<Check>): Promise<boolean> {
    const isSuspect = await this.#isContradicted(failing)
    if (isSuspect && !this.#isSuspect && !this.#isDestroyed) this.#begin(failing)
    return isSuspect
  }

  destroy(): void {
    this.#isDestroyed = true
    clearTimeout(this.#timer)
  }

  async #isContradicted(failing: Iterable<Check>): Promise<boolean> {
    const memberIds: string[] = []
    for (const check of failing) {
      if (isVote(check) && !check.isGone) memberIds.push(check.config.memberId)
      if (memberIds.length === WITNESS_MEMBERS_ASKED) break
    }
    if (memberIds.length === 0) return false
    try {
      return await this.#options.ask(memberIds)
    } catch (error) {
      this.#options.log.debug({ err: error }, 'other sites could not be asked')
      return false
    }
  }

  #begin(failing: ReadonlySet<Check>): void {
    this.#isSuspect = true
    this.#failedBefore = failing
    this.#sinceMs = this.#options.now()
    this.#options.metrics.massFailed('suspect')
    this.#options.log.warn(
      {},
      'most targets fail here, and other sites see them ONLINE: failures of what they probe too do not count',
    )
    this.#plan(WITNESSES_ASKED_EVERY_MS)
  }

  #plan(inMs: number): void {
    clearTimeout(this.#timer)
    if (!this.#isDestroyed) this.#timer = setTimeout(() => void this.#askAgain(), inMs)
  }

  async #askAgain(): Promise<void> {
    const { now, failing, log } = this.#options
    const startedMs = now()
    const isMass = isMassFailure(countFailures(this.#observations()))
    const tookMs = now() - startedMs
    const goesOn = isMass && (await this.#isContradicted(this.#stillFailing()))
    if (this.#isDestroyed) return
    if (goesOn) {
      this.#plan(Math.max(WITNESSES_ASKED_EVERY_MS, tookMs * MASS_FAILURE_LOOK_SHARE))
      return
    }
    this.#isSuspect = false
    this.#failedBefore = new Set()
    log.info({ failing: failing().size }, 'failures of what other sites probe too count again')
  }

  *#observations(): Iterable<Observation> {
    for (const check of this.#options.checks()) {
      const { config, state, share } = check
      const isFailing = this.#isFailing(check)
      if (!isFailing && (state.status === 'OFFLINE' || check.lastResult === undefined)) continue
      yield { poolId: config.poolId, network: share.address.network, isFailing }
    }
  }

  /** At first only what failed before: a check with a long interval has no later result yet. */
  *#stillFailing(): Iterable<Check> {
    const notCounted = this.#options.failing()
    yield* notCounted
    for (const check of this.#failedBefore) if (!notCounted.has(check) && this.#isFailing(check)) yield check
  }

  #isFailing(check: Check): boolean {
    if (this.#options.failing().has(check)) return true
    const hasPassed = check.lastResult?.outcome === 'passed' && check.conclusiveMs > this.#sinceMs
    return this.#failedBefore.has(check) && !hasPassed
  }
}

/** Whether other sites probe the member of this check too. */
export function isVote({ config }: Check): boolean {
  return config.isVote === true
}
