/** What is sent as a binary array is what PostgreSQL reads. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  BIGINT,
  BOOLEAN,
  binaryArray,
  CODE,
  type ElementType,
  INTEGER,
  SMALLINT,
  TIMESTAMPTZ,
  UUID,
} from '../../src/store/connection/binary-array.ts'
import { query } from '../../src/store/connection/database.ts'
import { testDatabase } from '../support/database.ts'

interface Typed<Value> {
  readonly name: string
  readonly type: ElementType<Value>
  readonly values: fc.Arbitrary<Value>
  /** The value as text, by which PostgreSQL compares. */
  readonly textOf?: (value: Value) => string
}

const TYPES = [
  typed({ name: 'boolean', type: BOOLEAN, values: fc.boolean() }),
  typed({ name: 'smallint', type: SMALLINT, values: fc.integer({ min: -32_768, max: 32_767 }) }),
  typed({ name: 'integer', type: INTEGER, values: fc.integer() }),
  typed({ name: 'bigint', type: BIGINT, values: fc.maxSafeInteger() }),
  typed({
    name: 'text',
    type: CODE,
    values: fc.constantFrom('', 'passed', 'CONNECT_REFUSED', 'a "b",{c}\\'),
  }),
  typed({ name: 'uuid', type: UUID, values: fc.uuid() }),
  typed({
    name: 'timestamptz',
    type: TIMESTAMPTZ,
    values: fc.double({ min: -1e12, max: 4e12, noNaN: true }),
    textOf: (ms) => new Date(ms).toISOString(),
  }),
]

/** The types are compared one by one, each with its own values. */
function typed<Value>({ name, type, values, textOf = String }: Typed<Value>) {
  return {
    name,
    samples: () =>
      fc.sample(fc.array(fc.option(values), { maxLength: 40 }), 50).map((items) => ({
        binary: binaryArray(type, items, (item) => item),
        text: items.map((item) => (item === null ? null : textOf(item))),
      })),
  }
}

test('an array of every type, with nulls and without elements, is what the same values are as text', async (t) => {
  const { db } = await testDatabase(t)
  for (const { name, samples } of TYPES) {
    for (const { binary, text } of samples()) {
      const [row] = await query<{ isSame: boolean; found: string }>(
        db,
        `select $1::${name}[] is not distinct from $2::${name}[] as "isSame", $1::${name}[]::text as found`,
        [binary, text],
      )
      assert.ok(row?.isSame, `${name}: ${JSON.stringify(text)} was read as ${row?.found}`)
    }
  }
})

test('what is no UUID, and a code with other characters than ASCII, is refused before anything is sent', () => {
  const id = randomUUID()
  for (const wrong of ['', id.slice(1), `${id}0`, id.replace(/^./, 'g'), `${id.slice(0, -1)}é`])
    assert.throws(() => binaryArray(UUID, [wrong], (item) => item), RangeError, wrong)
  assert.throws(() => binaryArray(CODE, ['é'], (item) => item), RangeError)
})
