/** Finds the pool or member that a person named: by id, by name, or a member by its address and port. */
import { CLIENT_NAMED_MAX } from '../domain/limits.ts'
import { isUuid } from '../domain/uuid.ts'
import { mistake } from './failure.ts'
import { ELB, OCTAVIA, type Service } from './service.ts'

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
  const pool = named.pool === undefined ? undefined : await findPool(service, named.pool)
  if (named.member !== undefined) return await findMember(service, named.member, pool)
  if (pool === undefined) throw mistake('name a MEMBER, or a pool with --pool')
  return pool
}

/** The id of a load balancer. Throws ClientFailure when none, or more than one, has this name. */
export async function findLoadBalancer(service: Service, named: string): Promise<string> {
  const { loadbalancers } = await service.get<{
    readonly loadbalancers: readonly { id: string; name: string }[]
  }>(`${OCTAVIA}/loadbalancers`, {
    query: {
      [isUuid(named) ? 'id' : 'name']: isUuid(named) ? named.toLowerCase() : named,
      project_id: service.projectId,
      fields: ['id', 'name'],
      limit: LIMIT,
    },
  })
  return only('load balancer', named, loadbalancers)[0].id
}

/** Throws ClientFailure when no pool, or more than one, has this name. */
export async function findPool(service: Service, named: string): Promise<PoolSubject> {
  const { pools } = await service.get<{ readonly pools: readonly { id: string; name: string }[] }>(
    `${OCTAVIA}/pools`,
    {
      query: {
        [isUuid(named) ? 'id' : 'name']: isUuid(named) ? named.toLowerCase() : named,
        project_id: service.projectId,
        fields: ['id', 'name'],
        limit: LIMIT,
      },
    },
  )
  const [found] = only('pool', named, pools)
  return { kind: 'pool', id: found.id, shown: shownName(found) }
}

interface Found {
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
  const { members } = await service.get<{ readonly members: readonly Found[] }>(`${ELB}/members`, {
    query: { ...memberFilter(named), pool_id: pool?.id, limit: LIMIT },
  })
  const [found] = only('member', named, members, pool)
  return { kind: 'member', id: found.id, poolId: found.pool_id, shown: shownMember(found) }
}

/** One more than a message lists. */
const LIMIT = String(CLIENT_NAMED_MAX + 1)

function memberFilter(named: string): Readonly<Record<string, string>> {
  if (isUuid(named)) return { id: named.toLowerCase() }
  const [, inBrackets, plain, port = ''] = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):(\d{1,5})$/i.exec(named) ?? []
  const address = inBrackets ?? plain
  return address === undefined ? { name: named } : { address, protocol_port: port }
}

function only<Row extends { readonly id: string; readonly name: string }>(
  kind: 'pool' | 'member' | 'load balancer',
  named: string,
  rows: readonly Row[],
  pool?: PoolSubject,
): readonly [Row] {
  const where = pool === undefined ? '' : ` in pool ${pool.shown}`
  const [first, ...others] = rows
  if (first === undefined) throw mistake(`there is no ${kind} ${JSON.stringify(named)}${where}`)
  if (others.length === 0) return [first]
  const ids = rows.slice(0, CLIENT_NAMED_MAX).map(({ id }) => id)
  const more = rows.length > CLIENT_NAMED_MAX ? ', …' : ''
  const hint =
    kind === 'member' && pool === undefined ? ' (an id, or --pool, says which)' : ' (an id says which)'
  throw mistake(
    `${JSON.stringify(named)} is the name of several ${kind}s${where}: ${ids.join(', ')}${more}${hint}`,
  )
}

export function shownName({ id, name }: { readonly id: string; readonly name: string | null }): string {
  return name === null || name === '' ? id : name
}

/** `web-1 (10.0.0.1:80)`, or the address alone where there is no name. */
export function shownMember(member: {
  readonly name: string | null
  readonly address: string | null
  readonly protocol_port: number | null
}): string {
  const address = shownAddress(member)
  return member.name === null || member.name === '' ? address : `${member.name} (${address})`
}

/** IPv6 in brackets. */
export function shownAddress({
  address,
  protocol_port: port,
}: {
  readonly address: string | null
  readonly protocol_port: number | null
}): string {
  if (address === null) return 'deleted'
  return `${address.includes(':') ? `[${address}]` : address}:${port ?? 0}`
}
