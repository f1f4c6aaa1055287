/** Scheduler, state machine, metrics and probers over checks that need no database. */
import type { CheckConfig, PoolChecks } from '../src/domain/prober/check.ts'
import { targetsOf } from '../src/domain/target/monitor-target.ts'
import { statePolicy } from '../src/domain/options/profiles.ts'
import type { Probers } from '../src/probe/probers.ts'
import type { Metrics } from '../src/runtime/metrics/metrics.ts'
import { probeBudget } from '../src/schedule/share/descriptor-budget.ts'
import type { Log } from '../src/schedule/log.ts'
import { Scheduler, type SchedulerOptions } from '../src/schedule/loop/scheduler.ts'
import { TickDriver } from '../src/schedule/loop/tick-driver.ts'
import type { MonitorFields } from './member-rows.ts'

export interface PlannedChecks {
  readonly monitor: MonitorFields
  readonly addresses: readonly string[]
  readonly port: number
  readonly perPool: number
}

/** Pools of so many members of one monitor, whose ids say their numbers. */
export function plannedPools({ monitor, addresses, port, perPool }: PlannedChecks): readonly PoolChecks[] {
  const targetOf = targetsOf(monitor)
  const policy = statePolicy(monitor)
  const pools: (PoolChecks & { readonly checks: { config: CheckConfig }[] })[] = []
  for (const [i, address] of addresses.entries()) {
    const poolNumber = Math.floor(i / perPool)
    const poolId = flat(`00000000-0000-4000-8000-${String(poolNumber).padStart(12, '0')}`)
    const pool = (pools[poolNumber] ??= { poolId, shard: poolNumber % 256, configVersion: 1, checks: [] })
    pool.checks.push({
      config: {
        memberId: flat(`10000000-0000-4000-8000-${String(i).padStart(12, '0')}`),
        poolId: pool.poolId,
        projectId: 'bench',
        shard: pool.shard,
        generation: 1,
        publishedFrom: 1,
        target: targetOf({ address, protocolPort: port, monitorAddress: null, monitorPort: null }),
        policy,
      },
    })
  }
  return pools
}

/** As PostgreSQL's driver gives strings: in one piece. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

export interface SchedulerParts {
  readonly probers: Probers
  readonly coreOf: NonNullable<SchedulerOptions['coreOf']>
  /** Called for each check before its first probe. */
  readonly prepare: (config: CheckConfig) => void
  readonly metrics: Metrics
  readonly log: Log
}

/** Starts to probe; what it returns ends it. */
export function startScheduler(planned: PlannedChecks, parts: SchedulerParts): () => Promise<void> {
  const scheduler = new Scheduler({
    ...parts,
    denies: () => undefined,
    budget: probeBudget(),
    wake: (inMs) => driver.wake(inMs),
    events: { onVerdict: none, onWorthCheckpoint: none, onStaleChange: none },
  })
  const driver: TickDriver = new TickDriver(scheduler)
  parts.metrics.readProber(() => ({
    members: { ONLINE: [...scheduler.checks()].filter((check) => check.decidedStatus === 'ONLINE').length },
    inFlight: scheduler.inFlight,
    queueDepth: scheduler.queued,
    stale: 0,
    shards: 0,
    udpSharedSockets: 0,
    udpOwnSockets: 0,
    halfOpenBatched: 0,
    tcpBatched: 0,
    httpBatched: 0,
    pingBatched: 0,
    udpBatched: 0,
    udpAfterEchoBatched: 0,
    heapTight: 0,
  }))
  for (const pool of plannedPools(planned)) {
    for (const { config } of pool.checks) parts.prepare(config)
    scheduler.applyPool(pool)
  }
  return async () => {
    driver.stop()
    scheduler.stop()
    return await Promise.resolve()
  }
}

function none(): undefined {
  return undefined
}
