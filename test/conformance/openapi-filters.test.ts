/** The filters that openapi.yaml describes are those that lists filter by. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OCTAVIA_LIST_ATTRIBUTES } from '../../src/api/dialect/octavia/lists.ts'
import { HEALTH_MONITOR_ATTRIBUTES } from '../../src/store/health-monitors.ts'
import { LISTENER_ATTRIBUTES } from '../../src/store/listeners.ts'
import { LOAD_BALANCER_ATTRIBUTES } from '../../src/store/load-balancers.ts'
import { MEMBER_ATTRIBUTES } from '../../src/store/members.ts'
import { POOL_ATTRIBUTES } from '../../src/store/pools.ts'
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

const FILTERS: Readonly<Record<string, ReadonlySet<string>>> = {
  elbListHealthMonitors: HEALTH_MONITOR_ATTRIBUTES,
  elbListMembers: MEMBER_ATTRIBUTES,
  elbListAllMembers: MEMBER_ATTRIBUTES,
  elbGetPoolHealth: MEMBER_ATTRIBUTES,
  elbListPools: POOL_ATTRIBUTES,
  elbListListeners: LISTENER_ATTRIBUTES,
  elbListLoadBalancers: LOAD_BALANCER_ATTRIBUTES,
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
    const filters = list.parameters.filter(({ in: place, name }) => place === 'query' && !PAGING.has(name))
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
