/**
 * The body of a create of a load balancer with everything below it: bounded in its objects, and read in slices, because its
 * members are by far the most of them.
 */
import { DomainError } from '../../../domain/errors.ts'
import { isObject } from '../../schema/attributes.ts'
import { mapInSlices } from '../../http/slices.ts'
import { OCTAVIA_TREE_MEMBERS_MAX, OCTAVIA_TREE_PARENTS_MAX } from './limits.ts'
import {
  type InnerPool,
  octaviaListenersInnerMember,
  octaviaPoolsInnerMember,
} from './schema/load-balancer-tree.ts'
import { type OctaviaLoadBalancerCreate, octaviaLoadBalancerCreate } from './schema/load-balancer.ts'
import type { OctaviaMemberCreate } from './schema/member.ts'
import { parseWsmeObject, type WsmeRules, wsmeRoot } from './schema/wsme.ts'

/** Reads a body: all but the members, then the members in slices. Throws what the schema refuses, and TOO_MANY_ITEMS. */
export async function parseTree(body: unknown, sharer: string): Promise<OctaviaLoadBalancerCreate> {
  const root = wsmeRoot(body, octaviaLoadBalancerCreate)
  if (!isObject(root)) return parseWsmeObject(root, octaviaLoadBalancerCreate, body)
  assertSize(root)
  const wire = parseWsmeObject(outlineOf(root), octaviaLoadBalancerCreate, body)
  const withMembers = async (
    pool: InnerPool,
    sent: unknown,
    rules: WsmeRules<OctaviaMemberCreate>,
  ): Promise<InnerPool> => {
    const items = membersOf(sent)
    if (items === undefined) return pool
    return {
      ...pool,
      members: await mapInSlices(sharer, items, (item) => parseWsmeObject(item, rules, body)),
    }
  }
  const pools: InnerPool[] = []
  for (const [i, pool] of (wire.pools ?? []).entries()) {
    pools.push(await withMembers(pool, listOf(root['pools'])[i], octaviaPoolsInnerMember))
  }
  const listeners = []
  for (const [i, listener] of (wire.listeners ?? []).entries()) {
    const sent = fieldOf(listOf(root['listeners'])[i], 'default_pool')
    const pool = listener.default_pool
    const read = pool ? await withMembers(pool, sent, octaviaListenersInnerMember) : undefined
    listeners.push(read === undefined ? listener : { ...listener, default_pool: read })
  }
  return { ...wire, ...(wire.pools ? { pools } : {}), ...(wire.listeners ? { listeners } : {}) }
}

/** The body with every list of members emptied. */
function outlineOf(root: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const emptied = (pool: unknown): unknown =>
    membersOf(pool) === undefined ? pool : { ...(pool as object), members: [] }
  const { pools, listeners } = root
  return {
    ...root,
    ...(Array.isArray(pools) ? { pools: pools.map(emptied) } : {}),
    ...(Array.isArray(listeners)
      ? {
          listeners: listeners.map((listener: unknown) =>
            isObject(listener) && 'default_pool' in listener
              ? { ...listener, default_pool: emptied(listener['default_pool']) }
              : listener,
          ),
        }
      : {}),
  }
}

/** Throws TOO_MANY_ITEMS. */
function assertSize(root: Readonly<Record<string, unknown>>): void {
  const pools = listOf(root['pools'])
  const listeners = listOf(root['listeners'])
  const members = [
    ...pools,
    ...listeners.map((listener) => fieldOf(listener, 'default_pool')),
  ].reduce<number>((sum, pool) => sum + (membersOf(pool)?.length ?? 0), 0)
  const counts = [
    ['pools', pools.length, OCTAVIA_TREE_PARENTS_MAX],
    ['listeners', listeners.length, OCTAVIA_TREE_PARENTS_MAX],
    ['members', members, OCTAVIA_TREE_MEMBERS_MAX],
  ] as const
  for (const [what, count, max] of counts) {
    if (count <= max) continue
    const message = `A load balancer is created with at most ${max} ${what} in one request.`
    throw new DomainError('TOO_MANY_ITEMS', message, { max, count })
  }
}

function membersOf(pool: unknown): readonly unknown[] | undefined {
  const members = fieldOf(pool, 'members')
  return Array.isArray(members) ? members : undefined
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function fieldOf(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined
}
