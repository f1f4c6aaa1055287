/** One prober process, put together: what `healthmonitor prober` and the children of `serve` run. */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { PoolChecks } from '../domain/check.ts'
import type { ProbeTarget } from '../domain/results.ts'
import { withSourceAddress } from '../domain/source-address.ts'
import type { CheckStatus } from '../domain/state-machine.ts'
import {
  DEPENDENCY_CONNECTIONS,
  HAND_OVER_WITHIN_MS,
  HEARTBEATS_PER_LEASE,
  PROBER_CONNECTIONS,
} from '../domain/limits.ts'
import type { MonitorType } from '../domain/types.ts'
import { idleConnections } from '../probe/connection-pool.ts'
import type { Probe } from '../probe/probe.ts'
import { tcpSockets, tcpWay } from '../probe/tcp.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { upkeepMetrics } from '../runtime/upkeep-metrics.ts'
import { tcpCanaries } from '../schedule/canaries.ts'
import type { Check } from '../schedule/check.ts'
import { Checkpoint } from '../schedule/checkpoint.ts'
import { ConfigListener } from '../schedule/config-listener.ts'
import { ConfigSync } from '../schedule/config-sync.ts'
import { Dependencies } from '../schedule/dependencies.ts'
import { descriptorLimit, idleBudget, keptSocketBudget, probeBudget } from '../schedule/descriptor-budget.ts'
import { HeapWatch } from '../schedule/heap-watch.ts'
import type { Log } from '../schedule/log.ts'
import { MassFailureBreaker } from '../schedule/mass-failure-breaker.ts'
import { OwnNetwork } from '../schedule/own-network.ts'
import { Ownership } from '../schedule/ownership.ts'
import { ResultWriter } from '../schedule/result-writer.ts'
import { withWhatWasLeft } from '../schedule/resumption.ts'
import { Scheduler } from '../schedule/scheduler.ts'
import { SelfObservation } from '../schedule/self-observation.ts'
import { StaleLog } from '../schedule/stale-log.ts'
import { TickDriver } from '../schedule/tick-driver.ts'
import { WithheldVerdicts } from '../schedule/withheld.ts'
import { readCheckpointEntries, writeCheckpoints } from '../store/checkpoints.ts'
import { loadPoolPart, loadPools, readPoolSizes, readPoolVersions } from '../store/checks.ts'
import { CONFIG_CHANNEL } from '../store/config-channel.ts'
import { isStoreAway, openDatabase, sqlState } from '../store/database.ts'
import { readParentStates } from '../store/dependencies.ts'
import { listen } from '../store/listen.ts'
import { beat, claimShards, releaseShards, removeProber } from '../store/shards.ts'
import { writeVerdicts } from '../store/verdicts.ts'
import { factsOf, gaugesOf } from './prober-facts.ts'
import { type Keep, KEEP_DEFAULT, makeRetention } from './retention.ts'
import { withTlsFolder } from './tls-folder.ts'

export interface ProberDeps {
  readonly databaseUrl: string
  readonly leaseMs: number
  readonly checkpointMs: number
  /** Absent = KEEP_DEFAULT. */
  readonly keep?: Keep
  readonly probers: Readonly<Record<MonitorType, Probe>>
  /** The target policy: why an address must not be probed on a port; undefined when it may. */
  readonly targetPolicy: (address: string, port: number) => string | undefined
  /** Probes leave from these; empty = the kernel chooses. */
  readonly sourceAddresses: readonly string[]
  /** 0, or absent = unlimited. */
  readonly probesPerSecondPerAddress?: number
  /** Probes of one project in flight in this process at most, whatever is free; absent = no such bound. */
  readonly inFlightPerProject?: number
  /** HM_TLS_DIR: where the files are that monitors name. */
  readonly tlsDir?: string
  /** Targets that are always up, by which the prober knows its own trouble. */
  readonly canaries: readonly { readonly host: string; readonly port: number }[]
  readonly metrics: Metrics
  readonly log: Log
}

/** A running prober. */
export interface Prober {
  /** Of its row in `prober`, and the owner of its shards. */
  readonly id: string
  /** Stops probing, writes what there is to say, gives the shards back; ends within some seconds whatever happens. */
  close(): Promise<void>
  /** Ends now; the lease runs out by itself. */
  destroy(): Promise<void>
}

/** Milliseconds after the start of a prober at which it purges for the first time: not in the busiest moment. */
const FIRST_PURGE_MS = 10_000

/** Starts a prober. Where PostgreSQL is away it waits for it, probes nothing and says so. */
export function startProber(deps: ProberDeps): Prober {
  const { leaseMs, log, metrics } = deps
  const id = randomUUID()
  const identity = { id, host: hostname(), pid: process.pid, leaseMs }
  const url = deps.databaseUrl
  const db = openDatabase({
    url,
    applicationName: 'healthmonitor prober',
    maxConnections: PROBER_CONNECTIONS,
  })
  // The lease never waits for a connection that something slow has: one is for the heartbeat, the other for claiming or giving
  // back, of which one goes on at a time and may wait for the locks of other probers.
  const leaseDb = openDatabase({ url, applicationName: 'healthmonitor lease', maxConnections: 2 })
  // Nor does anything else wait for a project whose dependencies take long to read.
  const dependencyDb = openDatabase({
    url,
    applicationName: 'healthmonitor dependencies',
    maxConnections: DEPENDENCY_CONNECTIONS,
  })

  const upkeep = upkeepMetrics(metrics.registry)
  const staleLog = new StaleLog(log)
  const self = new SelfObservation(metrics)
  const heap = new HeapWatch(log)
  const descriptors = descriptorLimit()
  const budget = probeBudget(descriptors)
  idleConnections.capacity = idleBudget(descriptors)
  if (tcpSockets !== undefined) tcpSockets.capacity = keptSocketBudget(descriptors)
  const ownNetwork = new OwnNetwork()
  const ownership: Ownership = new Ownership({
    leaseMs,
    log,
    metrics,
    isLoaded: (shard) => sync.isLoaded(shard),
    store: {
      beat: async (contactMs) => {
        self.tell(log, performance.now())
        return await beat(leaseDb, {
          ...identity,
          contactMs,
          facts: factsOf({ scheduler, sync, writer, breaker, self, budget, heap: heap.look() }),
        })
      },
      claim: (count, foreignToo) => claimShards(leaseDb, { owner: id, count, foreignToo }),
      release: (ids) => releaseShards(leaseDb, id, ids),
      removeProber: () => removeProber(leaseDb, id),
    },
    events: {
      onGained: (shards) => sync.addShards(shards.map((shard) => shard.id)),
      onLost: (shards) => {
        sync.dropShards(shards)
        dependencies.dropShards(shards)
        scheduler.dropShards(shards)
        writer.dropShards(shards)
      },
      onSurrender: (shards) => surrender(shards, leaseMs / HEARTBEATS_PER_LEASE),
    },
  })
  const writer: ResultWriter = new ResultWriter({
    log,
    metrics,
    write: (rows) => writeVerdicts(db, id, rows),
    epochOf: (shard) => ownership.epochOf(shard),
    recentOf: (check) => scheduler.rings.pack([check], Date.now() - performance.now()),
    isAway: isStoreAway,
    onFenced: () => ownership.look(),
  })
  const withheld = new WithheldVerdicts({ publish })
  const dependencies = new Dependencies({
    log,
    metrics: upkeep,
    read: (projectId, ids, withinMs) => readParentStates(dependencyDb, { projectId, ids, withinMs }),
    // A statement that took too long says something of the project, not of PostgreSQL.
    isAway: (error) => isStoreAway(error) && sqlState(error) !== '57014',
  })
  const scheduler: Scheduler = new Scheduler({
    log,
    metrics: self,
    probers: deps.probers,
    denies: deps.targetPolicy,
    probesPerSecondPerAddress: deps.probesPerSecondPerAddress ?? 0,
    inFlightPerProject: deps.inFlightPerProject ?? Number.POSITIVE_INFINITY,
    get budget() {
      return heap.within(probeBudget(descriptors, idleConnections.size + (tcpSockets?.size ?? 0)))
    },
    weigh: (check, result, nowMs) => {
      const heard = ownNetwork.weigh(check, result, nowMs)
      return breaker.weigh(check, dependencies.weigh(check, heard, nowMs), nowMs)
    },
    wake: (inMs) => driver.wake(inMs),
    events: {
      onVerdict: publish,
      onWithheld: (check) => withheld.add(check),
      onNews: (check) => checkpoint.markSoon(check.config.shard),
      onStaleChange: (check) => {
        staleLog.note(check)
        checkpoint.markSoon(check.config.shard)
      },
      onTargetGone: (target) => idleConnections.forget(target),
    },
  })
  const breaker: MassFailureBreaker = new MassFailureBreaker({
    log,
    metrics,
    checks: () => scheduler.checks(),
    canaries: tcpCanaries(deps.canaries, deps.probers.TCP),
    conclude: (check, config, result) => scheduler.concludeHeld(check, config, result),
  })
  const driver: TickDriver = new TickDriver(scheduler)
  const checkpoint: Checkpoint = new Checkpoint({
    everyMs: deps.checkpointMs,
    // The checkpoint of a shard that is not loaded is still that of the prober before.
    held: () => new Map([...ownership.held].filter(([shard]) => sync.isLoaded(shard))),
    contentOf: (shard) => scheduler.checkpointOf(shard),
    write: (checkpoints) => writeCheckpoints(db, id, checkpoints),
    log,
  })
  const sync: ConfigSync = new ConfigSync({
    log,
    store: {
      readVersions: (shards) => readPoolVersions(db, shards),
      readSizes: (poolIds) => readPoolSizes(db, poolIds),
      loadPools: async (poolIds) => onThisHost(await resumed(await loadPools(db, poolIds)), deps),
      loadMembers: async (poolId, after, limit) => {
        const part = await loadPoolPart(db, poolId, { after, limit })
        const [pool] = onThisHost(await resumed(part === undefined ? [] : [part.pool]), deps)
        return pool && { pool, lastMember: part?.lastMember }
      },
    },
    isHeld: (shard) => ownership.epochOf(shard) !== undefined,
    applyChecks: (pool) => {
      dependencies.applyChecks(pool)
      scheduler.applyChecks(pool)
    },
    completePool: (pool, members) => {
      dependencies.completePool(pool)
      scheduler.completePool(pool, members)
    },
    onLoaded: () => ownership.loaded(),
    isAway: isStoreAway,
    removePool: (poolId) => {
      dependencies.removePool(poolId)
      scheduler.removePool(poolId)
    },
  })
  const listener = new ConfigListener({
    log,
    onPayload: sync.notify,
    listen: (onPayload, onEnd) =>
      listen({ url, applicationName: 'healthmonitor listen', channel: CONFIG_CHANNEL }, onPayload, onEnd),
  })
  const { retention, destroy: destroyRetention } = makeRetention({
    databaseUrl: url,
    leaseMs,
    keep: deps.keep ?? KEEP_DEFAULT,
    metrics: upkeep,
    log,
  })

  /** Checks that were probed elsewhere go on where they were. */
  async function resumed(pools: readonly PoolChecks[]): Promise<readonly PoolChecks[]> {
    return await withWhatWasLeft(pools, {
      isRunning: (config) => scheduler.isRunning(config),
      readEntries: (shards, memberIds) => readCheckpointEntries(db, shards, memberIds),
    })
  }

  function publish(check: Check, from: CheckStatus | undefined): void {
    writer.record(check, from)
    if (from !== undefined) logTransition(log, check, from)
  }

  async function surrender(shards: ReadonlySet<number>, withinMs: number): Promise<void> {
    await checkpoint.writeNow(shards)
    sync.dropShards(shards)
    dependencies.dropShards(shards)
    scheduler.dropShards(shards)
    if (!(await writer.drain(withinMs))) throw new Error('results of the shards could not be written in time')
  }

  async function destroy(): Promise<void> {
    ownership.destroy()
    sync.destroy()
    driver.stop()
    breaker.destroy()
    withheld.destroy()
    dependencies.destroy()
    scheduler.stop()
    idleConnections.closeAll()
    writer.destroy()
    checkpoint.destroy()
    staleLog.flush()
    await Promise.all([
      listener.close(),
      destroyRetention(),
      db.destroy(),
      leaseDb.destroy(),
      dependencyDb.destroy(),
    ])
  }

  async function handOver(): Promise<void> {
    await Promise.all([
      retention.close(),
      checkpoint.close(),
      listener.close(),
      sync.close(),
      dependencies.close(),
    ])
    await ownership.close()
    await writer.close(HAND_OVER_WITHIN_MS)
  }

  let closing: Promise<void> | undefined
  function close(): Promise<void> {
    closing ??= stopAll()
    return closing
  }

  async function stopAll(): Promise<void> {
    driver.stop()
    breaker.destroy()
    withheld.destroy()
    scheduler.stop()
    idleConnections.closeAll()
    try {
      if (!(await isDoneWithin(HAND_OVER_WITHIN_MS, handOver())))
        log.warn({}, 'the hand-over took too long; the lease runs out')
    } catch (error) {
      log.warn({ err: error }, 'the hand-over failed; the lease runs out')
    }
    await isDoneWithin(HAND_OVER_WITHIN_MS, destroy())
  }

  metrics.readProber(() => gaugesOf(scheduler, ownership, heap))
  ownership.start()
  listener.start()
  checkpoint.start()
  retention.start(FIRST_PURGE_MS)
  log.info({ prober_id: id, tcp_by: tcpWay }, 'prober started')
  return { id, close, destroy }
}

/** Checks with what only the host knows: source addresses and the folder of TLS files. */
function onThisHost(
  pools: readonly PoolChecks[],
  { sourceAddresses, tlsDir }: Pick<ProberDeps, 'sourceAddresses' | 'tlsDir'>,
): readonly PoolChecks[] {
  const adapted = (target: ProbeTarget, memberId: string): ProbeTarget =>
    withTlsFolder(withSourceAddress(target, memberId, sourceAddresses), tlsDir)
  return pools.map((pool) => ({
    ...pool,
    checks: pool.checks.map((check) => ({
      ...check,
      config: {
        ...check.config,
        target: adapted(check.config.target, check.config.memberId),
      },
    })),
  }))
}

function logTransition(log: Log, check: Check, from: CheckStatus): void {
  const { memberId, poolId, projectId } = check.config
  const { status, reason, detail } = check.verdict ?? {}
  log.info(
    { member_id: memberId, pool_id: poolId, project_id: projectId, from, to: status, reason, detail },
    'transition',
  )
}

/** Whether `work` ended within `ms`; rejects when it does. */
async function isDoneWithin(ms: number, work: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false)
  })
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
