/**
 * Words of a dialect for values of the domain. Each dialect has its own table, with one word for every value: a new
 * value of the domain needs a word in each dialect, else its table does not compile.
 */

/** The word of each value. */
export type WordOf<Value extends string> = Readonly<Record<Value, string>>

/** Values whose words are spelled as the domain spells them. */
export function asSpelled<const Value extends string>(
  values: readonly Value[],
): Readonly<Record<Value, Value>> {
  return Object.fromEntries(values.map((value) => [value, value])) as Record<Value, Value>
}
