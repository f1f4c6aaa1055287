/** Finds the pool or member that a person named: by id, by name, or a member by its address and port. */
import { CLIENT_NAMED_MAX } from '../domain/limits.ts'
import { isUuid } from '../domain/uuid.ts'
import { mistake } from './failure.ts'
import { shownMember, shownName } from './names.ts'
import { onlyOne } from './only-one.ts'
import { ELB, OCTAVIA, type Service } from './service.ts'
import type { Named } from './wire.ts'

export interface PoolSubject {
  readonly kind: 'pool'
  readonly id: string
  readonly shown: string
}

export interface MemberSubject {
  readonly kind: 'member'
  readonly id: string
  readonly poolId: string
  readonly shown: string
}

export type Subject = PoolSubject | MemberSubject

/** The path of a subject below a dialect. */
export function pathOf(subject: Subject): string {
  return subject.kind === 'pool' ? `/pools/${subject.id}` : `/pools/${subject.poolId}/members/${subject.id}`
}

/** A member, of the pool if one is named; or the pool, without a member. Throws ClientFailure. */
export async function findSubject(
  service: Service,
  named: { readonly member: string | undefined; readonly pool: string | undefined },
): Promise<Subject> {
  const { pool, member } = await findPoolAndMember(service, named)
  const subject = member ?? pool
  if (subject === undefined) throw mistake('name a MEMBER, or a pool with --pool')
  return subject
}

/** The id of a load balancer. Throws ClientFailure when none, or more than one, has this name. */
export async function findLoadBalancer(service: Service, named: string): Promise<string> {
  return onlyOne({ kind: 'load balancer', named }, await listNamed(service, 'loadbalancers', named)).id
}

/** Throws ClientFailure when no pool, or more than one, has this name. */
export async function findPool(service: Service, named: string): Promise<PoolSubject> {
  const pools = await listNamed(service, 'pools', named)
  const found = onlyOne(
    { kind: 'pool', named },
    pools.length > 0 ? pools : await poolsOfDoors(service, named),
  )
  return { kind: 'pool', id: found.id, shown: shownName(found) }
}

/** Those of the project with this id or this name. */
async function listNamed(
  service: Service,
  collection: 'loadbalancers' | 'pools',
  named: string,
): Promise<readonly Named[]> {
  const answer = await service.get<Readonly<Record<string, readonly Named[]>>>(`${OCTAVIA}/${collection}`, {
    query: {
      ...(isUuid(named) ? { id: named.toLowerCase() } : { name: named }),
      project_id: service.projectId,
      fields: ['id', 'name'],
      limit: LIMIT,
    },
  })
  return answer[collection] ?? []
}

/** Pools that another door keeps, which no LBaaS path shows. */
async function poolsOfDoors(service: Service, named: string): Promise<readonly Named[]> {
  const { pools } = await service.get<{ readonly pools: readonly Named[] }>('/v1/overview/pools', {
    query: { search: named, project_id: service.projectId, limit: DOOR_LIMIT },
  })
  return pools.filter(({ id, name }) => (isUuid(named) ? id === named.toLowerCase() : name === named))
}

/** The pool, and the member (of that pool if it is given), as far as they were named. Throws ClientFailure. */
export async function findPoolAndMember(
  service: Service,
  named: { readonly pool?: string | undefined; readonly member?: string | undefined },
): Promise<{ readonly pool: PoolSubject | undefined; readonly member: MemberSubject | undefined }> {
  const pool = named.pool === undefined ? undefined : await findPool(service, named.pool)
  const member = named.member === undefined ? undefined : await findMember(service, named.member, pool)
  return { pool, member }
}

interface FoundMember {
  readonly id: string
  readonly name: string
  readonly address: string
  readonly protocol_port: number
  readonly pool_id: string
}

/** Throws ClientFailure when no member, or more than one, has this name. */
export async function findMember(
  service: Service,
  named: string,
  pool: PoolSubject | undefined,
): Promise<MemberSubject> {
  const { members } = await service.get<{ readonly members: readonly FoundMember[] }>(`${ELB}/members`, {
    query: { ...memberFilter(named), pool_id: pool?.id, limit: LIMIT },
  })
  const rows = members.length > 0 ? members : await membersOfDoors(service, named, pool)
  const within =
    pool === undefined ? { hint: 'an id, or --pool, says which' } : { where: ` in pool ${pool.shown}` }
  const found = onlyOne({ kind: 'member', named, ...within }, rows)
  return { kind: 'member', id: found.id, poolId: found.pool_id, shown: shownMember(found) }
}

/** Members that another door keeps, which no LBaaS path shows. */
async function membersOfDoors(
  service: Service,
  named: string,
  pool: PoolSubject | undefined,
): Promise<readonly FoundMember[]> {
  const wanted = Object.entries(memberFilter(named))
  const search = memberFilter(named)['address'] ?? named
  const { members } = await service.get<{ readonly members: readonly FoundMember[] }>(
    '/v1/overview/members',
    {
      query: { search, project_id: service.projectId, limit: DOOR_LIMIT },
    },
  )
  return members.filter(
    (member) =>
      (pool === undefined || member.pool_id === pool.id) &&
      wanted.every(([key, value]) => String(member[key as keyof FoundMember]) === value),
  )
}

/** As many as one page of the overview has: its search finds parts of names, of which most may be others. */
const DOOR_LIMIT = '100'
/** One more than a message lists. */
const LIMIT = String(CLIENT_NAMED_MAX + 1)

function memberFilter(named: string): Readonly<Record<string, string>> {
  if (isUuid(named)) return { id: named.toLowerCase() }
  const [, inBrackets, plain, port = ''] = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):(\d{1,5})$/i.exec(named) ?? []
  const address = inBrackets ?? plain
  return address === undefined ? { name: named } : { address, protocol_port: port }
}
