/**
 * The recent results of all checks (src/domain/result/recent-results.ts), in slabs: 136 bytes per check and no object of its own.
 * A check has a slot from its first result on. Noting a result writes two words and moves a cursor.
 */
import { RECENT_RESULTS_OF_A_KIND, RECENT_TICK_MS, RING_SLAB_CHECKS } from '../../domain/limits.ts'
import {
  packHeader,
  RECENT_BYTES,
  RECENT_HEADER_BYTES,
  RECENT_WORDS,
  recentWord,
  WORDS_PER_RESULT,
} from '../../domain/result/recent-results.ts'
import type { ProbeResult } from '../../domain/result/probe-result.ts'

/** Two cursors, of the results that passed and of those that did not, before the results. */
const CURSORS = 2
const SLOT_WORDS = CURSORS + RECENT_WORDS

/** What has a slot; -1 = none yet. */
export interface RingHolder {
  ring: number
}

export class ResultRings {
  readonly #slabs: Uint32Array[] = []
  readonly #free: number[] = []
  #slots = 0

  /** Bytes that the slabs hold. */
  get bytes(): number {
    return this.#slabs.length * RING_SLAB_CHECKS * SLOT_WORDS * 4
  }

  /** `nowMs`: monotonic, below 497 days. */
  note(holder: RingHolder, { outcome, reason, phases }: ProbeResult, nowMs: number): void {
    this.#write(holder, outcome === 'passed' ? 0 : 1, recentWord(reason, phases.totalMs), nowMs)
  }

  /** A result that passed. */
  notePassed(holder: RingHolder, totalMs: number, nowMs: number): void {
    this.#write(holder, 0, recentWord('PASSED', totalMs), nowMs)
  }

  #write(holder: RingHolder, kind: 0 | 1, word: number, nowMs: number): void {
    if (holder.ring < 0) holder.ring = this.#take()
    const slab = this.#slabOf(holder.ring)
    const start = startOf(holder.ring)
    const cursor = slab[start + kind]!
    const at = start + CURSORS + (kind * RECENT_RESULTS_OF_A_KIND + cursor) * WORDS_PER_RESULT
    slab[at] = nowMs / RECENT_TICK_MS
    slab[at + 1] = word
    slab[start + kind] = (cursor + 1) % RECENT_RESULTS_OF_A_KIND
  }

  /** Forgets the results; the slot is for others. */
  release(holder: RingHolder): void {
    if (holder.ring < 0) return
    const start = startOf(holder.ring)
    this.#slabOf(holder.ring).fill(0, start, start + SLOT_WORDS)
    this.#free.push(holder.ring)
    holder.ring = -1
  }

  /** The results of these, as they are stored; `toWall` makes a monotonic time a time of the wall clock. */
  pack(holders: readonly RingHolder[], toWall: number): Uint8Array {
    const packed = new Uint8Array(RECENT_HEADER_BYTES + holders.length * RECENT_BYTES)
    const view = new DataView(packed.buffer)
    packHeader(view, 0, toWall)
    for (const [i, { ring }] of holders.entries()) {
      if (ring < 0) continue
      const slab = this.#slabOf(ring)
      const start = startOf(ring) + CURSORS
      const offset = RECENT_HEADER_BYTES + i * RECENT_BYTES
      for (let word = 0; word < RECENT_WORDS; word++)
        view.setUint32(offset + word * 4, slab[start + word]!, true)
    }
    return packed
  }

  #take(): number {
    const free = this.#free.pop()
    if (free !== undefined) return free
    if (this.#slots % RING_SLAB_CHECKS === 0) this.#slabs.push(new Uint32Array(RING_SLAB_CHECKS * SLOT_WORDS))
    return this.#slots++
  }

  #slabOf(ring: number): Uint32Array {
    return this.#slabs[Math.floor(ring / RING_SLAB_CHECKS)]!
  }
}

function startOf(ring: number): number {
  return (ring % RING_SLAB_CHECKS) * SLOT_WORDS
}
