/**
 * The order of MeshHealthChecks and their merge (docs/peers/kuma.md 30 to 35). The vectors are answers of Kuma 2.13.10 under
 * `…/dataplanes/{name}/_rules`: test/vectors/kuma-mhc-merge.json.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { contributionsTo, mergeConfs } from '../../../../src/domain/kuma/conf-merge.ts'
import type { MeshHealthCheck } from '../../../../src/domain/kuma/objects.ts'
import { type Destination, reachesProxy } from '../../../../src/domain/kuma/target-ref.ts'
import { dataplane, inbound, meshHealthCheck, meshService } from './objects.ts'

interface Rule {
  readonly conf: object
  readonly order: readonly string[]
}
interface Case {
  readonly scenario: string
  readonly policies: readonly {
    readonly name: string
    readonly spec: Pick<MeshHealthCheck, 'targetRef' | 'to'>
  }[]
  readonly merged: Readonly<
    Record<
      string,
      {
        readonly by_service_tag: readonly (Rule & { readonly service: string })[]
        readonly by_resource: readonly (Rule & {
          readonly kind: string
          readonly name: string
          readonly section: string
        })[]
      }
    >
  >
}

const { cases } = JSON.parse(readFileSync('test/vectors/kuma-mhc-merge.json', 'utf8')) as {
  readonly cases: readonly Case[]
}

const ZONE = { 'kuma.io/zone': 'default' }
const PROXIES = [
  dataplane('web-01', {
    labels: { app: 'web' },
    inbounds: [inbound('web', { tags: { 'kuma.io/service': 'web', ...ZONE } })],
  }),
  dataplane('backend-01', {
    inbounds: [inbound('backend', { tags: { 'kuma.io/service': 'backend', ...ZONE } })],
  }),
  dataplane('edge-01', { gateway: { type: 'DELEGATED', tags: { 'kuma.io/service': 'edge', ...ZONE } } }),
]
const API = meshService('api', { ports: [{ name: 'http', port: 80, targetPort: 8080 }] })

/** What applies to a destination: its conf, and the policies from the weakest to the strongest. */
function applied(
  policies: readonly MeshHealthCheck[],
  proxy: (typeof PROXIES)[number],
  to: Destination,
): { readonly conf: object; readonly order: readonly string[] } {
  const contributions = contributionsTo(
    policies.filter(({ targetRef }) => reachesProxy(targetRef, proxy)),
    to,
  )
  return { conf: mergeConfs(contributions).conf, order: contributions.map(({ policy }) => policy.name) }
}

/** The original names a policy once, although several of its entries may have been merged. */
function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)]
}

function destinationOf({ kind, section }: { readonly kind: string; readonly section: string }): Destination {
  if (kind === 'Mesh') return { by: 'resource' }
  const [port] = API.ports
  return section === '' || port === undefined
    ? { by: 'resource', service: API }
    : { by: 'resource', service: API, port }
}

/** Ours is an order, the original's is not: docs/peers/kuma.md 32. */
const OTHER_ORDER = 'Dataplane: none < labels < name'

test('each vector of the original has the same order and the same merged conf', () => {
  assert.equal(cases.length, 10)
  for (const { scenario, policies, merged } of cases) {
    const stored = policies.map(({ name, spec }) => meshHealthCheck(name, spec))
    for (const proxy of PROXIES) {
      const want = merged[proxy.name]
      if (want === undefined || (scenario === OTHER_ORDER && proxy.name === 'web-01')) continue
      for (const rule of want.by_service_tag) {
        // Without a name: references by labels, which the tag of a service never has.
        if (rule.service === '') continue
        const { conf, order } = applied(stored, proxy, { by: 'tag', service: rule.service })
        assert.deepEqual([conf, distinct(order)], [rule.conf, rule.order], `${scenario}: ${proxy.name}`)
      }
      for (const rule of want.by_resource) {
        const { conf, order } = applied(stored, proxy, destinationOf(rule))
        assert.deepEqual(conf, rule.conf, `${scenario}: ${proxy.name}`)
        assert.deepEqual(distinct(order), distinct(rule.order), `${scenario}: ${proxy.name}`)
      }
    }
  }
})

test('a Dataplane without labels and name is weaker than one with labels, and that one weaker than one with a name', () => {
  const scenario = cases.find((each) => each.scenario === OTHER_ORDER)
  assert.ok(scenario !== undefined)
  const stored = scenario.policies.map(({ name, spec }) => meshHealthCheck(name, spec))
  const [web] = PROXIES
  assert.ok(web !== undefined)
  const { conf, order } = applied(stored, web, { by: 'tag', service: 'backend' })
  assert.deepEqual(order, ['a', 'b', 'c'])
  assert.deepEqual(conf, { interval: '3s', timeout: '2s', tcp: {} })
})

test('fields are merged, lists are replaced, and each field names its policy', () => {
  const stored = [
    meshHealthCheck('z', {
      to: [
        {
          targetRef: { kind: 'Mesh' },
          default: { interval: '1s', http: { path: '/z', expectedStatuses: [200, 201] } },
        },
      ],
    }),
    meshHealthCheck('a', {
      to: [
        {
          targetRef: { kind: 'Mesh' },
          default: { http: { expectedStatuses: [204] }, tcp: { disabled: true } },
        },
      ],
    }),
    meshHealthCheck('0', { to: [{ targetRef: { kind: 'Mesh' }, default: { tcp: {} } }] }),
  ]
  assert.deepEqual(mergeConfs(contributionsTo(stored, { by: 'tag', service: 'backend' })), {
    conf: { interval: '1s', http: { path: '/z', expectedStatuses: [204] }, tcp: { disabled: true } },
    from: { interval: 'z', 'http.path': 'z', 'http.expectedStatuses': 'a', 'tcp.disabled': 'a', tcp: '0' },
  })
})

const top = fc.constantFrom<MeshHealthCheck['targetRef']>(
  undefined,
  { kind: 'Mesh' },
  { kind: 'Mesh', proxyTypes: ['Sidecar'] },
  { kind: 'Dataplane' },
  { kind: 'Dataplane', labels: { app: 'web' } },
  { kind: 'Dataplane', name: 'web-01' },
  { kind: 'MeshSubset', tags: { 'kuma.io/service': 'web' } },
  { kind: 'MeshService', name: 'web' },
)
const entry = fc.record({
  targetRef: fc.constantFrom(
    { kind: 'Mesh' },
    { kind: 'MeshService', name: 'backend' },
    { kind: 'MeshService', name: 'db' },
  ),
  default: fc.record(
    { interval: fc.constantFrom('1s', '2s'), timeout: fc.constantFrom('1s', '2s') },
    { requiredKeys: [] },
  ),
})
const policies = fc
  .array(fc.record({ targetRef: top, to: fc.array(entry, { maxLength: 3 }) }), { maxLength: 6 })
  .map((drafts) =>
    drafts.map(({ targetRef, to }, i) =>
      meshHealthCheck(`p${i}`, { ...(targetRef === undefined ? {} : { targetRef }), to }),
    ),
  )

test('the merged conf does not depend on the order in which policies are stored', () => {
  fc.assert(
    fc.property(policies, fc.nat(), (stored, seed) => {
      const shuffled = stored.toSorted(
        (a, b) => ((a.name.charCodeAt(1) * seed) % 7) - ((b.name.charCodeAt(1) * seed) % 7),
      )
      for (const service of ['backend', 'other']) {
        const to = { by: 'tag', service } as const
        assert.deepEqual(mergeConfs(contributionsTo(stored, to)), mergeConfs(contributionsTo(shuffled, to)))
      }
    }),
  )
})

test('one more policy for another service changes nothing', () => {
  const stranger = meshHealthCheck('0', {
    targetRef: { kind: 'MeshService', name: 'web' },
    to: [{ targetRef: { kind: 'MeshService', name: 'nothing' }, default: { interval: '9s', tcp: {} } }],
  })
  fc.assert(
    fc.property(policies, (stored) => {
      const to = { by: 'tag', service: 'backend' } as const
      assert.deepEqual(
        mergeConfs(contributionsTo([stranger, ...stored], to)),
        mergeConfs(contributionsTo(stored, to)),
      )
    }),
  )
})
