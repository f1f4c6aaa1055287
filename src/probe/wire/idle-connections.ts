/**
 * Connections that wait for the next probe of their check. One per target, found by the target's identity: a changed
 * configuration brings a new object, and so a new connection. A connection that waits costs its socket and an entry
 * here; there is no timer, closure or promise of its own.
 *
 * There are never more than the room has place for. Beyond that, the one of a sample that would wait longest is closed (by
 * the time between its last two probes). So with more checks than room some connections are always reused, instead of
 * all being evicted before their next use. Connections of checks that are gone are closed by `forget`, and by age.
 */
import { IDLE_CONNECTION_MAX_MS, IDLE_SAMPLE, IDLE_SWEEP_MS } from '../../domain/limits.ts'
import type { Reason } from '../../domain/result/reasons.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { IdleRoom } from './idle-room.ts'
import type { ConnectionUser, StreamConnection } from './stream-connection.ts'

export class IdleConnections implements ConnectionUser {
  readonly #room: IdleRoom
  readonly #random: () => number
  readonly #now: () => number
  readonly #byTarget = new Map<ProbeTarget, StreamConnection>()
  /** The same, in no order, to draw samples from. */
  readonly #idle: StreamConnection[] = []
  /** When a target was last probed on a new connection: with the next time, this gives its interval. */
  readonly #askedAt = new WeakMap<ProbeTarget, number>()
  readonly #closedByTarget = new WeakSet<ProbeTarget>()
  /** Targets of checks that were removed or have a new target: one of their probes may still be in flight. */
  readonly #gone = new WeakSet<ProbeTarget>()
  #sweeper: NodeJS.Timeout | undefined

  constructor(
    room: IdleRoom = new IdleRoom(),
    random: () => number = Math.random,
    now: () => number = () => performance.now(),
  ) {
    this.#room = room
    this.#random = random
    this.#now = now
  }

  /** Connections that wait. */
  get size(): number {
    return this.#idle.length
  }

  /** Removes and returns the connection of this target; undefined when there is none that can be used. */
  take(target: ProbeTarget): StreamConnection | undefined {
    const connection = this.#byTarget.get(target)
    if (connection === undefined) return undefined
    this.#remove(connection)
    if (connection.isUsable) return connection
    connection.close()
    return undefined
  }

  /** Takes over a connection after a probe; false = it is not kept, and the caller must close it. */
  keep(connection: StreamConnection): boolean {
    const { target } = connection
    const now = this.#now()
    const askedAt = connection.uses > 1 ? connection.idleSince : this.#askedAt.get(target)
    if (connection.uses === 1) this.#askedAt.set(target, now)
    if (askedAt !== undefined) connection.gapMs = now - askedAt
    connection.idleSince = now
    if (target.reuse === undefined || connection.uses >= target.reuse.freshEvery) return false
    if (!connection.isUsable || this.#byTarget.has(target) || this.#gone.has(target)) return false
    if (this.#room.isFull) {
      const worst = this.#leastUseful(connection)
      if (worst === connection) return false
      this.#drop(worst)
    }
    connection.user = this
    connection.idleIndex = this.#idle.length
    this.#idle.push(connection)
    this.#room.held++
    this.#byTarget.set(target, connection)
    this.#sweeper ??= setInterval(this.#sweep, IDLE_SWEEP_MS).unref()
    return true
  }

  /** Whether the target closed its idle connection and that counts as a failure; true once. */
  wasClosedByTarget(target: ProbeTarget): boolean {
    return this.#closedByTarget.delete(target)
  }

  /** This target will not be probed again: closes its connection, and keeps none of a last probe. */
  forget(target: ProbeTarget): void {
    this.#gone.add(target)
    const connection = this.#byTarget.get(target)
    if (connection !== undefined) this.#drop(connection)
  }

  closeAll(): void {
    for (const connection of this.#byTarget.values()) this.#drop(connection)
  }

  onReady(): void {
    throw new Error('a connection that waits was ready long ago')
  }

  onData(connection: StreamConnection, chunk: Buffer): void {
    if (!connection.conversation.readIdle(chunk, connection)) this.#drop(connection)
  }

  onEnd(connection: StreamConnection): void {
    if (connection.idleIndex < 0) return
    if (connection.target.reuse?.idleCloseIsFailure === true) this.#closedByTarget.add(connection.target)
    this.#drop(connection)
  }

  onFailure(connection: StreamConnection, _reason: Reason, _detail: string): void {
    this.onEnd(connection)
  }

  /** The one of a sample, and of `connection`, that will be used last. */
  #leastUseful(connection: StreamConnection): StreamConnection {
    let worst = connection
    for (let i = 0; i < IDLE_SAMPLE; i++) {
      const other = this.#idle[Math.floor(this.#random() * this.#idle.length)]
      if (other !== undefined && nextUse(other) > nextUse(worst)) worst = other
    }
    return worst
  }

  #drop(connection: StreamConnection): void {
    this.#remove(connection)
    connection.close()
  }

  #remove(connection: StreamConnection): void {
    const last = this.#idle.pop()
    if (last !== undefined && last !== connection) {
      this.#idle[connection.idleIndex] = last
      last.idleIndex = connection.idleIndex
    }
    connection.idleIndex = -1
    this.#room.held--
    this.#byTarget.delete(connection.target)
    if (this.#idle.length === 0) {
      clearInterval(this.#sweeper)
      this.#sweeper = undefined
    }
  }

  readonly #sweep = (): void => {
    const oldest = this.#now() - IDLE_CONNECTION_MAX_MS
    for (const connection of this.#byTarget.values())
      if (connection.idleSince < oldest) this.#drop(connection)
  }
}

function nextUse(connection: StreamConnection): number {
  return connection.idleSince + connection.gapMs
}
