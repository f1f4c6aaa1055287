/**
 * How large a mesh may be, and what may still change in one that is larger: it was so before a limit was there. A change that
 * makes it smaller is always taken. Until it fits, what is probed stays as it was, without the inbounds that changed: to work
 * out what should be probed would need what the limits protect (docs/peers/kuma.md 48).
 */
import type { DoorMember, DoorPool, KeptDoorPool } from '../door/door-pool.ts'
import { memberOfInbounds } from './door-pools.ts'
import { MESH_MAX_BYTES, RESOURCES_OF_MESH_MAX } from './limits.ts'
import type { ResourceType } from './objects.ts'
import { dataplaneOf, type StoredObject } from './stored-objects.ts'
import { inboundKey } from './wanted-pools.ts'

/** What a write did to one object. */
export interface ObjectChange {
  readonly type: ResourceType
  readonly name: string
  /** Absent = the object is new. */
  readonly before?: StoredObject | undefined
  /** Absent = the object was deleted. */
  readonly after?: Pick<StoredObject, 'body'>
  /** By how many bytes of body and labels the mesh became larger; negative = smaller. */
  readonly bytes: number
}

export interface MeshSize {
  readonly objects: number
  /** Of bodies and labels. */
  readonly bytes: number
}

/** By how much these changes made their mesh larger. */
export function growthOf(changes: readonly ObjectChange[]): MeshSize {
  let [objects, bytes] = [0, 0]
  for (const change of changes) {
    objects += Number(change.after !== undefined) - Number(change.before !== undefined)
    bytes += change.bytes
  }
  return { objects, bytes }
}

/** Whether a mesh of this size is beyond its limits, and whether it became larger where it is. */
export function excessOf({ objects, bytes }: MeshSize, growth: MeshSize): 'none' | 'shrinking' | 'growing' {
  const tooMany = objects > RESOURCES_OF_MESH_MAX
  const tooLarge = bytes > MESH_MAX_BYTES
  if (!tooMany && !tooLarge) return 'none'
  return (tooMany && growth.objects > 0) || (tooLarge && growth.bytes > 0) ? 'growing' : 'shrinking'
}

/** The inbounds that are gone, or are not what they were: `dataplane:port`. Health that a client sends is no such change. */
export function changedInbounds(changes: readonly ObjectChange[]): ReadonlySet<string> {
  const changed = changes.flatMap(({ type, name, before, after }) => {
    if (type !== 'Dataplane' || before === undefined) return []
    const left = new Set(
      after === undefined ? [] : inboundsOf({ ...before, ...after }).map(({ text }) => text),
    )
    return inboundsOf(before)
      .filter(({ text }) => !left.has(text))
      .map(({ port }) => inboundKey(name, port))
  })
  return new Set(changed)
}

function inboundsOf(object: StoredObject): readonly { readonly port: number; readonly text: string }[] {
  const { address, inbounds } = dataplaneOf(object)
  return inbounds.map((inbound) => {
    const said = {
      ...inbound,
      address: inbound.address ?? address,
      health: null,
      state: inbound.state === 'Ignored',
    }
    return { port: inbound.port, text: JSON.stringify(sortedEntries(said)) }
  })
}

/** In one order: that of a client need not be that in which it is stored. */
function sortedEntries(fields: object): readonly (readonly [string, unknown])[] {
  return Object.entries(fields)
    .map(([key, value]: [string, unknown]): readonly [string, unknown] =>
      typeof value === 'object' && value !== null ? [key, sortedEntries(value)] : [key, value],
    )
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
}

/** A pool without these inbounds; undefined = it has no others. The next write that works out all pools finds that it differs. */
export function withoutInbounds(
  { key, name, adminStateUp, protocol, tags, echo, monitor, members }: KeptDoorPool,
  gone: ReadonlySet<string>,
): DoorPool | undefined {
  const left = members.flatMap((member) => memberWithout(member, gone) ?? [])
  if (left.length === 0) return undefined
  return { key, name, adminStateUp, protocol, tags, monitor, members: left, echo: { ...echo, digest: '' } }
}

function memberWithout(member: DoorMember, gone: ReadonlySet<string>): DoorMember | undefined {
  const inbounds = member.echo['inbounds'] as readonly string[]
  const left = inbounds.filter((inbound) => !gone.has(inbound))
  if (left.length === 0) return undefined
  return left.length === inbounds.length ? member : { ...member, ...memberOfInbounds(left) }
}
