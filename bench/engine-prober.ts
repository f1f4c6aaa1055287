/**
 * The prober process of the engine's bench. With a database it is what `healthmonitor prober` puts together
 * (src/bin/process/prober.ts): configuration read from PostgreSQL, shards, heartbeats, transitions and checkpoints written. Without,
 * it is the scheduler over checks that the parent names. Either way the real metrics, listened to.
 *
 * IPC: `Begin` (a prober with a database starts; answered), `Load` (the checks of one without), then a `SampleRequest` as
 * often as wanted; `sample of what is reachable` collects garbage after the CPU was read, which stops 50 000 checks for 80
 * ms: not where lateness begins to count. `stop` ends all probing and is answered when it has.
 */
import { readdirSync } from 'node:fs'
import { ProbeRuntime } from '../src/probe/probe-runtime.ts'
import { makeProbers, type Probers } from '../src/probe/probers.ts'
import { makeProbeTcpByNode } from '../src/probe/tcp/tcp-by-node.ts'
import { parseConfig } from '../src/runtime/config/config.ts'
import { createLog } from '../src/runtime/output/log.ts'
import { createMetrics } from '../src/runtime/metrics/metrics.ts'
import { startProber } from '../src/bin/process/prober.ts'
import { targetPolicyOf } from '../src/bin/process/target-policy.ts'
import { Counts } from './engine-counts.ts'
import type { Way } from './engine-kinds.ts'
import { type PlannedChecks, startScheduler } from './engine-scheduler.ts'

export interface Begin {
  readonly kind: 'begin'
  readonly way: Way
  /** Absent: probes wait for `Load`. */
  readonly databaseUrl?: string
}

export interface Load {
  readonly kind: 'load'
  readonly checks: PlannedChecks
}

/** What the parent may ask for. */
export type SampleRequest = 'sample' | 'sample of what is reachable'

export interface ProberSample {
  /** User and system microseconds of this process, all threads. */
  readonly cpuMicroseconds: number
  /** Of these, in this process' own code: the rest is the kernel's. */
  readonly userMicroseconds: number
  readonly atMs: number
  readonly started: number
  readonly outcomes: Readonly<Record<string, number>>
  readonly lateness: readonly number[]
  readonly gcMs: number
  readonly descriptors: number
  readonly inFlight: number
  readonly online: number
  /** Bytes that are reachable: the heap after a collection and what hangs on it; and resident bytes. */
  readonly liveBytes: number
  readonly residentBytes: number
}

const counts = new Counts()
const metrics = counts.heard(createMetrics('bench'))
const log = createLog({ level: 'warn', process: 'bench' })
let way: Way = 'fastest'
let stop: () => Promise<void> = () => Promise.resolve()

async function begin({ databaseUrl, way: wanted }: Begin): Promise<void> {
  way = wanted
  if (databaseUrl === undefined) return
  // The defaults of the service.
  const config = parseConfig({ DATABASE_URL: databaseUrl, HM_METRICS_LISTEN: 'off' })
  const prober = startProber({
    databaseUrl,
    leaseMs: config.shardLeaseMs,
    checkpointMs: config.checkpointMs,
    probers: (runtime) => probersOf(way, runtime),
    usesCores: way === 'fastest',
    targetPolicy: await targetPolicyOf(config, databaseUrl),
    sourceAddresses: config.sourceAddresses,
    probesPerSecondPerAddress: config.probesPerSecondPerAddress,
    canaries: config.canaries,
    metrics,
    log,
  })
  stop = () => prober.close()
}

function probersOf(wanted: Way, runtime: ProbeRuntime): Probers {
  const probers = makeProbers(runtime)
  return wanted === 'fastest' ? probers : { ...probers, TCP: makeProbeTcpByNode(runtime) }
}

function sample(isCollected: boolean): ProberSample {
  const { user, system } = process.cpuUsage()
  const atMs = performance.now()
  const { members, inFlight } = counts.gauges()
  return {
    cpuMicroseconds: user + system,
    userMicroseconds: user,
    atMs,
    started: counts.started,
    outcomes: { ...counts.outcomes },
    lateness: [...counts.lateness],
    gcMs: counts.gcMs,
    descriptors: readdirSync('/proc/self/fd').length,
    inFlight,
    online: members.ONLINE ?? 0,
    ...memory(isCollected),
  }
}

function memory(isCollected: boolean): Pick<ProberSample, 'liveBytes' | 'residentBytes'> {
  if (isCollected) globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { liveBytes: heapUsed + external, residentBytes: rss }
}

async function answer(message: Begin | Load | SampleRequest | 'stop'): Promise<void> {
  if (message === 'stop') {
    await stop()
    process.send?.('stopped')
  } else if (typeof message === 'string') {
    process.send?.(sample(message === 'sample of what is reachable'))
  } else if (message.kind === 'begin') {
    await begin(message)
    process.send?.('begun')
  } else {
    const runtime = new ProbeRuntime()
    const coreOf = way === 'fastest' ? runtime.coreOf.bind(runtime) : () => undefined
    const prepare = runtime.prepare.bind(runtime)
    stop = startScheduler(message.checks, {
      probers: probersOf(way, runtime),
      coreOf,
      prepare,
      metrics,
      log,
    })
  }
}

if (process.send !== undefined) {
  process.on('message', (message: Begin | Load | SampleRequest | 'stop') => void answer(message))
  process.on('disconnect', () => process.exit(0))
}
