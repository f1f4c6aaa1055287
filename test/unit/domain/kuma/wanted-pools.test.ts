/** What is probed of a mesh (docs/peers/kuma.md 40 to 47). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Mesh } from '../../../../src/domain/kuma/objects.ts'
import { PROBE_LABEL, probedSideOf } from '../../../../src/domain/kuma/probed-side.ts'
import { wantedPoolsOf } from '../../../../src/domain/kuma/wanted-pools.ts'
import { dataplane, healthCheck, inbound, meshHealthCheck, meshOf, meshService, outbound } from './objects.ts'

/** Key of each pool → its members, as `address:port`. */
function probed(mesh: Partial<Mesh>): Readonly<Record<string, readonly string[]>> {
  const { pools } = wantedPoolsOf(meshOf(mesh))
  return Object.fromEntries(
    pools.map(({ key, members }) => [
      key.replace(/ [0-9a-f]{16}$/, ' …'),
      members.map(({ address, port }) => `${address}:${port}`),
    ]),
  )
}

const backend = (name: string, address = '10.0.0.1') =>
  dataplane(name, { address, inbounds: [inbound('backend')] })

test('a policy is followed although none of its consumers is registered', () => {
  const healthChecks = [healthCheck('p', ['web', 'backend'])]
  assert.deepEqual(probed({ dataplanes: [backend('b-1'), backend('b-2', '10.0.0.2')], healthChecks }), {
    'service backend': ['10.0.0.1:8080', '10.0.0.2:8080'],
  })
})

test('a service that no policy reaches is not probed', () => {
  assert.deepEqual(
    probed({ dataplanes: [backend('b-1')], healthChecks: [healthCheck('p', ['web', 'other'])] }),
    {},
  )
})

test('a consumer that checks in another way has a pool of its own beside the one that decides', () => {
  const conf = { interval: '7s', timeout: '1s', unhealthyThreshold: 1, healthyThreshold: 1 }
  const healthChecks = [
    healthCheck('all', ['*', 'backend']),
    healthCheck('web', ['web', 'backend'], { conf }),
  ]
  const web = dataplane('web-1', { inbounds: [inbound('web')], outbounds: [outbound('backend')] })
  const { pools } = wantedPoolsOf(meshOf({ dataplanes: [backend('b-1'), web], healthChecks }))
  assert.deepEqual(
    pools.map(({ name, decides, monitor }) => [name, decides, monitor.options.interval_ms]),
    [
      ['backend', true, 1000],
      ['backend as web-1', false, 7000],
    ],
  )
})

test('a conf that changes keeps the key of its pool', () => {
  const dataplanes = [backend('b-1')]
  const keys = ['1s', '2s'].map((interval) => {
    const conf = { interval, timeout: '1s', unhealthyThreshold: 1, healthyThreshold: 1 }
    const healthChecks = [healthCheck('p', ['*', 'backend'], { conf })]
    return wantedPoolsOf(meshOf({ dataplanes, healthChecks })).pools.map(({ key }) => key)
  })
  assert.deepEqual(keys, [['service backend'], ['service backend']])
})

test('where both generations have a policy, the newer one decides', () => {
  const meshHealthChecks = [
    meshHealthCheck('new', { to: [{ targetRef: { kind: 'Mesh' }, default: { interval: '9s', tcp: {} } }] }),
  ]
  const healthChecks = [healthCheck('old', ['*', '*'])]
  const { pools } = wantedPoolsOf(meshOf({ dataplanes: [backend('b-1')], healthChecks, meshHealthChecks }))
  assert.deepEqual(
    pools.map(({ monitor }) => monitor.options.interval_ms),
    [9000],
  )
})

test('the protocol of a service decides which block of a MeshHealthCheck holds', () => {
  const spoken = (protocol: string | undefined, conf: object) => {
    const tags = {
      'kuma.io/service': 'backend',
      ...(protocol === undefined ? {} : { 'kuma.io/protocol': protocol }),
    }
    const dataplanes = [dataplane('b-1', { inbounds: [inbound('backend', { tags })] })]
    const meshHealthChecks = [meshHealthCheck('p', { to: [{ targetRef: { kind: 'Mesh' }, default: conf }] })]
    const [pool] = wantedPoolsOf(meshOf({ dataplanes, meshHealthChecks })).pools
    const { http, grpc } = pool?.monitor.options ?? {}
    return [pool?.monitor.type, http?.version ?? (http === undefined ? undefined : 'preset'), grpc?.service]
  }
  const all = { http: { path: '/h' }, tcp: {}, grpc: { serviceName: 'g' } }
  assert.deepEqual(spoken('http', all), ['HTTP', '1.1', undefined])
  assert.deepEqual(spoken('http2', all), ['HTTP', 'preset', undefined])
  assert.deepEqual(spoken('grpc', all), ['HTTP', undefined, 'g'])
  assert.deepEqual(spoken(undefined, all), ['TCP', undefined, undefined])
  // Disabled gives way to tcp; absent does not.
  assert.deepEqual(spoken('http', { ...all, http: { disabled: true } }), ['TCP', undefined, undefined])
  assert.deepEqual(spoken('http', { tcp: {} }), [undefined, undefined, undefined])
  assert.deepEqual(spoken('tcp', { tcp: { disabled: true } }), [undefined, undefined, undefined])
})

test('the fields of a HealthCheck become options, and what has no effect is left out', () => {
  const conf = {
    interval: '1500ms',
    timeout: '2s',
    unhealthyThreshold: 3,
    healthyThreshold: 2,
    initialJitter: '5s',
    intervalJitter: '6s',
    intervalJitterPercent: 10,
    noTrafficInterval: '10s',
    reuseConnection: false,
    http: {
      path: '/health',
      requestHeadersToAdd: [
        { append: false, header: { key: 'A', value: '1' } },
        { header: { key: 'B', value: '2' } },
      ],
      expectedStatuses: [201, 200, 204],
    },
  }
  const [pool] = wantedPoolsOf(
    meshOf({ dataplanes: [backend('b-1')], healthChecks: [healthCheck('p', ['*', 'backend'], { conf })] }),
  ).pools
  assert.deepEqual(pool?.monitor, {
    type: 'HTTP',
    options: {
      preset: 'kuma',
      interval_ms: 1500,
      timeout_ms: 2000,
      rise: 2,
      fall: 3,
      intervals: { no_traffic_ms: 10_000 },
      jitter: { ms: 6000, percent: 10, initial_ms: 5000 },
      connection: { reuse: false },
      http: {
        path: '/health',
        host: 'backend',
        headers: [
          { name: 'A', value: '1', action: 'overwrite' },
          { name: 'B', value: '2', action: 'append' },
        ],
        expected_statuses: [
          { start: 200, end: 202 },
          { start: 204, end: 205 },
        ],
      },
    },
  })
})

test('a negative interval, which Kuma 1 stores, gives no check and says why', () => {
  const conf = { interval: '-1s', timeout: '1s', unhealthyThreshold: 1, healthyThreshold: 1 }
  const { pools, views } = wantedPoolsOf(
    meshOf({ dataplanes: [backend('b-1')], healthChecks: [healthCheck('p', ['*', 'backend'], { conf })] }),
  )
  assert.deepEqual(pools, [])
  assert.deepEqual(views[0]?.byDefault?.monitor, { none: 'the interval is not positive' })
})

test('an application is probed where it listens; on the loopback of another host it is not', () => {
  const serviceProbe = { interval: '5s', timeout: '1s' }
  const at = (address: string, more: object) =>
    dataplane('b-1', {
      address,
      inbounds: [inbound('backend', { serviceProbe, servicePort: 9000, ...more })],
    })
  assert.deepEqual(probed({ dataplanes: [at('10.0.0.1', { serviceAddress: '10.0.0.9' })] }), {
    'probe backend …': ['10.0.0.9:9000'],
  })
  assert.deepEqual(probed({ dataplanes: [at('127.0.0.1', {})] }), { 'probe backend …': ['127.0.0.1:9000'] })
  const { pools, unprobed } = wantedPoolsOf(meshOf({ dataplanes: [at('10.0.0.1', {})] }))
  assert.deepEqual(pools, [])
  assert.deepEqual(
    unprobed.map(({ member, why }) => [member, why]),
    [['b-1:8080', 'the application listens on 127.0.0.1 of its own host']],
  )
})

test('where a mesh says so, policies probe the application: servicePort and serviceAddress, else those of the inbound', () => {
  const at = (more: object, address = '10.0.0.1') => {
    const dataplanes = [dataplane('b-1', { address, inbounds: [inbound('backend', more)] })]
    const healthChecks = [healthCheck('p', ['*', 'backend'])]
    return wantedPoolsOf(meshOf({ probed: 'application', dataplanes, healthChecks }))
  }
  const addresses = (more: object, address?: string) =>
    at(more, address).pools.flatMap(({ members }) =>
      members.map((member) => `${member.address}:${member.port}`),
    )
  assert.deepEqual(addresses({}), ['10.0.0.1:8080'])
  assert.deepEqual(addresses({ servicePort: 9000 }), ['10.0.0.1:9000'])
  assert.deepEqual(addresses({ address: '10.0.0.2', servicePort: 9000 }), ['10.0.0.2:9000'])
  assert.deepEqual(addresses({ serviceAddress: '10.0.0.9' }), ['10.0.0.9:8080'])
  assert.deepEqual(addresses({ serviceAddress: '127.0.0.1' }, '127.0.0.2'), ['127.0.0.1:8080'])
  assert.deepEqual(addresses({ serviceAddress: 'app.example' }), [])
  assert.deepEqual(
    at({ serviceAddress: '::1', servicePort: 9000 }).unprobed.map(({ why }) => why),
    ['the application listens on ::1 of its own host'],
  )
})

test('a label says where the policies of a mesh probe; without it, at the proxy; with another value, nowhere', () => {
  const sideOf = (value: string) => probedSideOf({ [PROBE_LABEL]: value })
  assert.equal(probedSideOf({}), 'proxy')
  assert.equal(probedSideOf({ other: 'application' }), 'proxy')
  assert.deepEqual(['proxy', 'application', '', 'Application'].map(sideOf), [
    'proxy',
    'application',
    undefined,
    undefined,
  ])
})

test('an interval of a serviceProbe without a timeout counts as absent', () => {
  const probe = (serviceProbe: object) => {
    const dataplanes = [
      dataplane('b-1', { address: '127.0.0.1', inbounds: [inbound('b', { serviceProbe })] }),
    ]
    const [pool] = wantedPoolsOf(meshOf({ dataplanes })).pools
    return [pool?.monitor.options.interval_ms, pool?.monitor.options.timeout_ms]
  }
  assert.deepEqual(probe({ interval: '9s' }), [1000, 2000])
  assert.deepEqual(probe({ interval: '9s', timeout: '3s' }), [9000, 3000])
})

test('a port of a MeshService is probed by itself only if it is checked in another way', () => {
  const meshServices = [meshService('backend')]
  const everybody = meshHealthCheck('all')
  const own = meshHealthCheck('own', {
    to: [
      {
        targetRef: { kind: 'MeshService', labels: { 'kuma.io/display-name': 'backend' } },
        default: { interval: '3s', tcp: {} },
      },
    ],
  })
  const dataplanes = [backend('b-1')]
  assert.deepEqual(Object.keys(probed({ dataplanes, meshServices, meshHealthChecks: [everybody] })), [
    'service backend',
  ])
  assert.deepEqual(Object.keys(probed({ dataplanes, meshServices, meshHealthChecks: [everybody, own] })), [
    'service backend',
    'meshservice backend:80',
  ])
})

test('what is probed does not depend on the order in which objects are stored', () => {
  const conf = { interval: '7s', timeout: '1s', unhealthyThreshold: 1, healthyThreshold: 1 }
  const mesh = meshOf({
    dataplanes: [
      backend('b-2', '10.0.0.2'),
      backend('b-1'),
      dataplane('web-1', { inbounds: [inbound('web')], outbounds: [outbound('backend')] }),
      dataplane('api-1', { inbounds: [inbound('api')], outbounds: [outbound('backend')] }),
    ],
    healthChecks: [healthCheck('z', ['*', '*']), healthCheck('a', ['web', 'backend'], { conf })],
    meshHealthChecks: [
      meshHealthCheck('m', { targetRef: { kind: 'MeshSubset', tags: { 'kuma.io/service': 'api' } } }),
      meshHealthCheck('n', { targetRef: { kind: 'Dataplane', name: 'web-1' } }),
    ],
    meshServices: [meshService('backend'), meshService('web')],
  })
  const wanted = wantedPoolsOf(mesh)
  fc.assert(
    fc.property(
      fc.shuffledSubarray(mesh.dataplanes as Mesh['dataplanes'][number][], { minLength: 4 }),
      fc.boolean(),
      (dataplanes, reversed) => {
        const other = wantedPoolsOf({
          ...mesh,
          dataplanes,
          healthChecks: reversed ? mesh.healthChecks.toReversed() : mesh.healthChecks,
          meshHealthChecks: reversed ? mesh.meshHealthChecks.toReversed() : mesh.meshHealthChecks,
        })
        assert.deepEqual(other.pools, wanted.pools)
      },
    ),
  )
})
