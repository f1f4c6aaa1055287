/** The values of a statement that is put together from parts: each part gets the places of its own values. */

export interface Bindings {
  /** In the order of their places. */
  readonly values: readonly unknown[]
  /** Takes a value; gives its place in the statement: `$1`, `$2` and so on. */
  readonly bind: (value: unknown) => string
}

export function collectBindings(): Bindings {
  const values: unknown[] = []
  return { values, bind: (value) => `$${values.push(value)}` }
}
