/** The figures of one run of the engine's bench, and of several. */
import { cpus } from 'node:os'
import type { Case } from './engine-case.ts'
import { LATENESS_STEP_MS } from './engine-counts.ts'
import type { ProberSample } from './engine-prober.ts'
import type { TlsArrivals } from './engine-target.ts'
import type { hostUsage, PostgresUsage } from './usage.ts'

/** Counters at one moment. */
export interface Measured {
  readonly probers: readonly ProberSample[]
  readonly host: ReturnType<typeof hostUsage>
  readonly peerCpuSeconds: number
  /** What the target counted, from us and from the peer. */
  readonly ours: number
  readonly theirs: number
  readonly tls: TlsArrivals | undefined
  readonly postgres: (PostgresUsage & { readonly cpuSeconds: number | undefined }) | undefined
}

export interface PostgresFigures {
  readonly statementsPerSecond: number
  readonly transactionsPerSecond: number
  readonly rowsWrittenPerSecond: number
  readonly walBytesPerSecond: number
  /** Of PostgreSQL's own processes; undefined when it is not on this host. */
  readonly cpuMicrosecondsPerProbe: number | undefined
}

export interface Figures {
  readonly probesPerSecond: number
  /** Of whole prober processes, all threads. */
  readonly cpuMicrosecondsPerProbe: number
  /** Of these, outside of the kernel. */
  readonly userMicrosecondsPerProbe: number
  readonly latenessMs: { readonly p50: number; readonly p99: number; readonly max: number }
  /** Reachable bytes per member after a collection, and growth of the resident set per member. */
  readonly bytesPerMember: number
  readonly residentBytesPerMember: number
  /** The most of all probers together, in looks every half second. */
  readonly descriptors: number
  /** Share of the window in which a prober collected garbage. */
  readonly gcShare: number
  /** Share of the host's CPU that went to processes that are not of this bench, and to other hosts on the same machine. */
  readonly othersShare: number
  readonly outcomes: Readonly<Record<string, number>>
  /** What the target counted for each probe that was started in the window. */
  readonly arrivedPerProbe: number
  /** The same of the whole life of the probers, which ended before the last count: nothing is under way. */
  readonly lifetime: { readonly started: number; readonly arrived: number }
  readonly postgres: PostgresFigures | undefined
  /** Shares of the TLS handshakes of each side that resumed a session; undefined without TLS. */
  readonly resumedShare: { readonly ours: number; readonly theirs: number } | undefined
  /** undefined when it did not run, made no check in the window, or its CPU could not be told. */
  readonly peer: { readonly checksPerSecond: number; readonly cpuMicrosecondsPerCheck: number } | undefined
  /** Our CPU per probe, that of the peer = 1. */
  readonly ratio: number | undefined
}

export interface RunMeasured {
  readonly members: number
  readonly empty: readonly ProberSample[]
  readonly before: Measured
  readonly after: Measured
  readonly descriptors: number
  readonly lifetime: Figures['lifetime']
}

export function figuresOf({ members, empty, before, after, descriptors, lifetime }: RunMeasured): Figures {
  const grown = (read: (sample: ProberSample) => number, from = before.probers): number =>
    after.probers.reduce((sum, sample, i) => sum + read(sample) - read(from[i]!), 0)
  const elapsedSeconds = grown((sample) => sample.atMs) / 1000 / after.probers.length
  const started = grown((sample) => sample.started)
  const cpu = grown((sample) => sample.cpuMicroseconds) / started
  const checks = after.theirs - before.theirs
  const peerCpu = ((after.peerCpuSeconds - before.peerCpuSeconds) * 1e6) / checks
  // Without either there is nothing to divide by: no figure is better than a ratio without end.
  const hasPeer = checks > 0 && peerCpu > 0
  const reasons = new Set(after.probers.flatMap((sample) => Object.keys(sample.outcomes)))
  const steps = after.probers[0]?.lateness ?? []
  return {
    probesPerSecond: started / elapsedSeconds,
    cpuMicrosecondsPerProbe: cpu,
    userMicrosecondsPerProbe: grown((sample) => sample.userMicroseconds) / started,
    latenessMs: quantiles(steps.map((_, step) => grown((sample) => sample.lateness[step]!))),
    bytesPerMember: grown((sample) => sample.liveBytes, empty) / members,
    residentBytesPerMember: grown((sample) => sample.residentBytes, empty) / members,
    descriptors,
    gcShare: grown((sample) => sample.gcMs) / 1000 / elapsedSeconds / after.probers.length,
    othersShare: othersShare(before.host, after.host, elapsedSeconds),
    outcomes: Object.fromEntries(
      [...reasons].map((reason) => [reason, grown((sample) => sample.outcomes[reason] ?? 0)]),
    ),
    arrivedPerProbe: (after.ours - before.ours) / started,
    lifetime,
    postgres: postgresFigures(before.postgres, after.postgres, { elapsedSeconds, started }),
    resumedShare: resumedShare(before.tls, after.tls),
    peer: hasPeer
      ? { checksPerSecond: checks / elapsedSeconds, cpuMicrosecondsPerCheck: peerCpu }
      : undefined,
    ratio: hasPeer ? cpu / peerCpu : undefined,
  }
}

function resumedShare(
  before: TlsArrivals | undefined,
  after: TlsArrivals | undefined,
): Figures['resumedShare'] {
  if (before === undefined || after === undefined) return undefined
  const of = (side: keyof TlsArrivals): number => {
    const all = after[side].all - before[side].all
    return all === 0 ? 0 : (after[side].resumed - before[side].resumed) / all
  }
  return { ours: of('ours'), theirs: of('theirs') }
}

function othersShare(before: Measured['host'], after: Measured['host'], elapsedSeconds: number): number {
  const others = after.allSeconds - before.allSeconds - (after.treeSeconds - before.treeSeconds)
  return Math.max(0, others) / elapsedSeconds / cpus().length
}

function postgresFigures(
  before: Measured['postgres'],
  after: Measured['postgres'],
  { elapsedSeconds, started }: { readonly elapsedSeconds: number; readonly started: number },
): PostgresFigures | undefined {
  if (before === undefined || after === undefined) return undefined
  const perSecond = (key: keyof PostgresUsage): number => (after[key] - before[key]) / elapsedSeconds
  const isHere = before.cpuSeconds !== undefined && after.cpuSeconds !== undefined
  return {
    statementsPerSecond: perSecond('statements'),
    transactionsPerSecond: perSecond('transactions'),
    rowsWrittenPerSecond: perSecond('rowsWritten'),
    walBytesPerSecond: perSecond('walBytes'),
    cpuMicrosecondsPerProbe: isHere ? ((after.cpuSeconds - before.cpuSeconds) * 1e6) / started : undefined,
  }
}

/** Upper bounds of the steps in which the quantiles fall. */
function quantiles(steps: readonly number[]): Figures['latenessMs'] {
  const count = steps.reduce((sum, n) => sum + n, 0)
  const upTo = (share: number): number => {
    let seen = 0
    return (steps.findIndex((n) => (seen += n) >= share * count && seen > 0) + 1) * LATENESS_STEP_MS
  }
  return { p50: upTo(0.5), p99: upTo(0.99), max: upTo(1) }
}

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function spreadOf(numbers: readonly number[]): Spread | undefined {
  if (numbers.length === 0) return undefined
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const median = (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)! }
}

/** All runs of one case. */
export interface CaseResult {
  readonly type: string
  readonly members: number
  readonly intervalSeconds: number
  readonly probers: number
  /** Our CPU per probe to the peer's; each ratio is of one run. */
  readonly ratio: Spread | undefined
  readonly cpuMicrosecondsPerProbe: Spread
  readonly runs: readonly Figures[]
}

export function resultOf(what: Case, runs: readonly Figures[]): CaseResult {
  return {
    type: what.name,
    members: what.members,
    intervalSeconds: what.intervalSeconds,
    probers: what.probers,
    ratio: spreadOf(runs.flatMap(({ ratio }) => ratio ?? [])),
    cpuMicrosecondsPerProbe: spreadOf(runs.map((run) => run.cpuMicrosecondsPerProbe))!,
    runs,
  }
}
