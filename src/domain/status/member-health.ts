/**
 * The health of a check, from three sources: its status (configuration and verdict), the row that the prober writes
 * when something changes, and the slow checkpoint. The newer of these two gives the counters and the last probe.
 * Unknown values are null; a member that is not probed has no counters, no last probe and no window.
 */
import { addressAndPort } from '../address/address-and-port.ts'
import { type KnownCertificate, type MemberCertificate, memberCertificate } from './certificate.ts'
import { type DetectionWindow, detectionWindow } from '../timing/detection-window.ts'
import { type Flags, unpackFlags } from '../result/flags.ts'
import type { MemberMaintenance } from './maintenance.ts'
import type { MemberReason, MemberState } from './member-status.ts'
import { type KnownCheck, nextProbeTimes } from '../timing/probe-forecast.ts'
import { probeEndpoint, type TargetMember } from '../target/monitor-target.ts'
import { statePolicy } from '../options/profiles.ts'
import { type Outcome, REASONS, type Reason } from '../result/reasons.ts'
import type { RecentResult } from '../result/recent-results.ts'
import type { StatePolicy } from './state-machine.ts'
import { QUORUM_DEFAULT } from '../site/quorum.ts'
import { isTooFew, type SiteFacts, type SiteHealth, siteHealth } from '../site/site-health.ts'
import type { HealthMonitor } from '../health-monitor.ts'

/** Phases as they are shown: null = that phase was not reached. */
export interface ShownPhases {
  readonly echoMs: number | null
  readonly connectMs: number | null
  readonly tlsMs: number | null
  readonly firstByteMs: number | null
  readonly totalMs: number | null
}

/** A check in the checkpoint of its shard. */
export interface CheckpointedProbe {
  readonly generation: number
  readonly asOf: Date
  readonly at: Date
  readonly nextAt: Date
  readonly outcome: Outcome
  readonly reason: string
  readonly phases: ShownPhases
  readonly okRun: number
  readonly badRun: number
  readonly stale: boolean
  readonly flags: Flags
  readonly recent?: readonly RecentResult[]
}

/** The row that says why a member is ONLINE or OFFLINE. */
export interface WrittenVerdict {
  /** The generation of its check; when older than the check's, it is published, but its counters do not count. */
  readonly generation: number
  readonly detail: string
  readonly evidence: Readonly<Record<string, unknown>>
  readonly okRun: number
  readonly badRun: number
  readonly writtenAt: Date
  /** As of the transition. */
  readonly recent?: readonly RecentResult[]
}

type Monitor = Pick<
  HealthMonitor,
  'type' | 'profile' | 'delaySeconds' | 'timeoutSeconds' | 'rise' | 'fall' | 'monitorPort' | 'options'
> &
  Partial<Pick<HealthMonitor, 'sentFields'>>

export interface HealthFacts {
  readonly member: TargetMember
  readonly state: MemberState
  readonly reason: MemberReason
  /** Probed, and without a verdict of this generation. */
  readonly pending: boolean
  readonly since: Date | null
  readonly monitor?: Monitor
  /** Traffic was seen on the pool. */
  readonly trafficSeen?: boolean
  readonly generation: number
  /** The published verdict. */
  readonly verdict?: WrittenVerdict
  /** Its checkpoint entry; its generation may be older. */
  readonly checkpointed?: CheckpointedProbe
  /** The shard has an owner whose lease has not ended. */
  readonly isOwned: boolean
  /** When all this was read. */
  readonly readAt: Date
  /** Maintenances that last or are to come. */
  readonly maintenance?: readonly MemberMaintenance[]
  /** What it shows over TLS, of this generation; absent = nothing is known. */
  readonly certificate?: KnownCertificate
  /** The sites of its monitor, in their order; absent = `local` alone. */
  readonly sites?: readonly SiteFacts[]
}

/** Results in a row, of how many are needed. */
export interface Counter {
  readonly run: number
  readonly threshold: number
}

export interface LastProbe {
  readonly at: Date
  readonly outcome: Outcome
  readonly reason: string
  readonly phases: ShownPhases
  /** `address:port`, IPv6 in brackets; without a port for PING. */
  readonly target: string
}

export interface MemberHealth {
  readonly state: MemberState
  readonly reason: MemberReason
  readonly pending: boolean
  readonly since: Date | null
  readonly detail: string | null
  readonly stale: boolean
  /** The flags that the target reports about itself; all false unless it is ONLINE. */
  readonly flags: Flags
  readonly counters: { readonly rise: Counter; readonly fall: Counter } | null
  readonly lastProbe: LastProbe | null
  readonly asOf: Date | null
  readonly nextProbeAt: Date | null
  readonly window: DetectionWindow | null
  /** Newest first; absent where nothing is known, and in lists of many members. */
  readonly recentResults?: readonly RecentResult[]
  /** Maintenances that last or are to come; absent = none. */
  readonly maintenance?: readonly MemberMaintenance[]
  /** What it shows over TLS; absent = it shows none, or nothing is known yet. */
  readonly certificate?: MemberCertificate
  /** What each site sees; absent = `local` alone probes it. */
  readonly sites?: readonly SiteHealth[]
}

/** Whether there is a check that a prober should be working on. */
export function isProbed({ state, pending }: Pick<HealthFacts, 'state' | 'pending'>): boolean {
  return pending || state === 'ONLINE' || state === 'OFFLINE'
}

export function memberHealth(facts: HealthFacts): MemberHealth {
  const { state, reason, pending, since, monitor, maintenance = [] } = facts
  const health = { state, reason, pending, since, ...(maintenance.length === 0 ? {} : { maintenance }) }
  if (monitor === undefined || !isProbed(facts)) return { ...health, ...NOT_PROBED }
  const { verdict, seen } = knownProbes(facts)
  const policy = statePolicy(monitor, facts.trafficSeen)
  const sites = facts.sites?.map(siteHealth)
  const recentResults = newestResults(verdict?.recent, seen?.recent)
  return {
    ...health,
    detail: pendingDetail(facts, seen) ?? facts.verdict?.detail ?? null,
    stale:
      sites === undefined
        ? !facts.isOwned || seen?.stale === true
        : isTooFew(sites, monitor.options?.quorum ?? QUORUM_DEFAULT, pending ? 'served' : 'votes'),
    flags: (state === 'ONLINE' ? seen?.flags : undefined) ?? NO_FLAGS,
    counters: counters(pending ? 'UNKNOWN' : state, policy, newest(verdict, seen)),
    lastProbe: lastProbe({ ...facts, verdict }, seen, spelledTarget(monitor, facts.member)),
    asOf: latest(verdict?.writtenAt, seen?.asOf),
    // Each site has a time of its own.
    nextProbeAt: facts.isOwned && sites === undefined ? nextProbe(facts, policy) : null,
    window: detectionWindow(monitor, facts.trafficSeen),
    ...(recentResults === undefined ? {} : { recentResults }),
    ...(sites === undefined ? {} : { sites }),
    ...(facts.certificate === undefined
      ? {}
      : { certificate: memberCertificate(facts.certificate, facts.readAt) }),
  }
}

/** Why there is no verdict yet, if all results were inconclusive. */
function pendingDetail({ pending }: HealthFacts, seen: CheckpointedProbe | undefined): string | undefined {
  if (!pending || seen?.outcome !== 'inconclusive') return undefined
  return seen.reason in REASONS ? `${seen.reason}: ${REASONS[seen.reason as Reason].sentence}` : seen.reason
}

/** What is known of the probes of this generation. */
interface KnownProbes {
  readonly verdict: WrittenVerdict | undefined
  readonly seen: CheckpointedProbe | undefined
}

function knownProbes({ generation, verdict, checkpointed }: HealthFacts): KnownProbes {
  return {
    verdict: verdict?.generation === generation ? verdict : undefined,
    seen: checkpointed?.generation === generation ? checkpointed : undefined,
  }
}

/** What the next probes follow from. */
export function knownCheck(facts: HealthFacts): KnownCheck {
  const { state, pending, since } = facts
  const { verdict, seen } = knownProbes(facts)
  const runs = newest(verdict, seen)
  const decidedAt = verdict === undefined ? undefined : (since ?? undefined)
  const lastAt = latest(decidedAt, seen?.at)
  const isDecided = !pending && (state === 'ONLINE' || state === 'OFFLINE')
  return {
    status: isDecided ? state : 'UNKNOWN',
    okRun: runs?.okRun ?? 0,
    badRun: runs?.badRun ?? 0,
    ...(seen === undefined ? {} : { nextAt: seen.nextAt.getTime() }),
    ...(lastAt === null ? {} : { lastAt: lastAt.getTime() }),
    ...(typeof seen?.phases.totalMs === 'number' ? { lastMs: seen.phases.totalMs } : {}),
  }
}

/** Calculated from the last known probe, if results stay as they are; null = its probing has ended. */
function nextProbe(facts: HealthFacts, policy: StatePolicy): Date | null {
  const [next] = nextProbeTimes(policy, knownCheck(facts), { now: facts.readAt.getTime(), count: 1 })
  return next === undefined ? null : new Date(next)
}

const NO_FLAGS = unpackFlags(0)

const NOT_PROBED = {
  detail: null,
  stale: false,
  flags: NO_FLAGS,
  counters: null,
  lastProbe: null,
  asOf: null,
  nextProbeAt: null,
  window: null,
} as const

interface Runs {
  readonly okRun: number
  readonly badRun: number
}

function newest(verdict: WrittenVerdict | undefined, seen: CheckpointedProbe | undefined): Runs | undefined {
  if (verdict === undefined || seen === undefined) return verdict ?? seen
  return verdict.writtenAt > seen.asOf ? verdict : seen
}

/** Counters alone are written without results: those of the transition stay, and may be older than the checkpoint's. */
function newestResults(
  written: readonly RecentResult[] | undefined,
  checkpointed: readonly RecentResult[] | undefined,
): readonly RecentResult[] | undefined {
  if (written === undefined || checkpointed === undefined) return written ?? checkpointed
  const newestAt = (results: readonly RecentResult[]): number => results[0]?.at.getTime() ?? 0
  return newestAt(written) > newestAt(checkpointed) ? written : checkpointed
}

/**
 * A status that has settled has its own threshold full; the state machine itself forgets the run that led to OFFLINE. A
 * threshold that was changed meanwhile limits the shown value.
 */
function counters(
  state: MemberState,
  { rise, fall }: Pick<StatePolicy, 'rise' | 'fall'>,
  runs: Runs | undefined,
): { rise: Counter; fall: Counter } {
  const okRun = Math.min(runs?.okRun ?? 0, rise)
  const badRun = state === 'OFFLINE' && okRun === 0 ? fall : Math.min(runs?.badRun ?? 0, fall)
  return { rise: { run: okRun, threshold: rise }, fall: { run: badRun, threshold: fall } }
}

/** The last probe that was checkpointed, unless a later one changed the status. */
function lastProbe(
  facts: Pick<HealthFacts, 'since' | 'reason'> & { readonly verdict: WrittenVerdict | undefined },
  seen: CheckpointedProbe | undefined,
  target: string,
): LastProbe | null {
  const { verdict, since, reason } = facts
  const decided = verdict !== undefined && since !== null && (seen === undefined || since > seen.at)
  if (decided) {
    const outcome = reason in REASONS ? REASONS[reason as Reason].outcome : 'inconclusive'
    return { at: since, outcome, reason, phases: phasesOf(verdict.evidence), target }
  }
  if (seen === undefined) return null
  return { at: seen.at, outcome: seen.outcome, reason: seen.reason, phases: seen.phases, target }
}

/** The phases in a verdict's evidence; whatever is not there, or no number, is null. */
function phasesOf(evidence: Readonly<Record<string, unknown>>): ShownPhases {
  const phases = evidence['phases']
  const ms = (key: string): number | null => {
    const value: unknown = typeof phases === 'object' && phases !== null ? Reflect.get(phases, key) : null
    return typeof value === 'number' ? value : null
  }
  return {
    echoMs: ms('echo_ms'),
    connectMs: ms('connect_ms'),
    tlsMs: ms('tls_ms'),
    firstByteMs: ms('first_byte_ms'),
    totalMs: ms('total_ms'),
  }
}

/** Where the check aims, as people write it. */
function spelledTarget(monitor: Monitor, member: TargetMember): string {
  const { address, port } = probeEndpoint(monitor, member)
  return port === 0 ? address : addressAndPort(address, port)
}

function latest(a: Date | undefined, b: Date | undefined): Date | null {
  if (a === undefined || b === undefined) return a ?? b ?? null
  return a > b ? a : b
}
