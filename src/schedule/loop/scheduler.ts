/**
 * The scheduler: which checks there are, when each is probed next, and what its results mean. The probe loop
 * (probe-loop.ts) decides which probes run now. Planned times that pass while a check cannot be probed are skipped and
 * counted; the delay starts when a probe has ended.
 */
import { isDeepStrictEqual } from 'node:util'
import type { CheckConfig, PlannedCheck, PoolChecks } from '../../domain/prober/check.ts'
import { CONFIG_SLICE_MS, WHEEL_TICK_MS } from '../../domain/limits.ts'
import { packFlags } from '../../domain/result/flags.ts'
import { nextIntervalMs } from '../../domain/timing/probe-times.ts'
import type { ProbeResult } from '../../domain/result/probe-result.ts'
import type { CheckStatus } from '../../domain/status/state-machine.ts'
import { type AskedProbe, AskedProbes, type Asking } from '../asked/asked-probes.ts'
import { Check } from './check.ts'
import type { CoreSeat } from './core-batch.ts'
import { type CheckpointContent, checkpointContent } from '../record/checkpoint.ts'
import { isOtherReason, judge, mayCount } from '../judge/judgement.ts'
import { isLinked } from '../linked-list.ts'
import { MemberTally } from './member-tally.ts'
import { firstProbeWindowsMs } from '../share/new-starts.ts'
import { adopted, advance, type CheckChange, changeOf, planNext, resumption } from './next-probe.ts'
import { ProbeLoop } from './probe-loop.ts'
import { ResultRings } from './result-rings.ts'
import { type RunningPool, RunningPools } from './running-pools.ts'
import type { SchedulerOptions } from './scheduler-options.ts'
import { noteSteadiness } from './steadiness.ts'
import type { Ticking } from './tick-driver.ts'

export type { SchedulerEvents, SchedulerOptions } from './scheduler-options.ts'

export class Scheduler implements Ticking {
  readonly #options: SchedulerOptions
  readonly #now: () => number
  readonly #wall: () => number
  readonly #random: () => number
  readonly #loop: ProbeLoop
  readonly rings = new ResultRings()
  readonly #pools = new RunningPools()
  readonly #asked: AskedProbes
  readonly #tally = new MemberTally()
  readonly #stale = new Set<Check>()
  #size = 0
  #isStopped = false

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#wall = options.wall ?? Date.now
    this.#random = options.random ?? Math.random
    this.#loop = new ProbeLoop(options, this.#now, {
      onEnded: (check, result, nowMs) => {
        if (this.#asked.isExtra(check)) this.#asked.endExtra(check, result, nowMs)
        else this.#conclude(check, result, nowMs)
      },
      onPassed: (seat, i, nowMs) => this.#concludePassed(seat, i, nowMs),
      onObsolete: (check, nowMs) => this.#planSoon(check, nowMs),
    })
    this.#asked = new AskedProbes({
      loop: this.#loop,
      hasten: (check, nowMs) => this.#hasten(check, nowMs),
      reconsider: (check, result, nowMs) => options.reconsiderUncounted?.(check, result, nowMs) ?? result,
      onEnded: (check, result) => options.metrics.probeEnded(check.config.target.type, result),
    })
  }

  get size(): number {
    return this.#size
  }
  get inFlight(): number {
    return this.#loop.inFlight
  }
  /** Checks that are due and wait for a slot. */
  get queued(): number {
    return this.#loop.queued
  }
  /** Checks without a conclusive result for too long. */
  get stale(): number {
    return this.#stale.size
  }
  /** Checks by the status that results have decided. */
  get members(): Readonly<Record<CheckStatus, number>> {
    return this.#tally.counts
  }

  /** Whether this check runs here, in whatever configuration. */
  isRunning({ poolId, memberId }: Pick<CheckConfig, 'poolId' | 'memberId'>): boolean {
    return this.#pools.get(poolId)?.checks.has(memberId) === true
  }

  /** Makes a probe now, outside the schedule; undefined = this member has no check here. */
  probeNow(
    { poolId, memberId }: Pick<CheckConfig, 'poolId' | 'memberId'>,
    asking: Asking,
  ): AskedProbe | undefined {
    const check = this.#pools.get(poolId)?.checks.get(memberId)
    if (check === undefined || this.#isStopped) return undefined
    const asked = this.#asked.ask(check, asking, this.#now())
    this.#options.wake(WHEEL_TICK_MS)
    return asked
  }

  /** Sets the checks of a pool to exactly these; unchanged ones are not touched. */
  applyPool(pool: PoolChecks): void {
    this.applyChecks(pool)
    this.completePool(pool, new Set(pool.checks.map(({ config }) => config.memberId)))
  }

  /** Adds these checks of a pool, and changes those that run already; others stay as they are. */
  applyChecks(pool: PoolChecks): void {
    if (this.#isStopped) return
    const nowMs = this.#now()
    if (this.#size === 0) this.#loop.begin(nowMs)
    const running = this.#pools.take(pool)
    for (const planned of pool.checks) {
      const { config } = planned
      const check = running.checks.get(config.memberId)
      if (check === undefined) running.checks.set(config.memberId, this.#add(planned, running, nowMs))
      else if (!isDeepStrictEqual(check.config, config)) this.#replace(check, config, nowMs)
    }
    this.#options.wake(WHEEL_TICK_MS)
  }

  /** The checks of a pool are those of these members: its other running checks end. */
  completePool({ poolId }: Pick<PoolChecks, 'poolId'>, members: ReadonlySet<string>): void {
    const running = this.#pools.get(poolId)
    if (running === undefined || this.#isStopped) return
    for (const check of running.checks.values()) {
      if (!members.has(check.config.memberId)) this.#remove(check, running)
    }
    if (running.checks.size === 0) this.#dropPool(running)
  }

  removePool(poolId: string): void {
    const pool = this.#pools.get(poolId)
    if (pool !== undefined) this.#dropPool(pool)
  }

  /** From now on nothing of these shards is probed. What their checks hold is released in slices, of which this is the first. */
  dropShards(shards: ReadonlySet<number>): void {
    for (const shard of shards) this.#pools.dropShard(shard)
    this.#release()
  }

  /** Ends every attempt and starts none; checkpoints can still be read. */
  stop(): void {
    this.#isStopped = true
    this.#asked.stop()
    for (const check of this.checks()) this.#loop.stop(check)
    for (const [check, pool] of this.#pools.leaving()) this.#remove(check, pool)
  }

  checks(): Iterable<Check> {
    return this.#pools.checks()
  }

  /** The content of a checkpoint of this shard. Also marks checks stale that were not probed for too long. */
  checkpointOf(shard: number): CheckpointContent {
    const nowMs = this.#now()
    const checks = [...this.#pools.ofShard(shard)].flatMap((pool) => [...pool.checks.values()])
    for (const check of checks) this.#judgeStaleness(check, nowMs)
    return checkpointContent(checks, this.rings, { nowMs, toWall: this.#wall() - nowMs })
  }

  noticeTime(): void {
    this.#loop.noticeTime(this.#now())
  }

  tick(): void {
    if (this.#isStopped) return
    this.#loop.tick()
    if (this.#pools.hasLeaving) this.#release()
  }

  sleepMs(): number | undefined {
    return this.#size === 0 || this.#isStopped ? undefined : this.#loop.sleepMs()
  }

  /** Takes a result that `reconsider` had delayed, unless the check has changed. */
  concludeHeld(check: Check, config: CheckConfig, result: ProbeResult): void {
    if (check.config !== config || check.phase !== 'waiting' || check.isGone || this.#isStopped) return
    this.#settle(check, result, this.#now())
  }

  #conclude(check: Check, result: ProbeResult, nowMs: number): void {
    this.#options.events.onCertificate?.(check, result.certificate, nowMs)
    const reconsidered =
      this.#options.reconsider === undefined ? result : this.#options.reconsider(check, result, nowMs)
    if (reconsidered !== undefined) this.#settle(check, reconsidered, nowMs)
  }

  /** A result of a core that passed: most of them change nothing, and then only numbers are kept. */
  #concludePassed({ check, core, type }: CoreSeat, i: number, nowMs: number): void {
    if (!check.isSteady || this.#asked.isAsked(check)) return this.#conclude(check, core.resultOf(i), nowMs)
    const microseconds = core.ended.microseconds[i]!
    const totalMs = microseconds / 1000
    check.noteSteadyPass(microseconds, nowMs)
    this.rings.notePassed(check, totalMs, nowMs)
    this.#options.metrics.probePassed(type, totalMs)
    if (planNext(check, nowMs, this.#random)) this.#loop.plan(check, check.dueMs)
  }

  #settle(check: Check, result: ProbeResult, nowMs: number): void {
    check.noteEnded(nowMs)
    const last = check.lastResult
    const flags = last && packFlags(check.state)
    check.lastResult = result
    check.checkpoint = undefined
    this.rings.note(check, result, nowMs)
    this.#options.metrics.probeEnded(check.config.target.type, result)
    if (result.outcome !== 'inconclusive') {
      check.conclusiveMs = nowMs
      if (check.isStale) this.#setStale(check, false)
    } else this.#judgeStaleness(check, nowMs)
    const counts = !this.#isStopped && mayCount(check, result)
    if (counts) this.#judge(check, result)
    if (flags !== packFlags(check.state) || isOtherReason(last, result))
      this.#options.events.onWorthCheckpoint(check)
    noteSteadiness(check, result)
    // A check that is halted is in no wheel and no queue until its configuration changes.
    if (!this.#isStopped && planNext(check, nowMs, this.#random)) this.#loop.plan(check, check.dueMs)
    this.#asked.settle(check, result, counts, nowMs)
  }

  #judge(check: Check, result: ProbeResult): void {
    const status = check.decidedStatus
    const judged = judge(check, result, this.#wall)
    this.#tally.move(check, status)
    if (check.withheld !== undefined) this.#options.events.onWithheld?.(check)
    if (judged !== undefined) this.#options.events.onVerdict(check, judged === 'same' ? undefined : judged)
  }

  #judgeStaleness(check: Check, nowMs: number): void {
    if (!check.isStale && check.hasGoneStale(nowMs)) this.#setStale(check, true)
  }

  #setStale(check: Check, isStale: boolean): void {
    check.isStale = isStale
    check.notSteady()
    if (isStale) this.#stale.add(check)
    else this.#stale.delete(check)
    this.#options.events.onStaleChange(check)
  }

  #plan(check: Check, dueMs: number): void {
    this.#cancelReservation(check)
    check.dueMs = dueMs
    check.gridMs = dueMs
    check.isCatchingUp = false
    this.#loop.plan(check, dueMs)
  }

  /** Makes a check that waits for its due time due now. One that is due already, in flight or held by the breaker stays. */
  #hasten(check: Check, nowMs: number): void {
    if (check.phase !== 'waiting' || !isLinked(check)) return
    this.#cancelReservation(check)
    advance(check, nowMs)
    this.#loop.plan(check, check.dueMs)
  }

  /**
   * As a check that was never probed with this configuration: within a second, or as soon as its project has its turn.
   */
  #planSoon(check: Check, nowMs: number): void {
    this.#cancelReservation(check)
    const { newStarts } = check.share.project
    this.#plan(check, newStarts.reserve(nowMs, firstProbeWindowsMs(check.config.policy), this.#random))
    check.isReserved = true
  }

  #cancelReservation(check: Check): void {
    if (!check.isReserved) return
    check.isReserved = false
    check.share.project.newStarts.cancel(check.dueMs)
  }

  #add({ config, verdict, checkpoint }: PlannedCheck, pool: RunningPool, nowMs: number): Check {
    const { target } = config
    const check = new Check(config, verdict, {
      nowMs,
      pool,
      share: this.#loop.hold(config),
      denied: this.#options.denies(target.address, target.port),
    })
    this.#loop.seat(check)
    this.#size++
    this.#tally.add(check)
    check.share.project.newStarts.addCheck(config.policy)
    if (check.verdict !== undefined && checkpoint?.generation === config.generation)
      check.checkpoint = checkpoint
    if (check.isHalted) return check
    if (check.verdict === undefined) this.#planSoon(check, nowMs)
    else {
      const nextMs = checkpoint === undefined ? undefined : checkpoint.nextAt - this.#wall() + nowMs
      const { dueMs, gridMs } = resumption(check, { nowMs, nextMs }, this.#random)
      this.#plan(check, dueMs)
      check.gridMs = gridMs
      check.isCatchingUp = gridMs < dueMs
    }
    return check
  }

  #dropPool(pool: RunningPool): void {
    this.#pools.drop(pool)
    this.#release()
  }

  /** Releases checks of pools that are gone for as long as a slice lasts, and goes on in the next turn of the event loop. */
  #release(): void {
    const endMs = this.#now() + CONFIG_SLICE_MS
    for (const [check, pool] of this.#pools.leaving()) {
      this.#remove(check, pool)
      if (this.#now() >= endMs) break
    }
    if (this.#pools.hasLeaving) this.#options.wake(0)
  }

  #remove(check: Check, pool: RunningPool): void {
    pool.checks.delete(check.config.memberId)
    this.#size--
    this.#tally.remove(check)
    this.#stale.delete(check)
    this.#cancelReservation(check)
    check.share.project.newStarts.removeCheck(check.config.policy)
    this.rings.release(check)
    this.#asked.remove(check)
    this.#loop.remove(check)
    this.#options.events.onTargetGone?.(check.config.target)
  }

  /** Applies a changed configuration and resets only what it affects. */
  #replace(check: Check, config: CheckConfig, nowMs: number): void {
    const old = check.config
    check.notSteady()
    check.config = adopted(old, config, this.#options.events.onTargetGone)
    check.share.project.newStarts.removeCheck(old.policy)
    check.share.project.newStarts.addCheck(config.policy)
    if (old.target.address !== config.target.address) this.#loop.readdress(check)
    if (old.target !== check.config.target) this.#loop.seat(check)
    check.denied = this.#options.denies(config.target.address, config.target.port)
    const change = changeOf(old, config)
    this.#reset(check, old.generation, { change, nowMs })
    const { isNewGeneration, isOtherRequest, isOtherRule, isOtherTiming } = change
    const isOtherProbe = isNewGeneration || isOtherRequest
    // The planned time stays, on its grid and with its jitter. A check whose failure the breaker holds has no planned
    // time.
    const isAsPlanned = !isOtherProbe && !isOtherRule && !isOtherTiming && isLinked(check)
    if (check.phase !== 'waiting' || !isAsPlanned) this.#replan(check, isOtherProbe, nowMs)
    this.#asked.planAgain(check, nowMs)
  }

  #reset(
    check: Check,
    generation: number,
    { change, nowMs }: { readonly change: CheckChange; readonly nowMs: number },
  ): void {
    const { isNewGeneration, isOtherRequest, isOtherRule } = change
    const status = check.decidedStatus
    if (isNewGeneration) {
      this.rings.release(check)
      check.resetAll(generation, nowMs)
      this.#stale.delete(check)
    } else if (isOtherRequest && check.isHalted) check.resetState()
    else if (isOtherRequest || isOtherRule) check.resetCounters()
    this.#tally.move(check, status)
  }

  #replan(check: Check, isOtherProbe: boolean, nowMs: number): void {
    switch (check.phase) {
      case 'in_flight':
        if (isOtherProbe) this.#loop.abandon(check)
        else this.#loop.moveDeadline(check)
        return
      case 'waiting':
        this.#replanWaiting(check, isOtherProbe, nowMs)
        return
      case 'queued':
      case 'ready':
      case 'removed':
    }
  }

  #replanWaiting(check: Check, isOtherProbe: boolean, nowMs: number): void {
    const intervalMs = nextIntervalMs(check.config.policy, check.state)
    if (intervalMs === undefined) {
      this.#cancelReservation(check)
      this.#loop.unplan(check)
      return
    }
    const plannedMs = Math.min(check.dueMs, nowMs + intervalMs)
    const dueMs = check.lastResult === undefined ? plannedMs : check.endedMs + intervalMs
    if (!isOtherProbe && dueMs > nowMs) this.#plan(check, dueMs)
    else this.#planSoon(check, nowMs)
  }
}
