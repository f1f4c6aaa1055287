/** The values of a statement that is composed from parts: each part gets the placeholders of its own values. */

export interface Bindings {
  /** In the order of their places. */
  readonly values: readonly unknown[]
  /** Adds a value; returns its placeholder in the statement: `$1`, `$2` and so on. */
  readonly bind: (value: unknown) => string
}

export function collectBindings(): Bindings {
  const values: unknown[] = []
  return { values, bind: (value) => `$${values.push(value)}` }
}
