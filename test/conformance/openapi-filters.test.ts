/** The filters that openapi.yaml describes are those that lists filter by. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ELB_LIST_ATTRIBUTES } from '../../src/api/dialect/elb/lists.ts'
import { OCTAVIA_LIST_ATTRIBUTES } from '../../src/api/dialect/octavia/lists.ts'
import { dialectOf, document, operations, resolved, type Schema } from '../support/openapi.ts'

/** Parameters of every list; the rest are filters. */
const PAGING = new Set([
  'limit',
  'marker',
  'page_reverse',
  'sort',
  'sort_key',
  'sort_dir',
  'fields',
  'tags',
  'tags-any',
  'not-tags',
  'not-tags-any',
])

const filtersOf = (list: string): ReadonlySet<string> =>
  ELB_LIST_ATTRIBUTES[list]?.filters ?? assert.fail(list)

const FILTERS: Readonly<Record<string, ReadonlySet<string>>> = {
  elbListHealthMonitors: filtersOf('healthmonitors'),
  elbListMembers: filtersOf('members'),
  elbListAllMembers: filtersOf('members'),
  elbGetPoolHealth: filtersOf('members'),
  elbListPools: filtersOf('pools'),
  elbListListeners: filtersOf('listeners'),
  elbListLoadBalancers: filtersOf('loadbalancers'),
}

/** Of one list, what is neither a filter nor paging. */
const WAITING: Readonly<Record<string, ReadonlySet<string>>> = {
  elbGetPoolHealth: new Set(['wait_for', 'timeout']),
}

/** What a list shows, where its id does not say so. */
const SHOWN: Readonly<Record<string, string>> = {
  elbListAllMembers: 'ElbMemberOfPool',
  elbGetPoolHealth: 'ElbMember',
}

test('every described filter of a list is one that it filters by', () => {
  for (const [id, known] of Object.entries(FILTERS)) {
    const list = operations.find(({ operation }) => operation.operationId === id)
    assert.ok(list !== undefined, id)
    const filters = list.parameters.filter(
      ({ in: place, name }) => place === 'query' && !PAGING.has(name) && WAITING[id]?.has(name) !== true,
    )
    assert.deepEqual(
      filters.map(({ name }) => name).filter((name) => !known.has(name)),
      [],
      id,
    )
    // Every attribute that an object shows as a plain value can be filtered by.
    const shown = document.components.schemas[SHOWN[id] ?? id.replace('elbList', 'Elb').replace(/s$/, '')]
    const plain = Object.entries((shown?.['properties'] ?? {}) as Record<string, Schema>)
      .filter(([, schema]) => !['array', 'object'].includes(String(resolved<Schema>(schema)['type'])))
      .map(([name]) => name)
    const described = new Set(filters.map(({ name }) => name))
    assert.deepEqual(
      plain.filter((name) => known.has(name) && !described.has(name)),
      [],
      id,
    )
  }
})

test('the described filters of a list of octavia are those that it filters by', () => {
  for (const [list, known] of Object.entries(OCTAVIA_LIST_ATTRIBUTES)) {
    const path = Object.keys(document.paths).find(
      (each) => dialectOf(each) === 'octavia' && each.endsWith(`/${list}`),
    )
    const described = operations.find((each) => each.path === path && each.method === 'get')
    const filters = described?.parameters.filter(({ in: at, name }) => at === 'query' && !PAGING.has(name))
    assert.deepEqual(new Set(filters?.map(({ name }) => name)), known, list)
  }
})
