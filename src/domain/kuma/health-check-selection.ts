/**
 * Which HealthCheck of Kuma 1 applies to a service (docs/peers/kuma.md 20 to 23): exactly one, never a merge. The choice
 * depends on the objects alone, in whatever order they are stored.
 */
import { byName, type Dataplane, type HealthCheck, SERVICE_TAG, type Tags } from './objects.ts'
import { bestRank, compareRanks, type Rank } from './tags.ts'

/** The sets of tags by which a proxy is selected: each inbound alone, never all together; or those of a gateway. */
export function tagSetsOf({ inbounds, gateway }: Pick<Dataplane, 'inbounds' | 'gateway'>): readonly Tags[] {
  const ofInbounds = inbounds.map(({ tags }) => tags)
  return gateway === undefined ? ofInbounds : [...ofInbounds, gateway.tags]
}

/** A policy that reaches a service, with how well it does. */
interface Candidate {
  readonly policy: HealthCheck
  readonly rank: Rank
}

/** The policy that a proxy with these sets of tags uses for its checks of a service; undefined: it checks nothing. */
export function selectHealthCheck(
  policies: readonly HealthCheck[],
  tagSets: readonly Tags[],
  service: string,
): HealthCheck | undefined {
  const candidates = policies.flatMap((policy): Candidate[] => {
    const source = bestRank(policy.sources, tagSets)
    const destination = source && destinationRank(policy, service)
    return source === undefined || destination === undefined
      ? []
      : [{ policy, rank: sumOf(source, destination) }]
  })
  return best(candidates, ({ rank: a }, { rank: b }) => compareRanks(a, b))
}

/**
 * The policy by which the status of a service is decided here, where no consumer asks: the best destination first, then
 * sources that are everybody, then the ties of the original (docs/peers/kuma.md 40).
 */
export function defaultHealthCheck(
  policies: readonly HealthCheck[],
  service: string,
): HealthCheck | undefined {
  const candidates = policies.flatMap((policy): Candidate[] => {
    const rank = policy.sources.length === 0 ? undefined : destinationRank(policy, service)
    return rank === undefined ? [] : [{ policy, rank }]
  })
  return best(
    candidates,
    (a, b) => compareRanks(a.rank, b.rank) || Number(isForAll(a.policy)) - Number(isForAll(b.policy)),
  )
}

function destinationRank({ destinations }: HealthCheck, service: string): Rank | undefined {
  return bestRank(destinations, [{ [SERVICE_TAG]: service }])
}

function isForAll({ sources }: HealthCheck): boolean {
  return sources.some((source) => Object.keys(source).length === 1 && source[SERVICE_TAG] === '*')
}

function sumOf(a: Rank, b: Rank): Rank {
  return { tags: a.tags + b.tags, exact: a.exact + b.exact }
}

/** Of equal ones the policy that was made last; of those made at one time the one with the smallest name. */
function best(
  candidates: readonly Candidate[],
  compare: (a: Candidate, b: Candidate) => number,
): HealthCheck | undefined {
  const [first] = candidates.toSorted(
    (a, b) =>
      compare(b, a) || compareText(b.policy.createdAt, a.policy.createdAt) || byName(a.policy, b.policy),
  )
  return first?.policy
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
