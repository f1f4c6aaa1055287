/**
 * The scheduler: which check is probed when, and what its results mean. Every check is in exactly one place:
 *
 *   waiting (wheel, until due) → queued (ready, or waiting for its address) → in flight (wheel, until its deadline) → waiting
 *
 * At most one probe of a check is in flight; slots that pass meanwhile are skipped and counted. The timeout starts when the
 * probe starts, the delay when it ended. Results that were in flight while the event loop was stalled are never failures.
 *
 * The hot path (tick, start, finish) awaits nothing and allocates nothing per probe beyond what the prober makes.
 */
import { isDeepStrictEqual } from 'node:util'
import type { CheckConfig, PoolChecks, StoredVerdict } from '../domain/check.ts'
import {
  FIRST_PROBE_WITHIN_MS,
  STALL_MS,
  STARTS_PER_TURN,
  TAKEOVER_PROBE_WITHIN_MS,
  WHEEL_SLEEP_MAX_MS,
  WHEEL_SLOTS,
  WHEEL_TICK_MS,
} from '../domain/limits.ts'
import { packFlags } from '../domain/flags.ts'
import { nextIntervalMs } from '../domain/probe-times.ts'
import type { ProbeResult } from '../domain/results.ts'
import { type AddressSlots, AddressTable } from './address-slots.ts'
import { Attempt } from './attempt.ts'
import { Check } from './check.ts'
import { type CheckpointContent, checkpointContent } from './checkpoint.ts'
import { Deadlines } from './deadlines.ts'
import { judge, mayCount, overloaded, TARGET_DENIED } from './judgement.ts'
import { isLinked, List, unlink } from './linked-list.ts'
import { firstProbeWindowsMs, NewStarts } from './new-starts.ts'
import { adopted, differences, planNext } from './next-probe.ts'
import { ResultRings } from './result-rings.ts'
import type { SchedulerOptions } from './scheduler-options.ts'
import type { Ticking } from './tick-driver.ts'
import { TimerWheel } from './timer-wheel.ts'

export type { SchedulerEvents, SchedulerOptions } from './scheduler-options.ts'

interface RunningPool {
  readonly shard: number
  readonly checks: Map<string, Check>
}

export class Scheduler implements Ticking {
  readonly #options: SchedulerOptions
  readonly #now: () => number
  readonly #wall: () => number
  readonly #random: () => number
  readonly #wheel: TimerWheel<Check>
  readonly #ready = new List<Check>()
  readonly #deadlines = new Deadlines()
  readonly #addresses: AddressTable<Check>
  readonly #newStarts: NewStarts
  readonly rings = new ResultRings()
  readonly #pools = new Map<string, RunningPool>()
  readonly #shards = new Map<number, Set<RunningPool>>()
  readonly #stale = new Set<Check>()
  #size = 0
  #inFlight = 0
  #queued = 0
  #lastTickMs: number
  /** When the last stall was noticed: whatever was in flight then may not fail. */
  #stalledMs = Number.NEGATIVE_INFINITY
  #isStopped = false
  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#wall = options.wall ?? Date.now
    this.#random = options.random ?? Math.random
    this.#lastTickMs = this.#now()
    this.#wheel = new TimerWheel(WHEEL_TICK_MS, WHEEL_SLOTS, this.#lastTickMs)
    this.#newStarts = new NewStarts(this.#random)
    this.#addresses = new AddressTable(options.probesPerSecondPerAddress)
  }

  get size(): number {
    return this.#size
  }
  get inFlight(): number {
    return this.#inFlight
  }
  /** Checks without a conclusive result for too long. */
  get stale(): number {
    return this.#stale.size
  }
  /** Checks that are due and wait for a slot. */
  get queued(): number {
    return this.#queued
  }

  /** Makes the checks of a pool be exactly these; what did not change is not touched. */
  applyPool(pool: PoolChecks): void {
    this.applyChecks(pool)
    this.completePool(pool.poolId, new Set(pool.checks.map(({ config }) => config.memberId)))
  }

  /** Adds these checks of a pool, and changes those that run already; others stay as they are. */
  applyChecks(pool: PoolChecks): void {
    if (this.#isStopped) return
    const nowMs = this.#now()
    if (this.#size === 0) this.#lastTickMs = nowMs
    const running = this.#pools.get(pool.poolId) ?? this.#addPool(pool)
    for (const { config, verdict } of pool.checks) {
      const check = running.checks.get(config.memberId)
      if (check === undefined) running.checks.set(config.memberId, this.#add(config, verdict, nowMs))
      else if (!isDeepStrictEqual(check.config, config)) this.#replace(check, config, nowMs)
    }
    this.#options.wake(WHEEL_TICK_MS)
  }

  /** The checks of a pool are those of these members: whatever else runs of it ends. */
  completePool(poolId: string, members: ReadonlySet<string>): void {
    const running = this.#pools.get(poolId)
    if (running === undefined || this.#isStopped) return
    for (const check of running.checks.values()) {
      if (!members.has(check.config.memberId)) this.#remove(check, running)
    }
    if (running.checks.size === 0) this.removePool(poolId)
  }

  removePool(poolId: string): void {
    const pool = this.#pools.get(poolId)
    if (pool === undefined) return
    for (const check of pool.checks.values()) this.#remove(check, pool)
    this.#pools.delete(poolId)
    const ofShard = this.#shards.get(pool.shard)
    ofShard?.delete(pool)
    if (ofShard?.size === 0) this.#shards.delete(pool.shard)
  }

  removeShards(shards: ReadonlySet<number>): void {
    for (const [poolId, pool] of this.#pools) if (shards.has(pool.shard)) this.removePool(poolId)
  }

  /** Ends every attempt and starts none; what checkpoints say of the checks stays readable. */
  stop(): void {
    this.#isStopped = true
    for (const check of this.checks()) {
      if (check.phase === 'in_flight') check.attempt?.cancel?.('shutdown')
      unlink(check)
    }
  }

  *checks(): Iterable<Check> {
    for (const pool of this.#pools.values()) yield* pool.checks.values()
  }

  /** What a checkpoint of this shard keeps. Also marks checks stale that had no turn for too long. */
  checkpointOf(shard: number): CheckpointContent {
    const nowMs = this.#now()
    const checks = [...(this.#shards.get(shard) ?? [])].flatMap((pool) => [...pool.checks.values()])
    for (const check of checks) this.#judgeStaleness(check, nowMs)
    return checkpointContent(checks, this.rings, { nowMs, toWall: this.#wall() - nowMs })
  }

  noticeTime(nowMs = this.#now()): void {
    if (nowMs - this.#lastTickMs > WHEEL_SLEEP_MAX_MS + STALL_MS) this.#stalledMs = nowMs
  }

  tick(): void {
    if (this.#isStopped) return
    const nowMs = this.#now()
    this.noticeTime(nowMs)
    if (this.#stalledMs === nowMs) {
      const facts = { stalled_ms: Math.round(nowMs - this.#lastTickMs), in_flight: this.#inFlight }
      this.#options.log.warn(facts, 'the event loop was stalled: probes in flight cannot fail')
    }
    this.#lastTickMs = nowMs
    this.#deadlines.judge()
    this.#wheel.advance(nowMs, this.#onDue)
    this.#startReady()
    if (!this.#deadlines.isEmpty) this.#options.wake(0)
  }

  sleepMs(): number | undefined {
    if (this.#size === 0 || this.#isStopped) return undefined
    const next = this.#wheel.nextMs(WHEEL_SLEEP_MAX_MS)
    return next === undefined ? WHEEL_SLEEP_MAX_MS : Math.max(1, next - this.#now())
  }

  readonly #onDue = (check: Check): void => {
    if (check.phase === 'in_flight') {
      this.#deadlines.expire(check)
      return
    }
    // What was put off has had its turn at its address: it is queued already.
    if (check.phase !== 'queued') {
      check.phase = 'queued'
      this.#queued++
      const startMs = check.slots.startMs(check.dueMs)
      if (startMs > check.dueMs) {
        this.#options.metrics.probesDelayed(1)
        this.#wheel.schedule(check, startMs)
        return
      }
    }
    this.#ready.push(check)
  }

  #startReady(): void {
    for (let starts = 0; starts < STARTS_PER_TURN && this.#inFlight < this.#options.budget; ) {
      const check = this.#ready.shift()
      if (check === undefined) return
      if (check.slots.isFull) {
        check.slots.queue(check)
        continue
      }
      starts++
      this.#start(check)
    }
    if (!this.#ready.isEmpty && this.#inFlight < this.#options.budget) this.#options.wake(0)
  }

  #start(check: Check): void {
    const nowMs = this.#now()
    const { target, policy } = check.config
    const lateMs = nowMs - check.dueMs
    this.#options.metrics.probeStarted(lateMs)
    const skipped = Math.floor(lateMs / policy.intervals.online)
    if (skipped > 0) this.#options.metrics.probesSkipped(skipped)
    this.#queued--
    check.startedMs = nowMs
    if (check.denied !== undefined) {
      check.phase = 'waiting'
      this.#conclude(check, TARGET_DENIED, nowMs)
      return
    }
    check.phase = 'in_flight'
    check.slots.inFlight++
    this.#inFlight++
    this.#wheel.schedule(check, nowMs + target.timeoutMs)
    const attempt = new Attempt(check, this.#onDone)
    check.attempt = attempt
    attempt.cancel = this.#options.probers[target.type](target, attempt.done)
  }

  readonly #onDone = (attempt: Attempt, result: ProbeResult): void => {
    const { check } = attempt
    const nowMs = this.#now()
    this.noticeTime(nowMs)
    this.#wheel.cancel(check)
    check.attempt = undefined
    this.#inFlight--
    this.#releaseAddress(attempt.slots)
    if (!this.#ready.isEmpty) this.#options.wake(0)
    if (check.phase === 'removed') return
    check.phase = 'waiting'
    if (attempt.isObsolete) {
      this.#schedule(check, this.#soon(check, nowMs, FIRST_PROBE_WITHIN_MS))
      return
    }
    const wasStalled = result.outcome === 'failed' && check.startedMs <= this.#stalledMs
    this.#conclude(check, wasStalled ? overloaded(result) : result, nowMs)
  }

  #releaseAddress(slots: AddressSlots<Check>): void {
    slots.inFlight--
    const next = slots.nextWaiting()
    if (next !== undefined) this.#ready.push(next)
  }

  /** Takes a result that `weigh` let wait, unless the check has changed. */
  concludeHeld(check: Check, config: CheckConfig, result: ProbeResult): void {
    if (check.config !== config || check.phase !== 'waiting' || this.#isStopped) return
    this.#settle(check, result, this.#now())
  }

  #conclude(check: Check, result: ProbeResult, nowMs: number): void {
    const weighed = this.#options.weigh === undefined ? result : this.#options.weigh(check, result, nowMs)
    if (weighed !== undefined) this.#settle(check, weighed, nowMs)
  }

  #settle(check: Check, result: ProbeResult, nowMs: number): void {
    check.endedMs = nowMs
    check.probedMs = check.startedMs
    const flags = check.lastResult && packFlags(check.state)
    check.lastResult = result
    this.rings.note(check, result, nowMs)
    this.#options.metrics.probeEnded(check.config.target.type, result)
    const isConclusive = result.outcome !== 'inconclusive'
    if (isConclusive) {
      check.conclusiveMs = nowMs
      if (check.isStale) this.#setStale(check, false)
    } else this.#judgeStaleness(check, nowMs)
    if (!this.#isStopped && mayCount(check, result)) {
      const judged = judge(check, result, this.#wall)
      if (check.withheld !== undefined) this.#options.events.onWithheld?.(check)
      if (judged !== undefined) this.#options.events.onVerdict(check, judged === 'same' ? undefined : judged)
    }
    if (flags !== packFlags(check.state)) this.#options.events.onNews(check)
    // A check that is halted is in no wheel and no queue until its configuration changes.
    if (!this.#isStopped && planNext(check, nowMs, this.#random)) this.#wheel.schedule(check, check.dueMs)
  }

  #judgeStaleness(check: Check, nowMs: number): void {
    if (!check.isStale && check.hasGoneStale(nowMs)) this.#setStale(check, true)
  }

  #setStale(check: Check, isStale: boolean): void {
    check.isStale = isStale
    if (isStale) this.#stale.add(check)
    else this.#stale.delete(check)
    this.#options.events.onStaleChange(check)
  }

  #schedule(check: Check, dueMs: number): void {
    check.dueMs = dueMs
    check.slotMs = dueMs
    this.#wheel.schedule(check, dueMs)
  }

  #soon(check: Check, nowMs: number, withinMs: number): number {
    return this.#newStarts.reserve(nowMs, firstProbeWindowsMs(check.config.policy, withinMs))
  }

  #addPool(pool: PoolChecks): RunningPool {
    const running: RunningPool = { shard: pool.shard, checks: new Map() }
    this.#pools.set(pool.poolId, running)
    const ofShard = this.#shards.get(pool.shard) ?? new Set()
    this.#shards.set(pool.shard, ofShard.add(running))
    return running
  }

  #add(config: CheckConfig, verdict: StoredVerdict | undefined, nowMs: number): Check {
    const { target } = config
    const check = new Check(config, verdict, {
      nowMs,
      slots: this.#addresses.hold(target.address),
      denied: this.#options.denies(target.address, target.port),
    })
    this.#size++
    const withinMs = verdict === undefined ? FIRST_PROBE_WITHIN_MS : TAKEOVER_PROBE_WITHIN_MS
    if (!check.isHalted) this.#schedule(check, this.#soon(check, nowMs, withinMs))
    return check
  }

  #remove(check: Check, pool: RunningPool): void {
    pool.checks.delete(check.config.memberId)
    this.#size--
    this.#stale.delete(check)
    this.#addresses.release(check.slots)
    this.rings.release(check)
    if (check.phase === 'queued') this.#queued--
    const wasInFlight = check.phase === 'in_flight'
    check.phase = 'removed'
    if (wasInFlight) check.attempt?.cancel?.('shutdown')
    else unlink(check)
    this.#options.events.onTargetGone?.(check.config.target)
  }

  /** Takes over a changed configuration and resets only what it touches. */
  #replace(check: Check, config: CheckConfig, nowMs: number): void {
    const old = check.config
    check.config = adopted(old, config, this.#options.events.onTargetGone)
    if (old.target.address !== config.target.address) {
      this.#addresses.release(check.slots)
      check.slots = this.#addresses.hold(config.target.address)
    }
    check.denied = this.#options.denies(config.target.address, config.target.port)
    const isReborn = old.generation !== config.generation
    const { isOtherRequest, isOtherRule, isOtherTiming } = differences(old, config)
    if (isReborn) {
      this.rings.release(check)
      check.forget(nowMs)
      this.#stale.delete(check)
    } else if (isOtherRequest && check.isHalted) check.restart()
    else if (isOtherRequest || isOtherRule) check.forgetRuns()
    const isOtherProbe = isReborn || isOtherRequest
    // What is planned stays as it is, on its grid and with its jitter. A failure that the breaker holds has no plan.
    const isAsPlanned = !isOtherProbe && !isOtherRule && !isOtherTiming && isLinked(check)
    if (check.phase !== 'waiting' || !isAsPlanned) this.#reschedule(check, isOtherProbe, nowMs)
  }

  #reschedule(check: Check, isOtherProbe: boolean, nowMs: number): void {
    const { policy, target } = check.config
    switch (check.phase) {
      case 'in_flight':
        if (isOtherProbe && check.attempt !== undefined) {
          check.attempt.isObsolete = true
          check.attempt.cancel?.('shutdown')
        } else this.#wheel.schedule(check, check.startedMs + target.timeoutMs)
        return
      case 'waiting': {
        const intervalMs = nextIntervalMs(policy, check.state)
        if (intervalMs === undefined) {
          this.#wheel.cancel(check)
          return
        }
        const dueMs = check.lastResult === undefined ? check.dueMs : check.endedMs + intervalMs
        if (!isOtherProbe && dueMs > nowMs) this.#schedule(check, dueMs)
        else this.#schedule(check, this.#soon(check, nowMs, FIRST_PROBE_WITHIN_MS))
        return
      }
      case 'queued':
      case 'removed':
    }
  }
}
