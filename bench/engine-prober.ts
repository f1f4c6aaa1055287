/**
 * The prober process of the engine's bench: scheduler, state machine, metrics and probers as `healthmonitor prober` puts
 * them together, over checks that the parent names, without PostgreSQL. IPC: a `Setup`, then `sample` as often as wanted;
 * `sample of what is reachable` collects garbage first, which stops 50 000 checks for 80 ms: not where lateness begins to count.
 */
import { PerformanceObserver } from 'node:perf_hooks'
import { readdirSync } from 'node:fs'
import type { CheckConfig, PoolChecks } from '../src/domain/check.ts'
import { targetsOf } from '../src/domain/probe-target.ts'
import { statePolicy } from '../src/domain/profiles.ts'
import type { ProbeTarget } from '../src/domain/results.ts'
import type { MonitorType } from '../src/domain/types.ts'
import { probers } from '../src/probe/probers.ts'
import { usePublicWires } from '../src/probe/open-wire.ts'
import { probeTcpBySocket } from '../src/probe/tcp-socket.ts'
import { createMetrics } from '../src/runtime/metrics.ts'
import { probeBudget } from '../src/schedule/descriptor-budget.ts'
import { Scheduler } from '../src/schedule/scheduler.ts'
import { TickDriver } from '../src/schedule/tick-driver.ts'

export interface Setup {
  readonly type: MonitorType
  readonly addresses: readonly string[]
  readonly port: number
  readonly intervalSeconds: number
  readonly timeoutSeconds: number
  /** Keeps connections between probes. */
  readonly isReused: boolean
  readonly membersPerPool: number
  /** Probers by public API alone, also where there is a faster way. */
  readonly isPublicOnly: boolean
}

/** What the parent may ask for. */
export type SampleRequest = 'sample' | 'sample of what is reachable'

export interface ProberSample {
  /** User and system microseconds of this process, all threads. */
  readonly cpuMicroseconds: number
  readonly atMs: number
  readonly started: number
  readonly outcomes: Readonly<Record<string, number>>
  /** Starts by lateness, in steps of `LATENESS_STEP_MS`; the last one holds the rest. */
  readonly lateness: readonly number[]
  readonly gcMs: number
  readonly descriptors: number
  readonly inFlight: number
  readonly online: number
  /** Bytes that are reachable: the heap after a collection and what hangs on it; and resident bytes. */
  readonly liveBytes: number
  readonly residentBytes: number
}

export const LATENESS_STEP_MS = 0.25
const LATENESS_STEPS = 20_000
const HTTP = { method: 'GET', path: '/', httpVersion: '1.1', domainName: 'bench' } as const

const lateness = new Uint32Array(LATENESS_STEPS)
const outcomes: Record<string, number> = {}
let started = 0
let gcMs = 0
let scheduler: Scheduler | undefined

function configs(setup: Setup): readonly PoolChecks[] {
  const { type, port, intervalSeconds, timeoutSeconds, membersPerPool } = setup
  const monitor = {
    type,
    profile: 'elb',
    rise: 3,
    fall: 3,
    delaySeconds: intervalSeconds,
    timeoutSeconds,
    monitorPort: null,
    domainName: HTTP.domainName,
    urlPath: HTTP.path,
    httpMethod: HTTP.method,
    httpVersion: HTTP.httpVersion,
    expectedCodes: '200',
  } as const
  const targetOf = targetsOf(monitor)
  const policy = statePolicy(monitor)
  const pools: (PoolChecks & { readonly checks: { config: CheckConfig }[] })[] = []
  for (const [i, address] of setup.addresses.entries()) {
    const poolNumber = Math.floor(i / membersPerPool)
    const poolId = `00000000-0000-4000-8000-${String(poolNumber).padStart(12, '0')}`
    const pool = (pools[poolNumber] ??= { poolId, shard: poolNumber % 256, configVersion: 1, checks: [] })
    const member = { address, protocolPort: port, monitorAddress: null, monitorPort: null }
    const asked = targetOf(member)
    const target = asked.echoFirst === true ? { ...asked, echoFirst: false } : asked
    const reuse = { freshEvery: 1_000_000, idleCloseIsFailure: false }
    pool.checks.push({
      config: {
        memberId: flat(`10000000-0000-4000-8000-${String(i).padStart(12, '0')}`),
        poolId: pool.poolId,
        projectId: '0123456789abcdef0123456789abcdef',
        shard: pool.shard,
        generation: 1,
        target: (setup.isReused ? { ...target, reuse } : target) satisfies ProbeTarget,
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

function start(setup: Setup): void {
  const metrics = createMetrics('bench')
  usePublicWires(setup.isPublicOnly)
  const log = {
    debug: none,
    info: none,
    warn: (facts: object, text?: string) => console.log(text, facts),
    error: none,
  }
  scheduler = new Scheduler({
    probers: setup.isPublicOnly ? { ...probers, TCP: probeTcpBySocket } : probers,
    denies: () => undefined,
    budget: probeBudget(),
    log,
    wake: (inMs) => driver.wake(inMs),
    events: { onVerdict: none, onNews: none, onStaleChange: none },
    metrics: {
      ...metrics,
      probeStarted: (lateMs) => {
        started++
        const step = Math.min(LATENESS_STEPS - 1, Math.max(0, Math.floor(lateMs / LATENESS_STEP_MS)))
        lateness[step]! += 1
        metrics.probeStarted(lateMs)
      },
      probeEnded: (type, result) => {
        outcomes[result.reason] = (outcomes[result.reason] ?? 0) + 1
        metrics.probeEnded(type, result)
      },
    },
  })
  const driver: TickDriver = new TickDriver(scheduler)
  for (const pool of configs(setup)) scheduler.applyPool(pool)
}

function none(): undefined {
  return undefined
}

function sample(isCollected: boolean): ProberSample {
  const { user, system } = process.cpuUsage()
  const atMs = performance.now()
  let online = 0
  for (const check of scheduler?.checks() ?? []) if (check.decidedStatus === 'ONLINE') online++
  return {
    cpuMicroseconds: user + system,
    atMs,
    started,
    outcomes: { ...outcomes },
    lateness: [...lateness],
    gcMs,
    descriptors: readdirSync('/proc/self/fd').length,
    inFlight: scheduler?.inFlight ?? 0,
    online,
    ...memory(isCollected),
  }
}

/** After the CPU and the lateness were read. */
function memory(isCollected: boolean): Pick<ProberSample, 'liveBytes' | 'residentBytes'> {
  if (isCollected) globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { liveBytes: heapUsed + external, residentBytes: rss }
}

if (process.send !== undefined) {
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) gcMs += entry.duration
  }).observe({ entryTypes: ['gc'] })
  process.on('message', (message: Setup | SampleRequest) => {
    if (typeof message === 'string') process.send?.(sample(message === 'sample of what is reachable'))
    else start(message)
  })
  process.on('disconnect', () => process.exit(0))
}
