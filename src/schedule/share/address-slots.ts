/**
 * What may go to one target address: probes in flight (slots), and starts a second (a second's worth may come at once,
 * what comes beyond is spread evenly: GCRA, the leaky bucket as a meter). Both are divided by project: of the slots a
 * project may hold SHARE_PER_FREE times what is free, and probes that wait, for a slot or for the rate, are served in
 * turn by project. So whatever one project does to an address, a probe of another project there waits for one start of
 * each other project at most.
 *
 * Most addresses belong to one project and one check: what only several of them need is created on demand.
 */
import { ADDRESS_WHEEL_SLOTS, START_BURST_MS, WHEEL_TICK_MS } from '../../domain/limits.ts'
import { networkOf } from '../../domain/result/mass-failure.ts'
import { List, type ListNode } from '../linked-list.ts'
import type { ProjectShare } from './project-share.ts'
import { TimerWheel, type WheelNode } from '../loop/timer-wheel.ts'
import { mayTake, type Sharer, Turns } from './turns.ts'

/** An address that somebody aims at; a node of the wheel while somebody waits for its rate. */
export class Address<Node extends ListNode> implements WheelNode {
  previous: ListNode = this
  next: ListNode = this
  dueTick = 0
  readonly name: string
  /** Slots taken: of probes in flight, and of checks that are about to start. */
  held = 0
  /** When the starts so far would have been, evenly spread. */
  spreadMs = Number.NEGATIVE_INFINITY
  /** Made when a check has to wait for the first time: at most addresses none ever has to. */
  turns: Turns<Node> | undefined
  #network: string | undefined
  #only: AddressShare<Node> | undefined
  #shares: Map<ProjectShare<Node>, AddressShare<Node>> | undefined

  constructor(name: string) {
    this.name = name
  }

  /** Made on first use: only the breaker needs it, when it has to count. */
  get network(): string {
    return (this.#network ??= networkOf(this.name))
  }

  get isUnused(): boolean {
    return this.#only === undefined && this.#shares === undefined
  }

  shareOf(project: ProjectShare<Node>): AddressShare<Node> {
    if (this.#only?.project === project) return this.#only
    const found = this.#shares?.get(project)
    if (found !== undefined) return found
    const share = new AddressShare(this, project)
    if (this.isUnused) this.#only = share
    else this.#add(share)
    return share
  }

  #add(share: AddressShare<Node>): void {
    this.#shares ??= new Map()
    if (this.#only !== undefined) this.#shares.set(this.#only.project, this.#only)
    this.#only = undefined
    this.#shares.set(share.project, share)
  }

  drop({ project }: AddressShare<Node>): void {
    if (this.#only?.project === project) this.#only = undefined
    this.#shares?.delete(project)
    if (this.#shares?.size === 0) this.#shares = undefined
  }
}

/** What one project has of one address. */
export class AddressShare<Node extends ListNode> implements Sharer<Node> {
  previous: ListNode = this
  next: ListNode = this
  readonly address: Address<Node>
  readonly project: ProjectShare<Node>
  /** Slots that it has. */
  held = 0
  /** Checks that have this object. */
  holders = 0
  #queue: List<Node> | undefined

  constructor(address: Address<Node>, project: ProjectShare<Node>) {
    this.address = address
    this.project = project
  }

  /** Its checks that wait for a slot or for the rate. */
  get queue(): List<Node> {
    return (this.#queue ??= new List())
  }
}

/** Who asks for slots: a check. */
export interface SlotTaker<Node extends ListNode> extends ListNode {
  readonly share: AddressShare<Node>
}

/**
 * The answer to a check that asks for a slot: a slot, or it waits for one, or it waits because the address is at its
 * rate.
 */
export type SlotAnswer = 'admitted' | 'full' | 'delayed'

export interface AddressTableOptions<Node> {
  /** Of one address. */
  readonly slots: number
  /** Towards one address; 0 = unlimited. */
  readonly startsPerSecond: number
  /** The time on the clock that all later times are on. */
  readonly nowMs: number
  /** A check that had to wait has a slot and may start. */
  readonly onAdmitted: (node: Node) => void
}

/** Every address that some check aims at or some probe is under way to. */
export class AddressTable<Node extends SlotTaker<Node>> {
  readonly #addresses = new Map<string, Address<Node>>()
  readonly #wheel: TimerWheel<Address<Node>>
  readonly #onAdmitted: (node: Node) => void
  readonly #slots: number
  /** Milliseconds between starts in the long run; 0 = unlimited. */
  readonly #spacingMs: number
  #nowMs: number

  constructor({ slots, startsPerSecond, nowMs, onAdmitted }: AddressTableOptions<Node>) {
    this.#slots = slots
    this.#spacingMs = startsPerSecond === 0 ? 0 : 1000 / startsPerSecond
    this.#nowMs = nowMs
    this.#wheel = new TimerWheel(WHEEL_TICK_MS, ADDRESS_WHEEL_SLOTS, nowMs)
    this.#onAdmitted = onAdmitted
  }

  get size(): number {
    return this.#addresses.size
  }

  hold(name: string, project: ProjectShare<Node>): AddressShare<Node> {
    let address = this.#addresses.get(name)
    if (address === undefined) this.#addresses.set(name, (address = new Address(name)))
    const share = address.shareOf(project)
    share.holders++
    return share
  }

  release(share: AddressShare<Node>): void {
    share.holders--
    this.#forget(share)
  }

  /** Gives `node` a slot of `share`, or lets it wait in turn until there is one. */
  request(share: AddressShare<Node>, node: Node, nowMs: number): SlotAnswer {
    const { address } = share
    const isInTime = this.#spacingMs === 0 || this.#startMs(address, nowMs) <= nowMs
    const isNext = isInTime && (address.turns?.isEmpty ?? true)
    const isOver = !mayTake(share, this.#slots - address.held)
    if (isNext && !isOver) {
      this.#take(share, nowMs)
      return 'admitted'
    }
    address.turns ??= new Turns()
    address.turns.queue(share, node, isOver)
    if (!isInTime) this.#wheel.schedule(address, this.#startMs(address, nowMs))
    return isInTime ? 'full' : 'delayed'
  }

  /** Takes out a check that waits. */
  leave(share: AddressShare<Node>, node: Node): void {
    share.address.turns?.leave(share, node)
  }

  /** A slot of `share` is free again: gives it to the next check that may have one. */
  giveBack(share: AddressShare<Node>, nowMs: number): void {
    share.held--
    share.address.held--
    if (share.address.turns !== undefined) this.#admit(share.address, nowMs)
    if (share.holders === 0) this.#forget(share)
  }

  /** Admits those who have waited for the rate of their address. */
  advance(nowMs: number): void {
    this.#nowMs = nowMs
    this.#wheel.advance(nowMs, this.#onDue)
  }

  /** When `advance` is next worth calling, at most `withinMs` after the last time; undefined = not until then. */
  nextMs(withinMs: number): number | undefined {
    return this.#wheel.nextMs(withinMs)
  }

  readonly #onDue = (address: Address<Node>): void => this.#admit(address, this.#nowMs)

  #admit(address: Address<Node>, nowMs: number): void {
    const { turns } = address
    if (turns === undefined) return
    turns.reconsider()
    while (!turns.isEmpty) {
      const startMs = this.#spacingMs === 0 ? nowMs : this.#startMs(address, nowMs)
      if (startMs > nowMs) {
        this.#wheel.schedule(address, startMs)
        return
      }
      const next = turns.next(this.#slots - address.held)
      if (next === undefined) return
      this.#take(next.share, nowMs)
      this.#onAdmitted(next)
    }
  }

  /** When the next start towards `address` may be; with a rate only. */
  #startMs({ spreadMs }: Address<Node>, nowMs: number): number {
    return Math.max(spreadMs, nowMs - START_BURST_MS) + this.#spacingMs
  }

  #take(share: AddressShare<Node>, nowMs: number): void {
    share.held++
    share.address.held++
    if (this.#spacingMs > 0) share.address.spreadMs = this.#startMs(share.address, nowMs)
  }

  #forget(share: AddressShare<Node>): void {
    if (share.holders > 0 || share.held > 0) return
    const { address } = share
    address.drop(share)
    if (!address.isUnused) return
    this.#wheel.cancel(address)
    this.#addresses.delete(address.name)
  }
}
