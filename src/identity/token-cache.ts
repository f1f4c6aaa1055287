/**
 * A cache of look-ups of tokens, bounded in time and number. Keys are SHA-256 of the token, so that a dump of the
 * process holds none. It decides nothing: a token that is not here is looked up again.
 */
import { createHash } from 'node:crypto'

export interface TokenCacheOptions {
  /** Entries; the oldest is forgotten for a new one. */
  readonly max: number
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

/** The key of a token: SHA-256, base64. */
export function tokenKey(token: string): string {
  return createHash('sha256').update(token).digest('base64')
}

interface Entry<Value> {
  readonly value: Value
  readonly until: number
}

export class TokenCache<Value> {
  readonly #entries = new Map<string, Entry<Value>>()
  readonly #max: number
  readonly #now: () => number

  constructor({ max, now = () => performance.now() }: TokenCacheOptions) {
    this.#max = max
    this.#now = now
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (this.#now() < entry.until) return entry.value
    this.#entries.delete(key)
    return undefined
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  /** Remembers for `forMs` milliseconds; not at all when that is not positive. */
  set(key: string, value: Value, forMs: number): void {
    this.#entries.delete(key)
    if (!(forMs > 0)) return
    // All live about equally long, so the first inserted ends next.
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size < this.#max) break
      this.#entries.delete(oldest)
    }
    this.#entries.set(key, { value, until: this.#now() + forMs })
  }
}
