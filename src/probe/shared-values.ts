/**
 * Values that are computed once from settings of which many checks have an equal copy: TLS contexts, tables of
 * patterns. A value is kept as long as one of these checks is probed. Copies are equal by their key; asking with the
 * same object again costs one look-up.
 */
import { SHARED_VALUES_SWEEP } from '../domain/limits.ts'

export class SharedValues<Owner extends object, Value extends object> {
  readonly #ofOwner = new WeakMap<Owner, Value>()
  readonly #byKey = new Map<string, WeakRef<Value>>()
  #sweepAt = SHARED_VALUES_SWEEP
  readonly #keyOf: (owner: Owner) => string
  readonly #make: (owner: Owner) => Value

  constructor(keyOf: (owner: Owner) => string, make: (owner: Owner) => Value) {
    this.#keyOf = keyOf
    this.#make = make
  }

  of(owner: Owner): Value {
    return this.#ofOwner.get(owner) ?? this.#share(owner)
  }

  #share(owner: Owner): Value {
    const key = this.#keyOf(owner)
    let value = this.#byKey.get(key)?.deref()
    if (value === undefined) {
      value = this.#make(owner)
      this.#byKey.set(key, new WeakRef(value))
      if (this.#byKey.size >= this.#sweepAt) this.#sweep()
    }
    this.#ofOwner.set(owner, value)
    return value
  }

  /** Forgets the keys of what is gone. */
  #sweep(): void {
    for (const [key, value] of this.#byKey) if (value.deref() === undefined) this.#byKey.delete(key)
    this.#sweepAt = Math.max(SHARED_VALUES_SWEEP, 2 * this.#byKey.size)
  }
}
