/**
 * Deadlines that were found expired. An expired deadline is no failure yet: the event loop may be late, and the answer
 * may lie in the socket. So each waits until the loop has polled the sockets, and their events have been handled,
 * before it counts:
 *
 *   expired at this tick → polled (one poll since; its events may still wait in the check phase) → judged at the next
 *
 * A check that gets its result meanwhile is removed like any other node of a list. Closing a socket takes time, so only
 * some are ended in one turn: thousands that one project lets expire together do not stall the other projects.
 *
 * They are ended in the order in which they expired, not in turn by project: what one project can put before another is
 * limited by its share of the slots, four fifths of them. 5 000 of them are some 80 turns of the event loop, a fraction
 * of a second in all, in which probes of every project start and answers are read. A check that waits meanwhile is
 * never judged too early: an answer that comes counts. The only effect is a later timeout.
 */
import { DEADLINES_PER_TURN } from '../../domain/limits.ts'
import type { Check } from './check.ts'
import { List } from '../linked-list.ts'

export class Deadlines {
  readonly #expired = new List<Check>()
  readonly #polled = new List<Check>()

  get isEmpty(): boolean {
    return this.#expired.isEmpty && this.#polled.isEmpty
  }

  /** The deadline of `check` has passed, by the clock. */
  expire(check: Check): void {
    this.#expired.push(check)
  }

  /**
   * Once per tick: ends those whose sockets have been polled since they were found expired, at most DEADLINES_PER_TURN.
   */
  judge(): void {
    for (let ended = 0; ended < DEADLINES_PER_TURN; ended++) {
      const check = this.#polled.shift()
      if (check === undefined) break
      check.attempt?.cancel?.('timeout')
    }
    this.#polled.take(this.#expired)
  }
}
