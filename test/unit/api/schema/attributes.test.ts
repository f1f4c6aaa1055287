import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type Joi from 'joi'
import { DomainError } from '../../../../src/domain/errors.ts'
import {
  boolean,
  bodyRules,
  integer,
  nullable,
  oneOf,
  parseBody,
  readOnly,
  text,
  uuid,
} from '../../../../src/api/schema/attributes.ts'

const read = (schema: Joi.AnySchema, value: unknown) =>
  parseBody<{ a: unknown }>({ thing: { a: value } }, bodyRules('thing', { a: schema })).a

function refusal(act: () => unknown): DomainError {
  try {
    act()
  } catch (error) {
    assert.ok(error instanceof DomainError)
    return error
  }
  return assert.fail('was accepted')
}

describe('attributes of bodies', () => {
  it('convert what Neutron converts', () => {
    assert.equal(read(integer({ min: 1, max: 50 }), '5'), 5)
    assert.equal(read(boolean(), 'True'), true)
    assert.equal(read(boolean(), 0), false)
    assert.equal(read(nullable(integer({ min: 1, max: 50 })), null), null)
    assert.equal(read(uuid(), 'ABCDEF00-0000-4000-8000-000000000000'), 'abcdef00-0000-4000-8000-000000000000')
  })

  it("refuse with Neutron's reason", () => {
    const range = { min: 1, max: 50 }
    const cases: [Joi.AnySchema, unknown, string][] = [
      [integer(range), 51, "'51' is too large - must be no larger than '50'"],
      [integer(range), '0', "'0' is too small - must be at least '1'"],
      [integer(range), 'x', "'x' is not an integer"],
      [integer(range), 1.5, "'1.5' is not an integer"],
      [integer(range), true, "'true' is not an integer"],
      [integer(range), null, "'None' is not an integer"],
      [oneOf(['HTTP', 'TCP']), 'UDP-CONNECT', "'UDP-CONNECT' is not in ('HTTP', 'TCP')"],
      [uuid(), 'x', "'x' is not a valid UUID"],
      [boolean(), 'maybe', "'maybe' cannot be converted to boolean"],
      [text(5), 5, "'5' is not a valid string"],
    ]
    for (const [schema, value, reason] of cases) {
      const error = refusal(() => read(schema, value))
      assert.deepEqual([error.code, error.facts['reason']], ['INVALID_FIELD', reason])
    }
  })

  it('name the length that is too long', () => {
    const error = refusal(() => read(text(5), 'abcdef'))
    assert.deepEqual(
      [error.code, error.facts],
      ['TOO_LONG', { resource: 'thing', field: 'a', max: 5, length: 6 }],
    )
  })

  it('refuse what is unknown before what is missing before what is wrong', () => {
    const rules = bodyRules('thing', {
      a: integer({ min: 1, max: 2 }),
      b: text(1).required(),
      id: readOnly(),
    })
    assert.equal(refusal(() => parseBody({ thing: { a: 9, c: 1 } }, rules)).code, 'UNRECOGNIZED_ATTRIBUTE')
    assert.equal(refusal(() => parseBody({ thing: { a: 9, id: 1 } }, rules)).code, 'READ_ONLY_ATTRIBUTE')
    assert.equal(refusal(() => parseBody({ thing: { a: 9 } }, rules)).code, 'MISSING_FIELD')
    assert.equal(refusal(() => parseBody({ thing: { a: 9, b: '' } }, rules)).code, 'INVALID_FIELD')
  })

  it('refuse a body without its envelope', () => {
    const rules = bodyRules('thing', {})
    for (const body of [undefined, null, [], 'x', {}, { thing: null }, { thing: [] }, { other: {} }]) {
      assert.equal(refusal(() => parseBody(body, rules)).code, 'MISSING_ENVELOPE')
    }
  })
})
