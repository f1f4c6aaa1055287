/** What is probed of a mesh, as pools of a door: in the words of the rest of the service. */
import { cutAfter } from '../characters.ts'
import { doorMonitorOf } from '../door/door-monitor.ts'
import type { DoorMember, DoorPool } from '../door/door-pool.ts'
import { NAME_MAX } from '../limits.ts'
import { MEMBERS_OF_STEP } from './limits.ts'
import type { PlainFields } from '../options/plain-fields.ts'
import type { KumaMonitor } from './monitor-of-conf.ts'
import type { Tags } from './objects.ts'
import type { WantedMember, WantedPool } from './wanted-pools.ts'

/** What our pools and members say of a mesh beside what is probed. */
export interface PoolEcho {
  /** Its verdicts are the health of the inbounds. */
  readonly decides: boolean
  /** Of all that is wanted of the pool: who wants the same need not read its members. */
  readonly digest: string
}

export interface MemberEcho {
  /** `dataplane:port`, and the dataplanes of these. */
  readonly inbounds: readonly string[]
  readonly dataplanes: readonly string[]
}

/** Makes a digest of a text that comes in pieces: texts that differ have different ones. */
export interface TextDigest {
  update(text: string): void
  digest(): string
}

export interface DifferingPools {
  /** The pools that are new or wanted otherwise. */
  readonly pools: readonly DoorPool[]
  /** Their keys, and those of pools that are not wanted any more. */
  readonly keys: readonly string[]
}

/**
 * The pools that are not as they are stored. Those that are cost no more than their digest. In steps of some members each: a pool
 * may have thousands. `stored`: the digest of each stored pool by its key; `newDigest`: of one pool.
 */
export function* differingPoolSteps(
  mesh: string,
  wanted: readonly WantedPool[],
  stored: ReadonlyMap<string, string>,
  newDigest: () => TextDigest,
): Generator<undefined, DifferingPools> {
  const gone = new Set(stored.keys())
  const pools: DoorPool[] = []
  for (const pool of wanted) {
    yield
    gone.delete(pool.key)
    const empty = withoutMembers(mesh, pool)
    const digest = yield* digestSteps(empty, pool, newDigest())
    if (stored.get(pool.key) === digest) continue
    const echo: PoolEcho = { decides: pool.decides, digest }
    pools.push({ ...empty, members: yield* memberSteps(pool), echo: { ...echo } })
  }
  return { pools, keys: [...pools.map(({ key }) => key), ...gone] }
}

function withoutMembers(
  mesh: string,
  { key, name, monitor }: WantedPool,
): Omit<DoorPool, 'echo' | 'members'> {
  return {
    key,
    name: cutAfter(`${mesh}/${name}`, NAME_MAX),
    adminStateUp: true,
    protocol: monitor.type,
    tags: [],
    monitor: doorMonitorOf({ ...monitor, profile: 'kuma', plain: plainFieldsOf(monitor) }),
  }
}

/**
 * Of all that is wanted of a pool. Of its members the first one as it is stored: where a later release makes other members of the
 * same inbounds, the digest differs.
 */
function* digestSteps(
  pool: Omit<DoorPool, 'echo' | 'members'>,
  { members, decides }: WantedPool,
  digest: TextDigest,
): Generator<undefined, string> {
  digest.update(JSON.stringify([pool, decides, members.slice(0, 1).map(doorMemberOf)]))
  for (let from = 0; from < members.length; from += MEMBERS_OF_STEP) {
    if (from > 0) yield
    digest.update(JSON.stringify(members.slice(from, from + MEMBERS_OF_STEP)))
  }
  return digest.digest()
}

function* memberSteps({ members }: WantedPool): Generator<undefined, readonly DoorMember[]> {
  const made: DoorMember[] = []
  for (const [i, member] of members.entries()) {
    if (i % MEMBERS_OF_STEP === MEMBERS_OF_STEP - 1) yield
    made.push(doorMemberOf(member))
  }
  return made
}

/** What the plain fields show where a policy says nothing. */
function plainFieldsOf({ type }: KumaMonitor): Partial<PlainFields> {
  const http = type === 'HTTP' ? { urlPath: '/', httpMethod: 'GET' as const } : {}
  return { delaySeconds: 60, timeoutSeconds: 15, rise: 1, fall: 1, ...http }
}

function doorMemberOf({ inbounds, address, port, tags }: WantedMember): DoorMember {
  return {
    ...memberOfInbounds(inbounds),
    adminStateUp: true,
    address,
    protocolPort: port,
    weight: 1,
    monitorAddress: null,
    monitorPort: null,
    tags: tagsOf(tags),
  }
}

/** What a member shows of the inbounds that it stands for (`dataplane:port`). */
export function memberOfInbounds(inbounds: readonly string[]): Pick<DoorMember, 'name' | 'echo'> {
  const echo: MemberEcho = { inbounds, dataplanes: inbounds.map(dataplaneIn) }
  return { name: cutAfter(inbounds[0] ?? '', NAME_MAX), echo: { ...echo } }
}

/** Of `dataplane:port`. */
function dataplaneIn(inbound: string): string {
  return inbound.slice(0, inbound.lastIndexOf(':'))
}

function tagsOf(tags: Tags): DoorMember['tags'] {
  return Object.entries(tags)
    .map(([key, value]) => ({ key, value }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
}
