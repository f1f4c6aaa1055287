/** What the health of a member says of each site that probes it. */
import type { Reason } from '../result/reasons.ts'
import { type Quorum, type SiteView, type Vote, votesNeeded } from './quorum.ts'

/** A site of a monitor, and what is known of one member there. */
export interface SiteFacts {
  readonly site: string
  /** A living prober of the site has the member's shard. */
  readonly isServed: boolean
  /** It was without one for so long that its verdict does not count. */
  readonly isLost: boolean
  /** Its verdict of the check as it is now. */
  readonly verdict?: {
    readonly status: Vote
    readonly since: Date
    readonly reason: Reason
    readonly detail: string
    /** There was no conclusive result for long. */
    readonly isStale: boolean
    /** Milliseconds of the probe that decided; null: unknown. */
    readonly totalMs: number | null
  }
  /** Its last probe, as of its last checkpoint. */
  readonly probe?: {
    readonly asOf: Date
    readonly outcome: string
    readonly reason: string
    readonly totalMs: number | null
  }
}

export interface SiteHealth {
  readonly site: string
  /** Null: it has no verdict on the check as it is now. */
  readonly status: Vote | null
  /** Whether it has a vote. */
  readonly votes: boolean
  readonly served: boolean
  readonly since: Date | null
  /** A reason of a probe; NO_PROBER: no living prober of the site; NOT_YET_PROBED. */
  readonly reason: string
  readonly detail: string | null
  /** Of the last probe that is known, and when that was. */
  readonly latencyMs: number | null
  readonly asOf: Date | null
}

export function siteHealth({ site, isServed, isLost, verdict, probe }: SiteFacts): SiteHealth {
  const last = lastProbe(verdict, probe)
  return {
    site,
    status: verdict?.status ?? null,
    votes: verdict !== undefined && !verdict.isStale && !isLost,
    served: isServed,
    since: verdict?.since ?? null,
    reason: isServed ? reasonOf(verdict, probe) : 'NO_PROBER',
    detail: verdict?.detail ?? null,
    latencyMs: last?.totalMs ?? null,
    asOf: last?.asOf ?? null,
  }
}

/** A checkpoint is written now and then: the probe that decided may be a later one. */
function lastProbe(
  verdict: SiteFacts['verdict'],
  probe: SiteFacts['probe'],
): { readonly asOf: Date; readonly totalMs: number | null } | undefined {
  if (verdict === undefined || (probe !== undefined && probe.asOf >= verdict.since)) return probe
  return { asOf: verdict.since, totalMs: verdict.totalMs }
}

/** Why it has no vote comes before why it has its status. */
function reasonOf(verdict: SiteFacts['verdict'], probe: SiteFacts['probe']): string {
  const isUnsure = verdict === undefined || verdict.isStale
  if (isUnsure && probe?.outcome === 'inconclusive') return probe.reason
  return verdict?.reason ?? 'NOT_YET_PROBED'
}

/** Who sees what, as `siteSentence` takes it. */
export function viewsOfSites(sites: readonly SiteHealth[]): readonly SiteView[] {
  return sites.map(({ site, votes, status }) => ({
    site,
    vote: votes && status !== null ? status : undefined,
  }))
}

/** Whether too few sites vote for anything to be decided; `served`: whether too few are there to vote, as yet. */
export function isTooFew(
  sites: readonly SiteHealth[],
  quorum: Quorum,
  by: 'votes' | 'served' = 'votes',
): boolean {
  return sites.filter((site) => site[by]).length < votesNeeded(quorum, sites.length)
}
