import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linkTo, routeOf } from '../../../src/web/route.ts'

const ID = '0b2a1f6e-2f8a-4f0e-9a53-1f2e3d4c5b6a'

test('every link leads to its view', () => {
  const { overview, events, webhooks, probers, publicPages, loadBalancer, pool, member } = linkTo
  assert.deepEqual(
    [overview, events, webhooks, probers, publicPages].map((link) => routeOf(link)),
    ['overview', 'events', 'webhooks', 'probers', 'public-pages'].map((view) => ({ view })),
  )
  assert.deepEqual(
    [loadBalancer(ID), pool(ID), member(ID)].map((link) => routeOf(link)),
    ['loadbalancer', 'pool', 'member'].map((view) => ({ view, id: ID })),
  )
})

test('an address that leads nowhere is the overview, also one that JavaScript has a meaning for', () => {
  for (const fragment of [
    '',
    '#',
    '#/',
    '#/nowhere',
    '#/pools',
    '#/pools/x',
    `#/constructor/${ID}`,
    `#/x/${ID}`,
  ]) {
    assert.deepEqual(routeOf(fragment), { view: 'overview' }, fragment)
  }
})
