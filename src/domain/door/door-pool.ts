/**
 * Pools that a door keeps: an API whose objects are not load balancers translates them into pools with at most one monitor each.
 * They are named by keys of the door, so that the same objects always give the same pools (ADR 35).
 */
import type { HealthMonitor } from '../health-monitor.ts'
import type { Member, Pool } from '../types.ts'

/** What holds the pools of a door together: a zone, a mesh. Its writes wait for each other. */
export interface DoorScope {
  readonly projectId: string
  /** The name of the door. */
  readonly door: string
  /** The door's own name of the scope, 1 to 512 characters; unique in the project. */
  readonly key: string
}

export type DoorMonitor = Pick<
  HealthMonitor,
  | 'name'
  | 'adminStateUp'
  | 'type'
  | 'profile'
  | 'delaySeconds'
  | 'timeoutSeconds'
  | 'rise'
  | 'fall'
  | 'monitorPort'
  | 'domainName'
  | 'urlPath'
  | 'httpMethod'
  | 'httpVersion'
  | 'expectedCodes'
  | 'options'
  | 'sentFields'
  | 'tags'
  | 'echo'
>

/** Named by address and port: no two of a pool have both alike. The address is an IP address, never a name. */
export type DoorMember = Pick<
  Member,
  | 'name'
  | 'adminStateUp'
  | 'address'
  | 'protocolPort'
  | 'weight'
  | 'monitorAddress'
  | 'monitorPort'
  | 'tags'
  | 'echo'
>

export interface DoorPool extends Pick<Pool, 'name' | 'adminStateUp' | 'protocol' | 'tags' | 'echo'> {
  /** The door's own name of the pool, 1 to 512 characters; unique in its scope. */
  readonly key: string
  /** Null: its members are shown, and not probed. */
  readonly monitor: DoorMonitor | null
  readonly members: readonly DoorMember[]
}

/** A member as it is stored. */
export interface KeptDoorMember extends DoorMember {
  readonly id: string
}

/** A pool as it is stored. */
export interface KeptDoorPool extends DoorPool {
  readonly id: string
  readonly shard: number
  /** Traffic was seen on it. */
  readonly trafficSeen: boolean
  readonly monitor: (DoorMonitor & { readonly id: string }) | null
  readonly members: readonly KeptDoorMember[]
}
