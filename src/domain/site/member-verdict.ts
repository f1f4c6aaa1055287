/**
 * From the votes of the sites to what is to be written of a member: its status, with the reason of a site that sees it so, and
 * who sees what. A transition only where another status was published.
 */
import type { Evidence } from '../prober/check.ts'
import type { Reason } from '../result/reasons.ts'
import type { CheckStatus } from '../status/state-machine.ts'
import { type Quorum, type SiteView, type Vote, verdictOf } from './quorum.ts'
import { siteSentence } from './site-sentence.ts'

/** The verdict of one site that votes. */
export interface SiteVerdict {
  readonly site: string
  readonly status: Vote
  readonly reason: Reason
  readonly evidence: Evidence
  readonly okRun: number
  readonly badRun: number
}

/** What is published of a member. */
export interface PublishedVerdict {
  /** Older than the check's: published, but no vote rests on it. */
  readonly generation: number
  readonly status: Vote
  /** Milliseconds of the wall clock. */
  readonly since: number
  /** Too few sites voted when it was last looked at. */
  readonly isUndecided: boolean
}

export interface VotedMember {
  readonly generation: number
  /** Of the monitor, in its order. */
  readonly sites: readonly string[]
  readonly quorum: Quorum
  /** Of this generation, of sites that are there and not stale. */
  readonly votes: readonly SiteVerdict[]
  /** Undefined: there is none that is published. */
  readonly published: PublishedVerdict | undefined
  /** Published as ONLINE until the first verdict. */
  readonly startsOnline: boolean
}

/** A new verdict of a member. */
export interface MemberVerdict {
  readonly generation: number
  readonly status: Vote
  readonly since: number
  /** The site whose reason and evidence these are. */
  readonly site: string
  readonly reason: Reason
  readonly detail: string
  readonly evidence: Evidence
  readonly okRun: number
  readonly badRun: number
  /** What was published before; undefined = the same, so it is no transition. */
  readonly from: CheckStatus | undefined
}

/**
 * `undecided`: its status stays, and too few sites vote, for the first time. `unchanged`: there is nothing to write; reason and detail stay those of
 * the transition, as everywhere, also when other sites see it so now.
 */
export type Decision =
  | { readonly kind: 'undecided' | 'unchanged' }
  | { readonly kind: 'decided'; readonly verdict: MemberVerdict }

/** What the votes decide, at a time of the wall clock in milliseconds. */
export function decide(member: VotedMember, nowMs: number): Decision {
  const { quorum, published, generation } = member
  const views = viewsOf(member)
  const status = verdictOf(quorum, views)
  if (status === undefined) {
    // Before the first verdict of a generation the member is pending, which says as much.
    const isNews = published !== undefined && published.generation === generation && !published.isUndecided
    return { kind: isNews ? 'undecided' : 'unchanged' }
  }
  if (published !== undefined && isWritten(published, { generation, status })) return { kind: 'unchanged' }
  const before = published?.status ?? (member.startsOnline ? 'ONLINE' : 'UNKNOWN')
  const isSame = before === status
  const { site, reason, evidence, okRun, badRun } = spokesman(member, status)
  return {
    kind: 'decided',
    verdict: {
      generation,
      status,
      since: (isSame ? published?.since : undefined) ?? nowMs,
      site,
      reason,
      detail: siteSentence(views),
      evidence: { ...evidence, site },
      okRun,
      badRun,
      from: isSame ? undefined : before,
    },
  }
}

/** What each site of the monitor sees, in its order. */
export function viewsOf({ sites, votes }: Pick<VotedMember, 'sites' | 'votes'>): readonly SiteView[] {
  const bySite = new Map(votes.map((vote) => [vote.site, vote.status]))
  return sites.map((site) => ({ site, vote: bySite.get(site) }))
}

function isWritten(
  published: PublishedVerdict,
  { generation, status }: Pick<MemberVerdict, 'generation' | 'status'>,
): boolean {
  return !published.isUndecided && published.generation === generation && published.status === status
}

/**
 * The site that gives the reason: one of those that see the status, with the reason that most of them have; of several the
 * first in the order of the monitor. A quorum that is reached by nobody (`all`, one OFFLINE) has such a site as well.
 */
function spokesman({ sites, votes }: VotedMember, status: Vote): SiteVerdict {
  const agreeing = sites.flatMap((site) =>
    votes.filter((vote) => vote.site === site && vote.status === status),
  )
  const howMany = (reason: Reason): number => agreeing.filter((vote) => vote.reason === reason).length
  const [first, ...others] = agreeing
  if (first === undefined) throw new Error('a verdict that no site has voted for')
  return others.reduce((best, vote) => (howMany(vote.reason) > howMany(best.reason) ? vote : best), first)
}
