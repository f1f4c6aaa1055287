/** A scheduler over fake probers and a clock that only the test moves. */
import assert from 'node:assert/strict'
import type {
  CheckConfig,
  CheckpointEntry,
  PlannedCheck,
  PoolChecks,
  StoredVerdict,
} from '../../src/domain/prober/check.ts'
import { WHEEL_TICK_MS } from '../../src/domain/limits.ts'
import { statePolicy } from '../../src/domain/options/profiles.ts'
import { type Reason, REASONS } from '../../src/domain/result/reasons.ts'
import type { ProbeResult } from '../../src/domain/result/probe-result.ts'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import type { Probe } from '../../src/probe/probe.ts'
import { createMetrics } from '../../src/runtime/metrics/metrics.ts'
import { type AddressShare, AddressTable } from '../../src/schedule/share/address-slots.ts'
import type { Check } from '../../src/schedule/loop/check.ts'
import { ProjectTable } from '../../src/schedule/share/project-share.ts'
import { Scheduler, type SchedulerOptions } from '../../src/schedule/loop/scheduler.ts'

export const DELAY_MS = 5000
export const TIMEOUT_MS = 3000

export interface Attempt {
  readonly target: ProbeTarget
  readonly startedMs: number
  end(reason: Reason, flag?: ProbeResult['flag']): void
  cancelledBy: 'timeout' | 'shutdown' | undefined
  ended: boolean
}

function resultOf(reason: Reason, flag: ProbeResult['flag']): ProbeResult {
  const { outcome } = REASONS[reason]
  return { outcome, reason, detail: '', phases: { totalMs: 1 }, ...(flag === undefined ? {} : { flag }) }
}

/** Where the harness's clocks begin. */
export const START_MS = 1_000_000

/** Probers that note each attempt and end it when the test says so. */
function fakeProbers(attempts: Attempt[], now: () => number): SchedulerOptions['probers'] {
  const probe: Probe = (target, done) => {
    const attempt: Attempt = {
      target,
      startedMs: now(),
      cancelledBy: undefined,
      ended: false,
      end: (reason, flag) => {
        if (attempt.ended) return
        attempt.ended = true
        done(resultOf(reason, flag))
      },
    }
    attempts.push(attempt)
    return (why) => {
      if (!attempt.ended) attempt.cancelledBy = why
      attempt.end(why === 'timeout' ? 'CONNECT_TIMEOUT' : 'PROBER_STOPPING')
    }
  }
  return new Proxy({}, { get: () => probe }) as SchedulerOptions['probers']
}

export function harness(options: Partial<SchedulerOptions> = {}) {
  let nowMs = START_MS
  let isAwake = false
  const attempts: Attempt[] = []
  const verdicts: { member: string; from: string | undefined; status: string; run: number }[] = []
  const stale: boolean[] = []
  const defaults: SchedulerOptions = {
    probers: fakeProbers(attempts, () => nowMs),
    denies: () => undefined,
    budget: 10_000,
    metrics: createMetrics('test'),
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    events: {
      onVerdict: ({ config: { memberId: member }, decidedStatus: status, pendingRun: run }: Check, from) =>
        void verdicts.push({ member, from, status, run }),
      onWorthCheckpoint: () => undefined,
      onWithheld: () => undefined,
      onStaleChange: (check) => void stale.push(check.isStale),
    },
    wake: (inMs) => {
      isAwake ||= inMs <= 0
    },
    now: () => nowMs,
    wall: () => nowMs,
    random: () => 0.5,
  }
  // What is a getter stays one: a budget may change.
  const scheduler = new Scheduler(
    Object.defineProperties(defaults, Object.getOwnPropertyDescriptors(options)),
  )
  /** Lets time pass as a healthy event loop does, tick by tick, with as many turns in each as the scheduler wants. */
  const run = (ms: number): void => {
    for (const endMs = nowMs + ms; nowMs < endMs; ) {
      nowMs = Math.min(endMs, nowMs + WHEEL_TICK_MS)
      do {
        isAwake = false
        scheduler.tick()
      } while (isAwake)
    }
  }
  /** The event loop is blocked, and then goes on. */
  const stall = (ms: number): void => {
    nowMs += ms
  }
  const last = (): Attempt => {
    const attempt = attempts.at(-1)
    assert.ok(attempt, 'a probe was started')
    return attempt
  }
  return { scheduler, attempts, verdicts, stale, run, stall, last, now: () => nowMs }
}

export function config(
  memberId: string,
  more: Partial<CheckConfig> & { rise?: number; fall?: number } = {},
): CheckConfig {
  const { rise = 2, fall = 2, ...rest } = more
  return {
    memberId,
    poolId: 'pool',
    projectId: 'project',
    shard: 7,
    generation: 1,
    publishedFrom: 1,
    target: { type: 'TCP', address: '10.0.0.1', family: 4, port: 80, timeoutMs: TIMEOUT_MS },
    policy: statePolicy({ profile: 'elb', rise, fall, delaySeconds: DELAY_MS / 1000, timeoutSeconds: 3 }),
    ...rest,
  }
}

export function pool(...checks: readonly (CheckConfig | PlannedCheck)[]): PoolChecks {
  return {
    poolId: 'pool',
    shard: 7,
    configVersion: 1,
    checks: checks.map((each) => ('config' in each ? each : { config: each })),
  }
}

/** A pool of some project, with `count` members of that project that `change` makes different. */
export function poolOf(
  projectId: string,
  count: number,
  change: (i: number, base: CheckConfig) => Partial<CheckConfig> = () => ({}),
): PoolChecks {
  const poolId = `pool of ${projectId}`
  const checks = Array.from({ length: count }, (_, i) => {
    const base = config(`${projectId} ${i}`, { projectId, poolId })
    return { config: { ...base, ...change(i, base) } }
  })
  return { poolId, shard: 7, configVersion: 1, checks }
}

/** The check as another prober left it, due soon after the start. */
export function known(of: CheckConfig, verdict: StoredVerdict = STORED): PlannedCheck {
  return { config: of, verdict, checkpoint: checkpointEntry(of, START_MS + 100) }
}

/** What a checkpoint has of a check that passed and would have been probed next at `nextAt`. */
export function checkpointEntry({ memberId, generation }: CheckConfig, nextAt: number): CheckpointEntry {
  return {
    memberId,
    generation,
    probedAt: START_MS - 1000,
    nextAt,
    outcome: 'passed',
    reason: 'PASSED',
    phases: { totalMs: 1 },
    okRun: 2,
    badRun: 0,
    stale: false,
    flags: 0,
  }
}

/** What a check of some project towards some address shares with others, which nobody else has. */
export function shareOf(address: string, projectId = 'project'): AddressShare<Check> {
  const table = new AddressTable<Check>({
    slots: 1,
    startsPerSecond: 0,
    nowMs: 0,
    onAdmitted: () => undefined,
  })
  return table.hold(address, new ProjectTable<Check>().hold(projectId))
}

export const STORED: StoredVerdict = {
  generation: 1,
  status: 'ONLINE',
  since: 5,
  reason: 'PASSED',
  detail: '',
  evidence: {},
  okRun: 2,
  badRun: 0,
}
