/** A probe that somebody asked for, outside the schedule: the request, and what is answered (docs/adr/0028). */
import type { Outcome, Reason } from '../result/reasons.ts'
import type { Phases, ProbeResult } from '../result/probe-result.ts'
import type { Evidence } from './check.ts'

/** What a prober finds in PostgreSQL. */
export interface ProbeRequest {
  readonly id: string
  readonly memberId: string
  readonly poolId: string
  readonly projectId: string
  readonly shard: number
  /** At which the prober took it: an answer of an older owner of the shard is refused. */
  readonly epoch: number
  /** Of the pool when the request came: an older configuration must not be probed. */
  readonly configVersion: number
  /** The result counts as that of a scheduled probe does. */
  readonly counted: boolean
  /** Milliseconds until nobody waits for the answer any more. */
  readonly leftMs: number
}

/** Why a prober has no result: where the request was when its time was over. */
export type NoResult =
  /** The member has no check: it, its monitor or something above is gone or switched off. */
  | 'not_probed'
  /** The prober has not loaded the configuration of the request. */
  | 'configuration'
  /** The probe waited for a place: the project or the target address has as many probes in flight as it may. */
  | 'share'
  /** The probe has not ended. */
  | 'running'
  /** The failure waits for the canaries: so many targets failed at once that the prober may be the cause. */
  | 'held'

/** The result of the probe, as it passes from the prober to the API. */
export interface ProbeFinding {
  readonly outcome: Outcome
  readonly reason: Reason
  readonly detail: string
  readonly flag?: Exclude<ProbeResult['flag'], undefined>
  readonly phases: Phases
  readonly evidence: Evidence
  /** Milliseconds of the wall clock at which the probe started. */
  readonly at: number
  /** It has changed what is known of the member, as a scheduled result does. An inconclusive one never does. */
  readonly counted: boolean
}

export type ProbeAnswer =
  | { readonly finding: ProbeFinding; readonly noResult?: never }
  | { readonly finding?: never; readonly noResult: NoResult }

/** For people; each ends a sentence. */
export const NO_RESULT_SENTENCES: Readonly<Record<NoResult, string>> = {
  not_probed: 'it, its health monitor or something above it was removed or switched off',
  configuration: 'the prober has not loaded the present configuration of the pool yet',
  share: 'the project or the target address has as many probes in flight as it may have',
  running: 'the probe has not ended',
  held: 'so many targets failed at once that the prober asks its canaries first',
}
