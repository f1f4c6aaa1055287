/** Probes in flight towards one address, and the checks that wait for their turn there. */
import { IN_FLIGHT_PER_ADDRESS_MAX } from '../domain/limits.ts'
import { networkOf } from '../domain/mass-failure.ts'
import { List, type ListNode } from './linked-list.ts'

export class AddressSlots<Check extends ListNode> {
  readonly address: string
  inFlight = 0
  /** Made when the address is full for the first time: most never are. */
  #waiting: List<Check> | undefined
  /** Checks that hold this object; nobody keeps it when there are none. */
  holders = 0
  #network: string | undefined

  constructor(address: string) {
    this.address = address
  }

  /** Made when it is first asked for: only a breaker that has cause to count does. */
  get network(): string {
    return (this.#network ??= networkOf(this.address))
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

  get size(): number {
    return this.#slots.size
  }

  hold(address: string): AddressSlots<Check> {
    let slots = this.#slots.get(address)
    if (slots === undefined) this.#slots.set(address, (slots = new AddressSlots(address)))
    slots.holders++
    return slots
  }

  release(slots: AddressSlots<Check>): void {
    if (--slots.holders === 0) this.#slots.delete(slots.address)
  }
}
