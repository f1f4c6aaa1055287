import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DomainError } from '../../../../src/domain/errors.ts'
import { pageOf, sortOf } from '../../../../src/api/dialect/elb/query.ts'
import { fieldsOf, filtersOf } from '../../../../src/api/http/query.ts'

const parameters = (text: string) => new URLSearchParams(text)
const refused = (act: () => unknown) =>
  assert.throws(act, (error) => error instanceof DomainError && error.code === 'INVALID_QUERY')

describe('query strings of lists', () => {
  it('page by limit and marker; without a limit, or with 0, the marker does not count', () => {
    assert.deepEqual(pageOf(parameters('limit=5&marker=m')), { limit: 5, marker: 'm', reverse: false })
    assert.deepEqual(pageOf(parameters('marker=m')), { limit: undefined, marker: undefined, reverse: false })
    assert.deepEqual(pageOf(parameters('limit=0&marker=m&page_reverse=True')), {
      limit: undefined,
      marker: undefined,
      reverse: false,
    })
  })

  it('refuse a limit that is negative or no number', () => {
    for (const limit of ['-1', 'x', '1.5', '1e3', '9999999999999999'])
      refused(() => pageOf(parameters(`limit=${limit}`)))
  })

  it('turn the direction round only for the word true', () => {
    assert.equal(pageOf(parameters('limit=1&page_reverse=True')).reverse, true)
    assert.equal(pageOf(parameters('limit=1&page_reverse=yes')).reverse, false)
  })

  it('sort by known keys, each with its direction', () => {
    const known = new Set(['name', 'delay'])
    assert.deepEqual(sortOf(parameters('sort_key=name&sort_key=delay&sort_dir=asc&sort_dir=DESC'), known), [
      { attribute: 'name', direction: 'asc' },
      { attribute: 'delay', direction: 'desc' },
    ])
    refused(() => sortOf(parameters('sort_key=name'), known))
    refused(() => sortOf(parameters('sort_key=secret&sort_dir=asc'), known))
    refused(() => sortOf(parameters('sort_key=name&sort_dir=up'), known))
  })

  it('filter by known attributes, ignore unknown ones and empty values', () => {
    assert.deepEqual(filtersOf(parameters('name=a&name=b&delay=&colour=red'), new Set(['name', 'delay'])), [
      { attribute: 'name', values: ['a', 'b'] },
    ])
  })

  it('choose fields only when some are named', () => {
    assert.equal(fieldsOf(parameters('')), undefined)
    assert.deepEqual(fieldsOf(parameters('fields=id&fields=name')), new Set(['id', 'name']))
  })
})
