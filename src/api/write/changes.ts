/** What an update makes of what is stored. */
import { isDeepStrictEqual } from 'node:util'

/**
 * The part of `wanted` that differs from the stored object: re-sending a value is no change, so it neither writes nor
 * notifies.
 */
export function differences<Wanted extends object>(
  stored: Readonly<Record<keyof Wanted, unknown>>,
  wanted: Wanted,
): Partial<Wanted> {
  const changed = Object.entries(wanted).filter(
    ([key, value]) => !isDeepStrictEqual(stored[key as keyof Wanted], value),
  )
  return Object.fromEntries(changed) as Partial<Wanted>
}

/** The value after a change: absent keeps what is stored, null is the default. */
export function valueAfter<Value>(sent: Value | null | undefined, stored: Value, byDefault: Value): Value {
  return sent === undefined ? stored : (sent ?? byDefault)
}
