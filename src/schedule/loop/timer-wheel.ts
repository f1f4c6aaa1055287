/**
 * Hashed timer wheel (Varghese and Lauck 1987, scheme 6): slot = tick mod slots, each slot an intrusive list. Adding,
 * moving and removing cost O(1) and no allocation. A node that is due in a later turn of the wheel stays in its slot.
 *
 * Invariants: a node never fires before its due time, and not more than one tick after it when `advance` is called in time;
 * nodes fire in the order of their ticks, and in the order of their scheduling within one tick; what a callback schedules
 * fires at the next tick at the earliest.
 */
import { isLinked, List, type ListNode, unlink } from '../linked-list.ts'

export interface WheelNode extends ListNode {
  /** Set by the wheel. */
  dueTick: number
}

export class TimerWheel<Node extends WheelNode> {
  readonly #tickMs: number
  readonly #slots: readonly List<Node>[]
  /** One bit per slot that may have nodes, so that empty slots cost nothing; cleared when `advance` finds it empty. */
  readonly #occupied: Uint32Array
  readonly #firing = new List<Node>()
  /** Everything due at or before this tick has fired. */
  #tick: number

  /** `slots` is a multiple of 32; `nowMs` is the time on the clock that all later times are on. */
  constructor(tickMs: number, slots: number, nowMs: number) {
    this.#tickMs = tickMs
    this.#slots = Array.from({ length: slots }, () => new List<Node>())
    this.#occupied = new Uint32Array(slots / 32)
    this.#tick = Math.floor(nowMs / tickMs)
  }

  /** Makes `node` fire at `dueMs`, wherever it was scheduled before. */
  schedule(node: Node, dueMs: number): void {
    node.dueTick = Math.max(this.#tick + 1, Math.ceil(dueMs / this.#tickMs))
    this.#insert(node)
  }

  /** Makes `node` not fire. Harmless when it is not scheduled. */
  cancel(node: Node): void {
    unlink(node)
  }

  isScheduled(node: Node): boolean {
    return isLinked(node)
  }

  /** Calls `fire` for every node that is due at `nowMs`, after taking it out. */
  advance(nowMs: number, fire: (node: Node) => void): void {
    const target = Math.floor(nowMs / this.#tickMs)
    while (this.#tick < target) {
      const next = this.#nextOccupiedTick(target)
      if (next === undefined) {
        this.#tick = target
        return
      }
      this.#tick = next
      this.#fireSlot(next, fire)
    }
  }

  /**
   * When `advance` is next worth calling, at most `withinMs` after the last tick; undefined when nothing can be due until
   * then. May be early (a node of a later turn, a node that was cancelled), never late.
   */
  nextMs(withinMs: number): number | undefined {
    const tick = this.#nextOccupiedTick(this.#tick + Math.ceil(withinMs / this.#tickMs))
    return tick === undefined ? undefined : tick * this.#tickMs
  }

  #insert(node: Node): void {
    const slot = node.dueTick % this.#slots.length
    const list = this.#slots[slot]
    if (list === undefined) throw new RangeError(`a due time must be a positive number, not ${node.dueTick}`)
    list.push(node)
    this.#occupied[slot >>> 5]! |= 1 << (slot & 31)
  }

  #fireSlot(tick: number, fire: (node: Node) => void): void {
    const slot = tick % this.#slots.length
    this.#occupied[slot >>> 5]! &= ~(1 << (slot & 31))
    // Callbacks may cancel or move any node, also those that wait here for their turn.
    this.#firing.take(this.#slots[slot]!)
    for (let node = this.#firing.shift(); node !== undefined; node = this.#firing.shift()) {
      if (node.dueTick > tick) this.#insert(node)
      else fire(node)
    }
  }

  /** The first tick after the current one, up to and including `last`, whose slot may have nodes. */
  #nextOccupiedTick(last: number): number | undefined {
    const slots = this.#slots.length
    const end = Math.min(last, this.#tick + slots)
    for (let tick = this.#tick + 1; tick <= end; ) {
      const slot = tick % slots
      const word = this.#occupied[slot >>> 5]! >>> (slot & 31)
      if (word !== 0) {
        const found = tick + (31 - Math.clz32(word & -word))
        return found <= end ? found : undefined
      }
      tick += 32 - (slot & 31)
    }
    return undefined
  }
}
