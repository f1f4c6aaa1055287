/**
 * Where the probes of a core on connections go, in arrays: some 40 bytes a target. A socket address is laid out once per
 * target, so a probe copies it and reads no text.
 */
import { parseAddress } from '../../../domain/address/ip-address.ts'
import { BATCH_TARGETS_FIRST } from '../../../domain/limits.ts'
import type { ProbeTarget } from '../../../domain/target/probe-target.ts'
import { NO_SLOT } from '../../batch/core.ts'
import { type Names, nameWords, WORDS_PER_NAME } from '../kernel-calls.ts'

export class Destinations implements Names {
  readonly #of: (ProbeTarget | undefined)[] = []
  readonly #free: number[] = []
  /** Few targets say from where. */
  readonly #sources = new Map<number, readonly number[]>()
  families = new Uint8Array(BATCH_TARGETS_FIRST)
  words = new Uint32Array(BATCH_TARGETS_FIRST * WORDS_PER_NAME)
  holdAck = new Uint8Array(BATCH_TARGETS_FIRST)

  /** Targets that have a slot. */
  get size(): number {
    return this.#of.length - this.#free.length
  }

  /** Slots for which the arrays have room. */
  get room(): number {
    return this.families.length
  }

  /** A slot for a target; NO_SLOT for an address that is none. `holdsAck`: as `Names.holdAck`. */
  add(target: ProbeTarget, holdsAck: boolean): number {
    const address = parseAddress(target.address)?.bytes
    const source = target.sourceAddress === undefined ? undefined : parseAddress(target.sourceAddress)?.bytes
    if (address === undefined || (target.sourceAddress !== undefined && source === undefined)) return NO_SLOT
    const slot = this.#free.pop() ?? this.#of.length
    if (slot >= this.families.length) this.#grow()
    this.#of[slot] = target
    this.families[slot] = target.family
    this.holdAck[slot] = holdsAck ? 1 : 0
    this.words.set(nameWords(target.family, address, target.port), slot * WORDS_PER_NAME)
    if (source === undefined) this.#sources.delete(slot)
    else this.#sources.set(slot, source)
    return slot
  }

  remove(slot: number): void {
    this.#of[slot] = undefined
    this.#sources.delete(slot)
    this.#free.push(slot)
  }

  targetOf(slot: number): ProbeTarget {
    const target = this.#of[slot]
    if (target === undefined) throw new RangeError(`no target has slot ${slot}`)
    return target
  }

  portOf(slot: number): number {
    return this.#of[slot]?.port ?? 0
  }

  /** From where its probes leave; undefined = the kernel chooses. */
  sourceOf(slot: number): readonly number[] | undefined {
    return this.#sources.size === 0 ? undefined : this.#sources.get(slot)
  }

  #grow(): void {
    const size = this.families.length * 2
    this.families = grown(this.families, new Uint8Array(size))
    this.words = grown(this.words, new Uint32Array(size * WORDS_PER_NAME))
    this.holdAck = grown(this.holdAck, new Uint8Array(size))
  }
}

/** `larger`, which begins with what `old` has. */
export function grown<A extends Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array>(
  old: A,
  larger: A,
): A {
  larger.set(old)
  return larger
}
