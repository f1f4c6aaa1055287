/**
 * What the probe loop itself costs: CPU per probe of the scheduler with probers that send nothing, on a clock that only this
 * program moves. Whatever a probe costs beyond is its prober's (probe-cost.ts).
 *
 *   npm run build && node dist/bench/probe-loop.js [--checks 50000] [--projects 1] [--per-address 1] [--seconds 60] [--rate 0] [--core]
 *
 * `checks` at a delay of 1 s are divided among `projects`; `per-address` of them aim at one address; `rate` is
 * HM_PROBES_PER_SECOND_PER_ADDRESS; with `core` a core makes them, by the batch. Prints microseconds of the whole process, garbage collection included.
 */
import type { PoolChecks } from '../src/domain/prober/check.ts'
import { statePolicy } from '../src/domain/options/profiles.ts'
import type { ProbeResult } from '../src/domain/result/probe-result.ts'
import type { Probe } from '../src/probe/probe.ts'
import type { Probers } from '../src/probe/probers.ts'
import { createMetrics } from '../src/runtime/metrics/metrics.ts'
import { Scheduler } from '../src/schedule/loop/scheduler.ts'
import { commandLine } from './command-line.ts'
import { InstantCore } from './instant-core.ts'

const values = commandLine('node dist/bench/probe-loop.js [options]', {
  checks: '50000',
  projects: '1',
  'per-address': '1',
  seconds: '60',
  rate: '0',
  core: false,
})
const CHECKS = Number(values.checks)
const PROJECTS = Number(values.projects)
const PER_ADDRESS = Number(values['per-address'])
const TICK_MS = 10
const WARM_UP_SECONDS = 40
const CHECKS_PER_POOL = 50

const PASSED: ProbeResult = { outcome: 'passed', reason: 'PASSED', detail: '', phases: { totalMs: 1 } }
const policy = statePolicy({ profile: 'elb', rise: 2, fall: 2, delaySeconds: 1, timeoutSeconds: 1 })

let nowMs = 1_000_000
let isAwake = false
let probes = 0
let underWay: ((result: ProbeResult) => void)[] = []
const probe: Probe = (_, done) => {
  probes++
  underWay.push(done)
  return none
}

function none(): undefined {
  return undefined
}

const core = new InstantCore()

const scheduler = new Scheduler({
  probers: new Proxy({}, { get: () => probe }) as Probers,
  coreOf: () => (values.core ? core : undefined),
  denies: none,
  budget: 20_000,
  probesPerSecondPerAddress: Number(values.rate),
  metrics: createMetrics('bench'),
  log: { debug: none, info: none, warn: none, error: none },
  events: { onVerdict: none, onWorthCheckpoint: none, onStaleChange: none },
  wake: (inMs) => {
    isAwake ||= inMs <= 0
  },
  now: () => nowMs,
  wall: () => nowMs,
})

function poolOf(n: number): PoolChecks {
  const poolId = `pool ${n}`
  const checks = Array.from({ length: Math.min(CHECKS_PER_POOL, CHECKS - n * CHECKS_PER_POOL) }, (_, i) => {
    const member = n * CHECKS_PER_POOL + i
    const host = Math.floor(member / PER_ADDRESS)
    const address = `10.${host >> 16}.${(host >> 8) & 255}.${host & 255}`
    const config = {
      memberId: `member ${member}`,
      poolId,
      projectId: `project ${n % PROJECTS}`,
      shard: n % 256,
      generation: 1,
      publishedFrom: 1,
      target: { type: 'TCP', address, family: 4, port: 80, timeoutMs: 1000 } as const,
      policy,
    }
    return { config }
  })
  return { poolId, shard: n % 256, configVersion: 1, checks }
}

/** Seconds of the clock pass; every request is answered in the next tick. */
function run(seconds: number): void {
  for (let ticks = (seconds * 1000) / TICK_MS; ticks > 0; ticks--) {
    nowMs += TICK_MS
    const answered = underWay
    underWay = []
    for (const done of answered) done(PASSED)
    do {
      isAwake = false
      scheduler.tick()
    } while (isAwake)
  }
}

for (let n = 0; n * CHECKS_PER_POOL < CHECKS; n++) scheduler.applyPool(poolOf(n))
run(WARM_UP_SECONDS)
const before = probes + core.probes
const cpu = process.cpuUsage()
run(Number(values.seconds))
const { user, system } = process.cpuUsage(cpu)
const made = probes + core.probes - before
const microseconds = (user + system) / made
console.log(`${made} probes, ${microseconds.toFixed(3)} us of CPU each`)
