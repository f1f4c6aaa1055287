/** Statuses in Kuma's words (docs/peers/kuma.md 50 to 53). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MeshService } from '../../../../src/domain/kuma/objects.ts'
import {
  inboundSelection,
  serviceInsight,
  shownHealth,
  shownMeshServiceCounts,
  shownProxyCounts,
  sumOfCounts,
  togetherVerdict,
} from '../../../../src/domain/kuma/status.ts'
import { inbound, meshService } from './objects.ts'

test('one check that is OFFLINE makes an inbound not ready, one that is undecided nothing', () => {
  assert.equal(togetherVerdict(['ONLINE', 'OFFLINE']), 'OFFLINE')
  assert.equal(togetherVerdict(['undecided', 'ONLINE']), 'ONLINE')
  assert.equal(togetherVerdict(['undecided']), 'undecided')
  const stored = { health: {}, state: 'NotReady' } as const
  assert.deepEqual(shownHealth(stored, 'undecided'), stored)
  assert.deepEqual(shownHealth(stored, undefined), stored)
  // Of an inbound as a whole nothing else is taken.
  assert.deepEqual(shownHealth(inbound('backend', stored), 'undecided'), stored)
  assert.deepEqual(shownHealth(stored, 'ONLINE'), { health: { ready: true }, state: 'Ready' })
  assert.deepEqual(shownHealth({}, 'OFFLINE'), { health: {}, state: 'NotReady' })
})

test('a service is online, offline or partially degraded as its inbounds are, and zeros are left out', () => {
  const of = (total: number, online: number) =>
    serviceInsight({ service: 'backend', hasInbounds: true, gateway: null, total, online })
  assert.deepEqual(of(2, 2), { type: 'internal', status: 'online', dataplanes: { total: 2, online: 2 } })
  assert.deepEqual(of(2, 0), { type: 'internal', status: 'offline', dataplanes: { total: 2, offline: 2 } })
  assert.deepEqual(of(3, 1), {
    type: 'internal',
    status: 'partially_degraded',
    dataplanes: { total: 3, online: 1, offline: 2 },
  })
  const edge = { service: 'edge', gateway: 'gateway_builtin', total: 1, online: 1 } as const
  assert.equal(serviceInsight({ ...edge, hasInbounds: false }).type, 'gateway_builtin')
  assert.equal(serviceInsight({ ...edge, hasInbounds: true }).type, 'internal')
})

test('counts of proxies are summed and shown without zeros', () => {
  const some = { total: 3, online: 1, offline: 1, partiallyDegraded: 1 }
  const others = { total: 1, online: 1, offline: 0, partiallyDegraded: 0 }
  assert.deepEqual(shownProxyCounts(sumOfCounts([some, others])), {
    total: 4,
    online: 2,
    offline: 1,
    partiallyDegraded: 1,
  })
  assert.deepEqual(shownProxyCounts(others), { total: 1, online: 1 })
  assert.deepEqual(shownProxyCounts(sumOfCounts([])), {})
  assert.deepEqual(shownMeshServiceCounts({ total: 2, healthy: 0, identities: [] }), {
    total: 2,
    connected: 2,
  })
})

test('a MeshService is looked up by the name of a proxy before labels, by labels before tags', () => {
  const ports = [{ port: 80 }, { port: 81, targetPort: 8081 }, { port: 82, targetPort: 'admin' }]
  const by = (selector: MeshService['selector']) => {
    const { by: way, name, exact, present } = inboundSelection({ ...meshService('x'), selector, ports })
    return [way, name, exact, present]
  }
  const tags = { dataplaneTags: { 'kuma.io/service': 'backend', version: '*' } }
  const labels = { dataplaneLabels: { team: 'a' } }
  assert.deepEqual(by({ ...tags, ...labels, dataplaneRef: { name: 'p' } }), ['name', 'p', {}, []])
  assert.deepEqual(by({ ...tags, ...labels }), ['labels', null, { team: 'a' }, []])
  assert.deepEqual(by(tags), ['service', 'backend', { 'kuma.io/service': 'backend' }, ['version']])
  assert.deepEqual(by({ dataplaneTags: { 'kuma.io/service': '*' } }), ['tags', null, {}, ['kuma.io/service']])
  assert.deepEqual(by({}), ['nothing', null, {}, []])
  const selection = inboundSelection({ ...meshService('x'), ports })
  assert.deepEqual([selection.ports, selection.names], [[80, 8081], ['admin']])
})
