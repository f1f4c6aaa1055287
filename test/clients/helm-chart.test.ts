/** The Helm chart: rendered by helm, decoded strictly with the types of Kubernetes. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { parseConfig } from '../../src/runtime/config/config.ts'
import { BUILT, CLIENTS, runClient } from '../support/client-service.ts'
import { folderOfTest } from '../support/folders.ts'

const CHART = 'deploy/helm/healthmonitor'
const DECODER = join(BUILT, 'kubernetes-decode')
/** helm's own default, when it is built from its module, is older than what the chart supports. */
const VERSION = ['--kube-version', '1.33.0']

/** Every optional part of the chart. */
const EVERYTHING = {
  settings: {
    HM_AUTH: 'keystone',
    HM_KEYSTONE_URL: 'https://keystone/v3',
    HM_PAGE_MAX: 100,
    HM_WEBHOOK_ALLOW: '192.0.2.0/24',
    HM_WEBHOOK_DENY: '192.0.2.1, 10.0.0.0/8',
  },
  secret: { ownerUrlKey: 'owner-url', amqpUrlKey: 'amqp-url' },
  tls: { secretName: 'tls' },
  probeFiles: { configMapName: 'files' },
  image: { tag: 'x', pullSecrets: [{ name: 'registry' }] },
  api: {
    settings: { HM_PAGE_MAX: 200 },
    podAnnotations: { a: 'b' },
    nodeSelector: { role: 'control' },
    tolerations: [{ key: 'a', operator: 'Exists' }],
    affinity: { nodeAffinity: {} },
    service: { type: 'LoadBalancer', annotations: { c: 'd' } },
  },
  doors: { kuma: { enabled: true }, greymatter: { enabled: true, port: 5556 } },
  prober: { rawSockets: true, hostNetwork: true, podAnnotations: { a: 'b' } },
  notifier: {
    settings: { HM_AMQP_EXCHANGE: 'octavia', HM_AMQP_TOPICS: 'one,two', HM_AMQP_QUEUES: 'quorum' },
    podAnnotations: { a: 'b' },
    nodeSelector: { role: 'control' },
    tolerations: [{ key: 'a', operator: 'Exists' }],
  },
  networkPolicy: {
    doorsFrom: [{ ipBlock: { cidr: '10.1.0.0/16' } }],
    apiFrom: [{ ipBlock: { cidr: '10.0.0.0/8' } }],
    metricsFrom: [],
    proberEgressExcept: { ipv4: ['10.0.0.0/24'], ipv6: ['fd00::/64'] },
    notifierEgressExcept: { ipv4: ['10.0.0.0/24'], ipv6: ['fd00::/64'] },
  },
}

interface Port {
  readonly name: string
  readonly port?: number
  readonly containerPort?: number
}

interface Container {
  readonly ports?: readonly Port[]
  readonly args: readonly string[]
  readonly command?: readonly string[]
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly securityContext: object
  readonly volumeMounts: readonly { readonly name: string }[]
}

interface Object_ {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: {
    /** Of a Service. */
    readonly ports?: readonly Port[]
    /** Of a NetworkPolicy. */
    readonly ingress?: readonly { readonly ports: readonly Port[]; readonly from?: unknown }[]
    readonly template: {
      readonly metadata: { readonly labels: object }
      readonly spec: {
        readonly containers: readonly Container[]
        readonly volumes: readonly { readonly name: string }[]
      }
    }
  }
}

before(async () => {
  await runClient('go', ['build', '-C', join(CLIENTS, 'kubernetes'), '-o', DECODER, '.'], { GOWORK: 'off' })
})

/** The text of all objects with these values. */
async function rendered(values: object): Promise<string> {
  const file = join(folderOfTest(), 'values.yaml')
  writeFileSync(file, JSON.stringify(values))
  return await runClient('helm', ['template', 'hm', CHART, ...VERSION, '--values', file], {})
}

/** The pods' objects, by the last word of their name. */
function podsOf(text: string): ReadonlyMap<string, Object_> {
  const objects = parseAllDocuments(text).map((document) => document.toJS() as Object_)
  return new Map(
    objects
      .filter(({ kind }) => kind === 'Deployment' || kind === 'Job')
      .map((object) => [object.metadata.name.split('-').at(-1) ?? '', object]),
  )
}

async function decoded(text: string): Promise<readonly string[]> {
  const file = join(folderOfTest(), 'objects.yaml')
  writeFileSync(file, text)
  const said = await runClient('sh', ['-c', '"$0" < "$1"', DECODER, file], {})
  return said.trim().split('\n').toSorted()
}

test('helm lint finds nothing, and refuses values that the chart does not know', async () => {
  await runClient('helm', ['lint', '--strict', CHART], {})
  for (const [values, named] of [
    [{ replicas: 2 }, /replicas/],
    [{ settings: { HM_LISTEN: '0.0.0.0:1' } }, /HM_LISTEN/],
    [{ prober: { replicas: -1 } }, /replicas/],
    [{ settings: { HM_AMQP_URL: 'amqp://u:p@mq' } }, /HM_AMQP_URL/],
    [{ notifier: { rawSockets: true } }, /rawSockets/],
    [{ api: { settings: { HM_KUMA_LISTEN: '0.0.0.0:1' } } }, /HM_KUMA_LISTEN/],
    [{ doors: { contour: { enabled: true } } }, /contour/],
    [{ doors: { kuma: { enabled: true, port: 9876 } } }, /port/],
  ] as const)
    await assert.rejects(rendered(values), named)
})

test('Kubernetes decodes all objects strictly, with the default values and with every part', async () => {
  const objects = [
    'Deployment hm-healthmonitor-api',
    'Deployment hm-healthmonitor-notifier',
    'Deployment hm-healthmonitor-prober',
    'Job hm-healthmonitor-migrate',
    'NetworkPolicy hm-healthmonitor-api',
    'NetworkPolicy hm-healthmonitor-notifier',
    'NetworkPolicy hm-healthmonitor-prober',
    'PodDisruptionBudget hm-healthmonitor-api',
    'PodDisruptionBudget hm-healthmonitor-notifier',
    'PodDisruptionBudget hm-healthmonitor-prober',
    'Service hm-healthmonitor-api',
  ]
  assert.deepEqual(await decoded(await rendered({})), objects)
  assert.deepEqual(await decoded(await rendered(EVERYTHING)), objects)
  const off = { migrate: { enabled: false }, networkPolicy: { enabled: false }, prometheusAnnotations: false }
  assert.deepEqual(
    await decoded(await rendered(off)),
    objects.filter((name) => !/^(Job|NetworkPolicy)/.test(name)),
  )
  const misspelt = (await rendered({})).replace('readOnlyRootFilesystem', 'readonlyRootFilesystem')
  await assert.rejects(decoded(misspelt), /unknown field.*readonlyRootFilesystem/)
})

test('containers get settings that the service accepts, and only what they mount', async () => {
  for (const [name, { spec }] of podsOf(await rendered(EVERYTHING))) {
    const { containers, volumes } = spec.template.spec
    const [container] = containers
    assert.ok(container !== undefined && container.args[0] === name, name)
    const env = Object.fromEntries(container.env.map((each) => [each.name, each.value]))
    assert.equal(env['HM_PAGE_MAX'], name === 'api' ? '200' : '100')
    assert.equal(
      env['DATABASE_URL_FILE'],
      `/etc/healthmonitor/secret/${name === 'migrate' ? 'owner-url' : 'database-url'}`,
    )
    assert.equal(
      env['HM_AMQP_URL_FILE'],
      name === 'notifier' ? '/etc/healthmonitor/secret/amqp-url' : undefined,
      'only the notifier knows where RabbitMQ is',
    )
    const { DATABASE_URL_FILE: _, HM_KEYSTONE_PASSWORD_FILE: __, HM_AMQP_URL_FILE: ___, ...plain } = env
    const account = { HM_KEYSTONE_PASSWORD: 'x', HM_KEYSTONE_USERNAME: 'x', HM_KEYSTONE_PROJECT: 'x' }
    const config = parseConfig({ ...plain, ...account, HM_AMQP_URL: 'amqp://mq' })
    assert.deepEqual([config.webhookAllow.length, config.webhookDeny.length], [1, 2])
    if (name === 'notifier') assert.deepEqual(config.amqp?.topics, ['one', 'two'])
    assert.deepEqual(
      container.volumeMounts.map((mount) => mount.name),
      volumes.map((volume) => volume.name),
    )
  }
})

test('listeners of doors are ports of the API alone, in its Service, and reached by those who may', async () => {
  const text = await rendered(EVERYTHING)
  for (const [name, { spec }] of podsOf(text)) {
    const [container] = spec.template.spec.containers
    const listeners = container?.env.filter((each) => /^HM_(KUMA|GREYMATTER)_LISTEN$/.test(each.name)) ?? []
    const expected = name === 'api' ? ['0.0.0.0:5556', '0.0.0.0:5681'] : []
    assert.deepEqual(
      listeners.map(({ value }) => value),
      expected,
      name,
    )
  }
  const ports = ['api', 'greymatter', 'kuma']
  const [container] = podsOf(text).get('api')?.spec.template.spec.containers ?? []
  assert.deepEqual(
    container?.ports
      ?.map((port) => port.name)
      .filter((name) => name !== 'metrics')
      .toSorted(),
    ports,
  )
  const objects = parseAllDocuments(text).map((document) => document.toJS() as Object_)
  const service = objects.find(({ kind }) => kind === 'Service')
  assert.deepEqual(service?.spec.ports?.map(({ name }) => name).toSorted(), ports)
  const policy = objects.find(
    ({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name.endsWith('-api'),
  )
  const from = policy?.spec.ingress?.map((rule) => [
    rule.ports.map(({ port }) => port),
    JSON.stringify(rule.from),
  ])
  const [api, doors] = ['10.0.0.0/8', '10.1.0.0/16'].map((cidr) => JSON.stringify([{ ipBlock: { cidr } }]))
  assert.deepEqual(from, [
    [[9876], api],
    [[5556], doors],
    [[5681], doors],
  ])
  const off = await rendered({})
  assert.doesNotMatch(off, /HM_KUMA_LISTEN|HM_GREYMATTER_LISTEN|5681|5555/)
})

test('only a prober with raw sockets may gain a capability', async () => {
  const locked = {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  }
  const contextsOf = async (values: object) =>
    new Map(
      [...podsOf(await rendered(values))].map(([name, { spec }]) => [
        name,
        spec.template.spec.containers[0]?.securityContext,
      ]),
    )
  for (const [name, context] of await contextsOf({})) assert.deepEqual(context, locked, name)
  const raw = await contextsOf({ prober: { rawSockets: true } })
  assert.deepEqual(raw.get('api'), locked)
  assert.deepEqual(raw.get('notifier'), locked)
  assert.deepEqual(raw.get('prober'), {
    allowPrivilegeEscalation: true,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'], add: ['NET_RAW'] },
  })
})
