/**
 * One prober: its parts, and how they call each other.
 *
 *   ownership → shards → config sync → checks → scheduler → results (own network, dependencies, breaker) → writer
 *
 * One list (`#holders`) has the parts that hold something per shard or pool; each is called when a shard or pool comes
 * or goes. A new part of that kind needs one entry there. Parts that ask by themselves need none: the checkpoint asks
 * which shards are owned, the breaker and the withheld verdicts whether a check is gone.
 */
import type { PoolChecks } from '../domain/prober/check.ts'
import { HEARTBEATS_PER_LEASE, PROBE_ANSWER_AFTER_VERDICT_MS, RELEASE_WITHIN_MS } from '../domain/limits.ts'
import { isSuspect } from '../domain/site/witnesses.ts'
import type { CheckStatus } from '../domain/status/state-machine.ts'
import { ProbeRuntime } from '../probe/probe-runtime.ts'
import type { Probers } from '../probe/probers.ts'
import { tcpCanaries } from './judge/canaries.ts'
import { ChannelListener } from './configuration/channel-listener.ts'
import type { Check } from './loop/check.ts'
import { Checkpoint } from './record/checkpoint.ts'
import { logCores } from './loop/core-log.ts'
import { ConfigSync } from './configuration/config-sync.ts'
import { Dependencies } from './judge/dependencies.ts'
import {
  descriptorLimit,
  hasRoomForPorts,
  idleConnectionBudget,
  idleSocketBudget,
  probeBudget,
} from './share/descriptor-budget.ts'
import type { ProberEngineOptions } from './engine-options.ts'
import { HeapWatch } from './share/heap-watch.ts'
import { MassFailureBreaker } from './judge/mass-failure-breaker.ts'
import { OwnNetwork } from './judge/own-network.ts'
import { Ownership } from './configuration/ownership.ts'
import { factsOf, gaugesOf } from './prober-facts.ts'
import { ProbeRequests } from './asked/probe-requests.ts'
import { ResultWriter } from './record/result-writer.ts'
import { withCheckpoints } from './record/resumption.ts'
import { Scheduler } from './loop/scheduler.ts'
import { ShownCertificates } from './record/shown-certificates.ts'
import { SelfObservation } from './self-observation.ts'
import { StaleLog } from './judge/stale-log.ts'
import { TickDriver } from './loop/tick-driver.ts'
import { WithheldVerdicts } from './judge/withheld.ts'

/** A part that holds something per shard or pool. It has only the methods that it needs. */
interface ShardHolder {
  /** Some checks of a pool: they are new, or changed. */
  applyChecks?(pool: PoolChecks): void
  /** The pool is complete: its other checks end. */
  completePool?(pool: Omit<PoolChecks, 'checks'>, members: ReadonlySet<string>): void
  removePool?(poolId: string): void
  /** Nothing of these shards is probed any more. */
  dropShards?(shards: ReadonlySet<number>): void
}

export class ProberEngine {
  /** What its probes share. */
  readonly runtime = new ProbeRuntime()
  readonly #options: ProberEngineOptions
  readonly #probers: Probers
  readonly #descriptors = descriptorLimit()
  readonly #ownNetwork = new OwnNetwork()
  readonly #selfObservation: SelfObservation
  readonly #heap: HeapWatch
  readonly #staleLog: StaleLog
  readonly #ownership: Ownership
  readonly #writer: ResultWriter
  readonly #certificates: ShownCertificates
  readonly #withheld: WithheldVerdicts
  readonly #dependencies: Dependencies
  readonly #scheduler: Scheduler
  readonly #driver: TickDriver
  readonly #breaker: MassFailureBreaker
  readonly #checkpoint: Checkpoint
  readonly #sync: ConfigSync
  readonly #requests: ProbeRequests
  readonly #listeners: readonly ChannelListener[]
  /** In the order in which they are called. */
  readonly #holders: readonly ShardHolder[]
  /** Prepares the first probe of a check while it is loaded, because loading is done in slices. */
  readonly #preparation: ShardHolder = {
    applyChecks: ({ checks }) => {
      for (const { config } of checks) this.runtime.prepare(config)
    },
  }

  constructor(options: ProberEngineOptions) {
    const { log, metrics } = options
    this.#options = options
    this.runtime.allowIdle({
      connections: idleConnectionBudget(this.#descriptors),
      sockets: idleSocketBudget(this.#descriptors),
    })
    logCores(this.runtime, log)
    this.runtime.halfOpen.isAllowed = hasRoomForPorts(this.#descriptors)
    this.#probers = options.probers(this.runtime)
    this.#selfObservation = new SelfObservation(metrics)
    this.#heap = new HeapWatch(log)
    this.#staleLog = new StaleLog(log)
    this.#ownership = this.#makeOwnership()
    this.#writer = this.#makeWriter()
    this.#certificates = this.#makeCertificates()
    this.#withheld = new WithheldVerdicts({ publish: (check, from) => this.#publish(check, from) })
    this.#dependencies = this.#makeDependencies()
    this.#scheduler = this.#makeScheduler()
    this.#driver = new TickDriver(this.#scheduler)
    this.#breaker = this.#makeBreaker()
    this.#checkpoint = this.#makeCheckpoint()
    this.#sync = this.#makeSync()
    this.#requests = this.#makeRequests()
    const { listen, listenForRequests } = options.store
    const requests = { subject: 'requests for probes', onPayload: this.#requests.notify }
    this.#listeners = [
      new ChannelListener({
        log,
        subject: 'changes of the configuration',
        onPayload: this.#sync.notify,
        listen,
      }),
      new ChannelListener({ log, ...requests, listen: listenForRequests }),
    ]
    this.#holders = [
      this.#sync,
      this.#dependencies,
      this.#preparation,
      this.#requests,
      this.#scheduler,
      this.#certificates,
    ]
  }

  /** Claims shards and probes them. Without PostgreSQL it waits, probes nothing and logs that. */
  start(): void {
    this.#options.metrics.readProber(() =>
      gaugesOf({
        scheduler: this.#scheduler,
        ownership: this.#ownership,
        heap: this.#heap,
        runtime: this.runtime,
      }),
    )
    this.#ownership.start()
    for (const listener of this.#listeners) listener.start()
    this.#checkpoint.start()
    this.#requests.start()
  }

  /**
   * Stops probing at once, then writes the remaining results and releases the shards. Rejects when PostgreSQL is
   * away.
   */
  async close(): Promise<void> {
    this.#stopProbing()
    await Promise.all([
      this.#checkpoint.close(),
      ...this.#listeners.map((listener) => listener.close()),
      this.#requests.close(),
      this.#sync.close(),
      this.#dependencies.close(),
      this.#certificates.close(),
    ])
    await this.#ownership.close()
    await this.#writer.close(RELEASE_WITHIN_MS)
  }

  /** Ends now; the lease runs out by itself. */
  async destroy(): Promise<void> {
    this.#ownership.destroy()
    this.#sync.destroy()
    this.#requests.destroy()
    this.#stopProbing()
    this.#dependencies.destroy()
    this.#writer.destroy()
    this.#certificates.destroy()
    this.#checkpoint.destroy()
    this.#staleLog.flush()
    this.runtime.close()
    await Promise.all(this.#listeners.map((listener) => listener.close()))
  }

  #stopProbing(): void {
    this.#driver.stop()
    this.#breaker.destroy()
    this.#withheld.destroy()
    this.#scheduler.stop()
    this.runtime.idleConnections.closeAll()
  }

  #makeOwnership(): Ownership {
    const { store, policies, metrics, log } = this.#options
    const { leaseMs } = policies
    return new Ownership({
      leaseMs,
      log,
      metrics,
      isLoaded: (shard) => this.#sync.isLoaded(shard),
      store: {
        beat: (contactMs) => this.#beat(contactMs),
        claim: (count, foreignToo) => store.claim(count, foreignToo),
        release: (ids) => store.release(ids),
        removeProber: () => store.removeProber(),
      },
      events: {
        onGained: (shards) => this.#sync.addShards(shards.map((shard) => shard.id)),
        onLost: (shards) => {
          this.#dropShards(shards)
          this.#writer.dropShards(shards)
        },
        onRelease: (shards) => this.#release(shards, leaseMs / HEARTBEATS_PER_LEASE),
      },
    })
  }

  async #beat(contactMs: number): ReturnType<ProberEngineOptions['store']['beat']> {
    this.#ownNetwork.look(performance.now())
    this.#selfObservation.report(this.#options.log, performance.now())
    const facts = factsOf({
      scheduler: this.#scheduler,
      sync: this.#sync,
      writer: this.#writer,
      breaker: this.#breaker,
      self: this.#selfObservation,
      budget: probeBudget(this.#descriptors),
      heap: this.#heap.look(),
    })
    return await this.#options.store.beat(contactMs, facts)
  }

  /** Writes the results of these shards; rejects when that was not possible in time. */
  async #release(shards: ReadonlySet<number>, withinMs: number): Promise<void> {
    await this.#checkpoint.writeNow(shards)
    this.#dropShards(shards)
    if (!(await this.#writer.drain(withinMs)))
      throw new Error('results of the shards could not be written in time')
  }

  /** Every shard that is lost or released ends here. */
  #dropShards(shards: ReadonlySet<number>): void {
    for (const holder of this.#holders) holder.dropShards?.(shards)
  }

  #makeWriter(): ResultWriter {
    const { store, metrics, log } = this.#options
    return new ResultWriter({
      log,
      metrics,
      write: (rows) => store.writeVerdicts(rows),
      epochOf: (shard) => this.#ownership.epochOf(shard),
      recentOf: (check) => this.#scheduler.rings.pack([check], Date.now() - performance.now()),
      isAway: (error) => store.isAway(error),
      onFenced: () => this.#ownership.beatNow(),
    })
  }

  #makeCertificates(): ShownCertificates {
    const { store, log } = this.#options
    return new ShownCertificates({
      log,
      write: (rows) => store.writeCertificates(rows),
      epochOf: (shard) => this.#ownership.epochOf(shard),
    })
  }

  #makeDependencies(): Dependencies {
    const { store, dependencyMetrics: metrics, log } = this.#options
    return new Dependencies({
      log,
      metrics,
      read: (projectId, ids, withinMs) => store.readParentStates(projectId, ids, withinMs),
      // A statement that took too long is a matter of this project, not of PostgreSQL.
      isAway: (error) => store.isAway(error) && !store.isTooSlow(error),
    })
  }

  #makeScheduler(): Scheduler {
    const { policies, log, usesCores = true } = this.#options
    const budget = (): number => this.#heap.within(probeBudget(this.#descriptors, this.runtime.idle))
    return new Scheduler({
      log,
      metrics: this.#selfObservation,
      probers: this.#probers,
      coreOf: (target) => (usesCores ? this.runtime.coreOf(target) : undefined),
      dedicatedCoreOf: (target) => this.runtime.dedicatedCoreOf(target),
      denies: policies.targetPolicy,
      probesPerSecondPerAddress: policies.probesPerSecondPerAddress ?? 0,
      inFlightPerProject: policies.inFlightPerProject ?? Number.POSITIVE_INFINITY,
      get budget() {
        return budget()
      },
      reconsider: (check, result, nowMs) => {
        const ofNetwork = this.#ownNetwork.reconsider(check, result, nowMs)
        return this.#breaker.reconsider(check, this.#dependencies.reconsider(check, ofNetwork, nowMs), nowMs)
      },
      reconsiderUncounted: (check, result, nowMs) => this.#ownNetwork.reconsider(check, result, nowMs),
      wake: (inMs) => this.#driver.wake(inMs),
      events: {
        onVerdict: (check, from) => this.#publish(check, from),
        onWithheld: (check) => this.#withheld.add(check),
        onWorthCheckpoint: (check) => this.#checkpoint.markSoon(check.config.shard),
        onStaleChange: (check) => {
          this.#staleLog.note(check)
          this.#checkpoint.markSoon(check.config.shard)
          // A vote of a stale check does not count.
          if (check.config.isVote === true) this.#writer.record(check, undefined)
        },
        onCertificate: (check, certificate, nowMs) => this.#certificates.note(check, certificate, nowMs),
        onTargetGone: (target) => this.runtime.forget(target),
      },
    })
  }

  #makeRequests(): ProbeRequests {
    const { store, log } = this.#options
    return new ProbeRequests({
      log,
      store,
      held: () => this.#ownership.held,
      versionOf: (poolId) => this.#sync.versionOf(poolId),
      loadSoon: (shard) => this.#sync.notify(String(shard)),
      probeNow: (request, asking) => this.#scheduler.probeNow(request, asking),
      verdictsWritten: () => this.#writer.drain(PROBE_ANSWER_AFTER_VERDICT_MS),
      isAway: (error) => store.isAway(error),
    })
  }

  #makeBreaker(): MassFailureBreaker {
    const { store, policies, metrics, log } = this.#options
    return new MassFailureBreaker({
      log,
      metrics,
      checks: () => this.#scheduler.checks(),
      canaries: tcpCanaries(policies.canaries, this.#probers.TCP),
      askOtherSites: async (memberIds) => isSuspect(await store.readWitnesses(memberIds)),
      conclude: (check, config, result) => this.#scheduler.concludeHeld(check, config, result),
    })
  }

  #makeCheckpoint(): Checkpoint {
    const { store, policies, log } = this.#options
    return new Checkpoint({
      everyMs: policies.checkpointMs,
      // The checkpoint of a shard that is not loaded is still that of the prober before.
      held: () => new Map([...this.#ownership.held].filter(([shard]) => this.#sync.isLoaded(shard))),
      contentOf: (shard) => this.#scheduler.checkpointOf(shard),
      write: (checkpoints) => store.writeCheckpoints(checkpoints),
      log,
    })
  }

  #makeSync(): ConfigSync {
    const { store, log } = this.#options
    return new ConfigSync({
      log,
      store: {
        readDigests: (shards) => store.readDigests(shards),
        readVersions: (shards) => store.readVersions(shards),
        readSizes: (poolIds) => store.readSizes(poolIds),
        loadPools: async (poolIds) => await this.#resumed(await store.loadPools(poolIds)),
        loadMembers: async (poolId, after, limit) => {
          const part = await store.loadMembers(poolId, after, limit)
          const [pool] = part === undefined ? [] : await this.#resumed([part.pool])
          return pool && { pool, lastMember: part?.lastMember }
        },
      },
      isHeld: (shard) => this.#ownership.epochOf(shard) !== undefined,
      applyChecks: (pool) => {
        for (const holder of this.#holders) holder.applyChecks?.(pool)
      },
      completePool: (pool, members) => {
        for (const holder of this.#holders) holder.completePool?.(pool, members)
      },
      removePool: (poolId) => {
        for (const holder of this.#holders) holder.removePool?.(poolId)
      },
      onLoaded: () => this.#ownership.loaded(),
      isAway: (error) => store.isAway(error),
    })
  }

  /** Checks that were probed elsewhere go on where they were. */
  async #resumed(pools: readonly PoolChecks[]): Promise<readonly PoolChecks[]> {
    return await withCheckpoints(pools, {
      isRunning: (config) => this.#scheduler.isRunning(config),
      readEntries: (shards, memberIds) => this.#options.store.readCheckpointEntries(shards, memberIds),
    })
  }

  #publish(check: Check, from: CheckStatus | undefined): void {
    this.#writer.record(check, from)
    if (from === undefined) return
    const { memberId, poolId, projectId } = check.config
    const { status, reason, detail } = check.verdict ?? {}
    this.#options.log.info(
      { member_id: memberId, pool_id: poolId, project_id: projectId, from, to: status, reason, detail },
      'transition',
    )
  }
}
