/**
 * Events: what happened, for others to read. Each has a position. A reader that has read up to a position has missed no
 * event before it.
 */

/** An object that an event is about, as it was when the event was given its position; a deleted one has its id alone. */
export interface EventObject {
  readonly id: string
  readonly name?: string
}

export interface EventPool extends EventObject {
  /** The door that keeps it; absent = LBaaS, or the pool is deleted. */
  readonly door?: string
}

export interface EventMember extends EventObject {
  readonly address?: string
  readonly protocolPort?: number
}

export interface ServiceEvent {
  /** From 1; events that are committed later have greater ones. */
  readonly position: number
  readonly type: string
  /** When it happened. */
  readonly at: Date
  /** Null: of the service itself, for administrators. */
  readonly projectId: string | null
  readonly loadBalancer?: EventObject
  readonly pool?: EventPool
  readonly member?: EventMember
  readonly from: string | null
  readonly to: string | null
  /** What this type has beside the rest: reason, detail and evidence of a verdict; counts of a pool. */
  readonly data: Readonly<Record<string, unknown>>
}
