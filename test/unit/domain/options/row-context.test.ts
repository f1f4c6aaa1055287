import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MonitorOptions } from '../../../../src/domain/options/monitor-options.ts'
import type { ReadOptions } from '../../../../src/domain/options/row-context.ts'

/** Paths of the keys of an object, as `http.path`; lists have none. */
type PathsOf<Type> = Type extends readonly unknown[]
  ? never
  : Type extends object
    ? { [Key in keyof Type & string]: Key | `${Key}.${PathsOf<NonNullable<Type[Key]>>}` }[keyof Type & string]
    : never

/** A path that rows read and the table does not have. */
type Unknown = Exclude<PathsOf<Required<ReadOptions>>, PathsOf<Required<MonitorOptions>>>

// Checked by the compiler: with a wrong name or type in ReadOptions, this file does not compile.
test('options that rows read of others are in the table, each with a type that fits', () => {
  const unknown: [Unknown] extends [never] ? 'none' : Unknown = 'none'
  const read = (options: ReadOptions): ReadOptions => options
  const all: MonitorOptions = { http: { path: '/' }, connection: { close: 'rst' } }
  assert.deepEqual([unknown, read(all)], ['none', all])
})
