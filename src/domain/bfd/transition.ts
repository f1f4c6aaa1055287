/** The state machine of BFD: what a received state, or silence, makes of a session (docs/peers/bfd.md 2). */
import { type BfdState, DIAGNOSTIC } from './packet.ts'

export interface Transition {
  readonly state: BfdState
  /** The diagnostic that goes with a change to Down; undefined = as it was. */
  readonly diagnostic?: number
}

const NEIGHBOR_DOWN: Transition = { state: 'Down', diagnostic: DIAGNOSTIC.neighborDown }

/** `local` must not be AdminDown: such a session discards what it receives. */
export function onReceived(local: BfdState, remote: BfdState): Transition {
  if (remote === 'AdminDown') return local === 'Down' ? { state: 'Down' } : NEIGHBOR_DOWN
  if (local === 'Down') {
    if (remote === 'Down') return { state: 'Init' }
    return { state: remote === 'Init' ? 'Up' : 'Down' }
  }
  if (local === 'Init') return { state: remote === 'Down' ? 'Init' : 'Up' }
  return remote === 'Down' ? NEIGHBOR_DOWN : { state: local }
}

/** No packet came within the detection time (RFC 5880 section 6.8.4). */
export function onSilence(local: BfdState): Transition {
  if (local === 'Init' || local === 'Up') return { state: 'Down', diagnostic: DIAGNOSTIC.expired }
  return { state: local }
}
