/** Reads what is wrong in a project. */
import {
  OVERVIEW_PAGE,
  STATUS_MEMBERS_OF_POOL,
  STATUS_PAGES_MAX,
  STATUS_POOLS_AT_ONCE,
} from '../domain/limits.ts'
import type { Service } from './service.ts'
import { isInTrouble, isMemberInTrouble } from './trouble.ts'
import type { Member, MemberPage, Overview, Pool, PoolPage } from './wire.ts'

/** The status of a project, as it was read. */
export interface Status {
  readonly url: string
  readonly overview: Overview
  /** Those that are in trouble, the worst first. */
  readonly pools: readonly PoolInTrouble[]
  /** There are more of them. */
  readonly hasMore: boolean
}

export interface PoolInTrouble {
  readonly pool: Pool
  /** Of its members those that are in trouble, the worst first. */
  readonly members: readonly Member[]
  readonly hasMoreMembers: boolean
}

/** At most `limit` pools in trouble, each with the worst of its members. Throws ClientFailure. */
export async function readStatus(
  service: Service,
  { limit, allProjects }: { readonly limit: number; readonly allProjects: boolean },
): Promise<Status> {
  const query = { project_id: allProjects ? undefined : service.projectId }
  const [overview, worst] = await Promise.all([
    service.get<Overview>('/v1/overview', { query }),
    poolsInTrouble(service, query, limit + 1),
  ])
  const shown = worst.slice(0, limit)
  const pools: PoolInTrouble[] = []
  for (let i = 0; i < shown.length; i += STATUS_POOLS_AT_ONCE) {
    const some = shown.slice(i, i + STATUS_POOLS_AT_ONCE)
    pools.push(...(await Promise.all(some.map((pool) => withMembers(service, pool)))))
  }
  return { url: service.url, overview, pools, hasMore: worst.length > limit }
}

/**
 * Pages come with the worst first: ERROR, DEGRADED, OFFLINE (of which only some are in trouble), ONLINE. The first pool
 * that is ONLINE without an OFFLINE member ends the search.
 */
async function poolsInTrouble(
  service: Service,
  query: { readonly project_id: string | undefined },
  most: number,
): Promise<readonly Pool[]> {
  const found: Pool[] = []
  let marker: string | undefined
  for (let read = 0; read < STATUS_PAGES_MAX && found.length < most; read++) {
    const page = await service.get<PoolPage>('/v1/overview/pools', {
      query: { ...query, limit: String(OVERVIEW_PAGE.max), marker },
    })
    found.push(...page.pools.filter(isInTrouble))
    if (page.next === null || page.pools.some(isWell)) break
    marker = page.next
  }
  return found.slice(0, most)
}

function isWell(pool: Pool): boolean {
  return pool.operating_status === 'ONLINE' && !isInTrouble(pool)
}

async function withMembers(service: Service, pool: Pool): Promise<PoolInTrouble> {
  const limit = STATUS_MEMBERS_OF_POOL + 1
  const { members } = await service.get<MemberPage>(`/v1/overview/pools/${pool.id}/members`, {
    query: { limit: String(limit) },
  })
  const worst = members.filter(isMemberInTrouble)
  return {
    pool,
    members: worst.slice(0, STATUS_MEMBERS_OF_POOL),
    hasMoreMembers: worst.length > STATUS_MEMBERS_OF_POOL,
  }
}
