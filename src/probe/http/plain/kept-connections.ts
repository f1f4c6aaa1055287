/**
 * Which targets of a core have a connection that waits for their next probe, in arrays by slot. The rules are those of
 * wire/idle-connections.ts, with which the room is shared: a connection serves as many probes as its target says, where
 * there is no room the one of a sample that would wait longest has to end, and one that waits for long ends too.
 *
 * The connections themselves are those of tcp/plain/connections.ts.
 */
import {
  BATCH_TARGETS_FIRST,
  IDLE_CONNECTION_MAX_MS,
  IDLE_SAMPLE,
  IDLE_SWEEP_MS,
} from '../../../domain/limits.ts'
import { NO_SLOT } from '../../batch/core.ts'
import { grown } from '../../tcp/plain/destinations.ts'
import type { IdleRoom } from '../../wire/idle-room.ts'

const NOT_KEPT = -1

export class KeptConnections {
  readonly #room: IdleRoom
  readonly #random: () => number
  /** Slots whose connection waits, in no order, to draw samples from. */
  readonly #slots: number[] = []
  #places = new Int32Array(BATCH_TARGETS_FIRST).fill(NOT_KEPT)
  /** Probes that the connection of a slot has served, with the one in flight. */
  #uses = new Uint32Array(BATCH_TARGETS_FIRST)
  /** When the last probe ended after which a connection could be kept, and the time between the last two of them. */
  #endedMs = new Float64Array(BATCH_TARGETS_FIRST)
  #gapsMs = new Float64Array(BATCH_TARGETS_FIRST)
  /** 1 = the target closed it while it waited, and that is a failure of the next probe. */
  #areClosed = new Uint8Array(BATCH_TARGETS_FIRST)
  #sweptMs = 0

  constructor(room: IdleRoom, random: () => number = Math.random) {
    this.#room = room
    this.#random = random
  }

  /** A new target has this slot. */
  add(slot: number): void {
    this.#endedMs[slot] = Number.NaN
    this.#areClosed[slot] = 0
  }

  has(slot: number): boolean {
    return this.#places[slot] !== NOT_KEPT
  }

  /** A probe of this slot uses its connection. */
  noteUse(slot: number, isNew: boolean): void {
    this.#uses[slot] = isNew ? 1 : this.#uses[slot]! + 1
  }

  /**
   * Keeps the connection of a slot, which has served its probe and can serve another one. Returns the slot whose
   * connection has to end for it: that of another one, the same slot (it is not kept), or NO_SLOT.
   */
  keep(slot: number, nowMs: number, freshEvery: number): number {
    const gapMs = nowMs - this.#endedMs[slot]!
    this.#gapsMs[slot] = Number.isNaN(gapMs) ? Number.POSITIVE_INFINITY : gapMs
    this.#endedMs[slot] = nowMs
    if (this.#uses[slot]! >= freshEvery) return slot
    const worst = this.#room.isFull ? this.#leastUseful(slot) : NO_SLOT
    if (worst === slot) return slot
    if (worst !== NO_SLOT) this.remove(worst)
    this.#places[slot] = this.#slots.push(slot) - 1
    this.#room.held++
    return worst
  }

  /** The connection of a slot is used, or ends. */
  remove(slot: number): void {
    const place = this.#places[slot]!
    const last = this.#slots.pop()
    if (last !== undefined && last !== slot) {
      this.#slots[place] = last
      this.#places[last] = place
    }
    this.#places[slot] = NOT_KEPT
    this.#room.held--
  }

  /** The target has closed the connection of a slot, which is a failure of the next probe. */
  noteClosed(slot: number): void {
    this.#areClosed[slot] = 1
  }

  /** Whether it has; true once. */
  wasClosed(slot: number): boolean {
    const wasClosed = this.#areClosed[slot] === 1
    this.#areClosed[slot] = 0
    return wasClosed
  }

  /** Slots whose connection has waited for too long; looked for now and then. */
  unused(nowMs: number): readonly number[] {
    if (this.#slots.length === 0 || nowMs - this.#sweptMs < IDLE_SWEEP_MS) return NONE
    this.#sweptMs = nowMs
    return this.#slots.filter((slot) => nowMs - this.#endedMs[slot]! > IDLE_CONNECTION_MAX_MS)
  }

  grow(room: number): void {
    this.#places = grown(this.#places, new Int32Array(room).fill(NOT_KEPT))
    this.#uses = grown(this.#uses, new Uint32Array(room))
    this.#endedMs = grown(this.#endedMs, new Float64Array(room))
    this.#gapsMs = grown(this.#gapsMs, new Float64Array(room))
    this.#areClosed = grown(this.#areClosed, new Uint8Array(room))
  }

  /** The one of a sample, and of `slot`, that will be used last. */
  #leastUseful(slot: number): number {
    let worst = slot
    for (let i = 0; i < IDLE_SAMPLE; i++) {
      const other = this.#slots[Math.floor(this.#random() * this.#slots.length)]
      if (other !== undefined && this.#nextUseMs(other) > this.#nextUseMs(worst)) worst = other
    }
    return worst
  }

  #nextUseMs(slot: number): number {
    return this.#endedMs[slot]! + this.#gapsMs[slot]!
  }
}

const NONE: readonly number[] = []
