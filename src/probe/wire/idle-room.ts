/**
 * How many connections of a process may wait for the next probe of their check: those on Node's sockets
 * (idle-connections.ts) and those of the core of HTTP (http/plain/kept-connections.ts) together.
 */
import { IDLE_CONNECTIONS_MAX } from '../../domain/limits.ts'

export class IdleRoom {
  /** Most that may wait: what the descriptor budget leaves. */
  capacity = IDLE_CONNECTIONS_MAX
  /** Those that wait. Counted by who keeps them. */
  held = 0

  get isFull(): boolean {
    return this.held >= this.capacity
  }
}
