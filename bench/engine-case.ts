/** What a run of the engine's bench is given. */
import type { Kind } from './engine-kinds.ts'
import type { PeerProgram } from './engine-peer.ts'
import type { TargetProgram } from './engine-target.ts'

/** What one run measures. */
export interface Case {
  readonly name: string
  readonly kind: Kind
  readonly members: number
  readonly intervalSeconds: number
  readonly timeoutSeconds: number
  readonly probers: number
  /** Of the window, and between the moment in which all members are ONLINE and the window. */
  readonly seconds: number
  readonly warmUpSeconds: number
  /** What makes the same checks at the same time; undefined: nothing does. */
  readonly peer: PeerProgram | undefined
  /** How many of the members it checks. */
  readonly peerMembers: number
  readonly target: TargetProgram
}
