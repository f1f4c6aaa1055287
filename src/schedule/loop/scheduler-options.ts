/** What a scheduler needs, and its callbacks. */
import type { LeafCertificate } from '../../domain/result/leaf-certificate.ts'
import type { ProbeResult } from '../../domain/result/probe-result.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import type { CheckStatus } from '../../domain/status/state-machine.ts'
import type { MonitorType } from '../../domain/types.ts'
import type { BatchCore } from '../../probe/batch/core.ts'
import type { Probe } from '../../probe/probe.ts'
import type { Metrics } from '../../runtime/metrics/metrics.ts'
import type { Check } from './check.ts'
import type { Log } from '../log.ts'

export interface SchedulerEvents {
  /** The status (`from` given), or the counter towards its next change, differs from what was written. */
  onVerdict(check: Check, from: CheckStatus | undefined): void
  /**
   * A check has its first result here, fails for another reason, or its target reports another state of itself: worth a
   * checkpoint of its shard before the next planned one.
   */
  onWorthCheckpoint(check: Check): void
  onStaleChange(check: Check): void
  /** After each probe, whatever is made of its result: what the target showed in it. */
  readonly onCertificate?: (check: Check, certificate: LeafCertificate | undefined, nowMs: number) => void
  /** Nothing is probed with this target object any more. */
  readonly onTargetGone?: (target: ProbeTarget) => void
  onWithheld?(check: Check): void
}

export interface SchedulerOptions {
  readonly probers: Readonly<Record<MonitorType, Probe>>
  /** The core that makes the probes of this target; absent or undefined = its prober does. */
  readonly coreOf?: (target: ProbeTarget) => BatchCore | undefined
  /** The core that probes this target on a socket of its own, while answers on the one of `coreOf` are lost; undefined = none can. */
  readonly dedicatedCoreOf?: (target: ProbeTarget) => BatchCore | undefined
  /** The target policy: why an address must not be probed. */
  readonly denies: (address: string, port: number) => string | undefined
  /**
   * The result that counts: this one, another in its place, or (undefined) none until `concludeHeld`. Not asked about a
   * pass by the batch that changes nothing (steadiness.ts).
   */
  readonly reconsider?: (check: Check, result: ProbeResult, nowMs: number) => ProbeResult | undefined
  /** The result of a probe that does not count, or another in its place; it must change nothing. */
  readonly reconsiderUncounted?: (check: Check, result: ProbeResult, nowMs: number) => ProbeResult
  /** Probes in flight at most; it may change at any time. */
  readonly budget: number
  /** Of these, of one project, whatever is free; absent = no such bound. */
  readonly inFlightPerProject?: number
  /** Starts towards one address at most; absent = unlimited. */
  readonly probesPerSecondPerAddress?: number
  readonly events: SchedulerEvents
  readonly metrics: Pick<
    Metrics,
    'probeStarted' | 'probeEnded' | 'probePassed' | 'probesSkipped' | 'probesDelayed' | 'probeDedicated'
  >
  readonly log: Log
  /** Asks for a tick within some milliseconds; 0 = in this turn of the event loop. */
  readonly wake: (inMs: number) => void
  /** Monotonic milliseconds. */
  readonly now?: () => number
  /** Wall clock, milliseconds. */
  readonly wall?: () => number
  readonly random?: () => number
}
