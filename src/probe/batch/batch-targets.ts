/**
 * What a core that sends packets knows of its targets, in arrays: 50 bytes a target. Addresses are four words each (of IPv4
 * the first one), whose bytes in memory are those on the wire.
 */
import { BATCH_TARGETS_FIRST } from '../../domain/limits.ts'
import { parseAddress } from '../../domain/address/ip-address.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { NO_SLOT } from './core.ts'
import type { IpFamily } from './ip-family.ts'

export const WORDS_PER_ADDRESS = 4
/** `flights` of a target of which no probe is in flight. */
export const NO_FLIGHT = -1

export class BatchTargets {
  readonly #of: (ProbeTarget | undefined)[] = []
  readonly #free: number[] = []
  families = new Uint8Array(BATCH_TARGETS_FIRST)
  ports = new Uint16Array(BATCH_TARGETS_FIRST)
  addresses = new Uint32Array(BATCH_TARGETS_FIRST * WORDS_PER_ADDRESS)
  /** From where packets leave: as the target says, else (IPv4) as the kernel said. */
  sources = new Uint32Array(BATCH_TARGETS_FIRST * WORDS_PER_ADDRESS)
  /** 1 = the target says from where. */
  hasSource = new Uint8Array(BATCH_TARGETS_FIRST)
  /** IPv4: in which epoch of the routes the source was found; 0 = it was not. */
  epochs = new Uint32Array(BATCH_TARGETS_FIRST)
  flights = new Int32Array(BATCH_TARGETS_FIRST).fill(NO_FLIGHT)

  get size(): number {
    return this.#of.length - this.#free.length
  }

  /** A slot for a target; NO_SLOT for an address that is none. */
  add(target: ProbeTarget): number {
    const address = bytesOf(target.address)
    const source = target.sourceAddress === undefined ? undefined : bytesOf(target.sourceAddress)
    if (address === undefined || (target.sourceAddress !== undefined && source === undefined)) return NO_SLOT
    const slot = this.#free.pop() ?? this.#of.length
    if (slot >= this.ports.length) this.#grow()
    this.#of[slot] = target
    this.families[slot] = target.family
    this.ports[slot] = target.port
    this.hasSource[slot] = source === undefined ? 0 : 1
    this.epochs[slot] = 0
    write(this.addresses, slot, address)
    write(this.sources, slot, source ?? [])
    return slot
  }

  remove(slot: number): void {
    this.#of[slot] = undefined
    this.#free.push(slot)
  }

  targetOf(slot: number): ProbeTarget {
    const target = this.#of[slot]
    if (target === undefined) throw new RangeError(`no target has slot ${slot}`)
    return target
  }

  /** Whether packets to both cannot be told apart where they have the same source port. */
  isSameEnd(a: number, b: number): boolean {
    return (
      this.ports[a] === this.ports[b] && this.families[a] === this.families[b] && this.#isSameAddress(a, b)
    )
  }

  /** Whether the address of a target of this family is the one at `words[from]`. */
  isAt(slot: number, { version, words: length }: IpFamily, words: Uint32Array, from: number): boolean {
    if (this.families[slot] !== version) return false
    for (let word = 0; word < length; word++)
      if (words[from + word] !== this.addresses[slot * WORDS_PER_ADDRESS + word]) return false
    return true
  }

  #isSameAddress(a: number, b: number): boolean {
    for (let i = 0; i < WORDS_PER_ADDRESS; i++) {
      if (this.addresses[a * WORDS_PER_ADDRESS + i] !== this.addresses[b * WORDS_PER_ADDRESS + i])
        return false
    }
    return true
  }

  #grow(): void {
    const size = this.ports.length * 2
    this.families = grown(this.families, new Uint8Array(size))
    this.ports = grown(this.ports, new Uint16Array(size))
    this.addresses = grown(this.addresses, new Uint32Array(size * WORDS_PER_ADDRESS))
    this.sources = grown(this.sources, new Uint32Array(size * WORDS_PER_ADDRESS))
    this.hasSource = grown(this.hasSource, new Uint8Array(size))
    this.epochs = grown(this.epochs, new Uint32Array(size))
    this.flights = grown(this.flights, new Int32Array(size).fill(NO_FLIGHT))
  }
}

function grown<A extends Uint8Array | Uint16Array | Uint32Array | Int32Array>(old: A, larger: A): A {
  larger.set(old)
  return larger
}

function bytesOf(text: string): readonly number[] | undefined {
  return parseAddress(text)?.bytes
}

/** The bytes of an address, none = zeros. */
function write(into: Uint32Array, slot: number, bytes: readonly number[]): void {
  const view = new Uint8Array(
    into.buffer,
    into.byteOffset + slot * WORDS_PER_ADDRESS * 4,
    WORDS_PER_ADDRESS * 4,
  )
  view.fill(0)
  view.set(bytes)
}
