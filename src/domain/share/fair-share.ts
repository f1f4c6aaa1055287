/**
 * Divides a limited resource so that no holder takes all of it: each may hold at most four times what is still free
 * (the dynamic threshold of shared buffers: Choudhury and Hahne, 1998). A single holder gets four fifths, and there is
 * always something left for the next.
 */
import { SHARE_PER_FREE } from '../limits.ts'

/**
 * Whether a holder of `held` units may take `wanted` more while `free` are free; a holder of nothing may take whatever is
 * free.
 */
export function mayTake(held: number, free: number, wanted = 1): boolean {
  if (held === 0) return wanted <= free
  return held + wanted <= SHARE_PER_FREE * (free - wanted)
}

/** Units of something, held by keys. */
export class FairShare {
  readonly #held = new Map<string, number>()
  #free: number

  constructor(units: number) {
    this.#free = units
  }

  get free(): number {
    return this.#free
  }

  held(key: string): number {
    return this.#held.get(key) ?? 0
  }

  /** Takes all requested units, or none. */
  take(key: string, wanted = 1): boolean {
    const held = this.held(key)
    if (!mayTake(held, this.#free, wanted)) return false
    this.#held.set(key, held + wanted)
    this.#free -= wanted
    return true
  }

  /** Gives back what was taken. */
  give(key: string, units = 1): void {
    const left = this.held(key) - units
    if (left < 0) throw new Error('more was given back than was taken')
    if (left === 0) this.#held.delete(key)
    else this.#held.set(key, left)
    this.#free += units
  }
}
