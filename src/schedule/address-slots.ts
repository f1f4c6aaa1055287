/**
 * Probes in flight towards one address, the checks that wait for their turn there, and how often probes may start: a
 * second's worth may come at once, what comes beyond is spread evenly (GCRA, the leaky bucket as a meter).
 */
import { IN_FLIGHT_PER_ADDRESS_MAX, START_BURST_MS } from '../domain/limits.ts'
import { networkOf } from '../domain/mass-failure.ts'
import { List, type ListNode } from './linked-list.ts'

export class AddressSlots<Check extends ListNode> {
  readonly address: string
  readonly #spacingMs: number
  /** When the starts so far would have been, evenly spread. */
  #spreadMs = Number.NEGATIVE_INFINITY
  inFlight = 0
  /** Made when the address is full for the first time: most never are. */
  #waiting: List<Check> | undefined
  /** Checks that hold this object; nobody keeps it when there are none. */
  holders = 0
  #network: string | undefined

  /** `spacingMs`: milliseconds between starts in the long run; 0 = unlimited. */
  constructor(address: string, spacingMs: number) {
    this.address = address
    this.#spacingMs = spacingMs
  }

  /** Made when it is first asked for: only a breaker that has cause to count does. */
  get network(): string {
    return (this.#network ??= networkOf(this.address))
  }

  /** Counts a start that is due, and tells when it may be: then, or as much later as the bound asks for. */
  startMs(dueMs: number): number {
    if (this.#spacingMs === 0) return dueMs
    this.#spreadMs = Math.max(this.#spreadMs, dueMs - START_BURST_MS) + this.#spacingMs
    return Math.max(dueMs, this.#spreadMs)
  }

  /** Lets `check` wait for a slot. */
  queue(check: Check): void {
    this.#waiting ??= new List<Check>()
    this.#waiting.push(check)
  }

  /** Takes the check that has waited longest. */
  nextWaiting(): Check | undefined {
    return this.#waiting?.shift()
  }

  get isFull(): boolean {
    return this.inFlight >= IN_FLIGHT_PER_ADDRESS_MAX
  }
}

/** The slots of every address that some check aims at. */
export class AddressTable<Check extends ListNode> {
  readonly #slots = new Map<string, AddressSlots<Check>>()
  readonly #spacingMs: number

  /** `startsPerSecond` towards one address; 0 = unlimited. */
  constructor(startsPerSecond = 0) {
    this.#spacingMs = startsPerSecond === 0 ? 0 : 1000 / startsPerSecond
  }

  get size(): number {
    return this.#slots.size
  }

  hold(address: string): AddressSlots<Check> {
    let slots = this.#slots.get(address)
    if (slots === undefined) this.#slots.set(address, (slots = new AddressSlots(address, this.#spacingMs)))
    slots.holders++
    return slots
  }

  release(slots: AddressSlots<Check>): void {
    if (--slots.holders === 0) this.#slots.delete(slots.address)
  }
}
