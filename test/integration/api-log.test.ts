/** The lines that the API writes about requests, and its audit. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCidrList } from '../../src/domain/address/ip-address.ts'
import type { Ending } from '../support/database.ts'
import { startApi } from '../support/api.ts'

interface Line {
  readonly level: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

async function loggedApi(t: Ending) {
  const lines: Line[] = []
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, message, fields: fields as Line['fields'] })
  const api = await startApi(t, {
    log: { debug: at('debug'), info: at('info'), error: at('error') },
    trustedProxies: parseCidrList('127.0.0.0/8'),
    identity: {
      identify: () => ({
        projectId: 'project-a',
        assumed: false,
        scope: 'project',
        roles: ['admin'],
        confined: false,
        userId: 'user-a',
      }),
    },
  })
  const of = (message: string) => lines.filter((line) => line.message === message)
  return { api, lines, requests: () => of('request'), audits: () => of('audit').map(({ fields }) => fields) }
}

test('a request is logged with the path as it was sent, its dialect, its client and its user; probes of life at debug', async (t) => {
  const { api, requests } = await loggedApi(t)
  await api.request('GET', '/load-balancer/v2.0/lbaas//pools?name=x', undefined, {
    'x-forwarded-for': '203.0.113.9',
  })
  await api.request('GET', '/v2.0/lbaas/pools')
  const [octavia, elb] = requests()
  const { ms, req_id, ...told } = octavia?.fields ?? {}
  assert.equal(typeof ms, 'number')
  assert.match(String(req_id), /^req-/)
  assert.deepEqual(told, {
    project_id: 'project-a',
    user_id: 'user-a',
    client: '203.0.113.9',
    dialect: 'octavia',
    method: 'GET',
    path: '/load-balancer/v2.0/lbaas//pools',
    status: 200,
  })
  assert.equal(elb?.fields['dialect'], 'elb')
  assert.equal(elb?.fields['client'], '127.0.0.1')
  for (const path of ['/livez', '/healthcheck']) await api.request('GET', path)
  assert.deepEqual(
    requests().map(({ level }) => level),
    ['info', 'info', 'debug', 'debug'],
  )
})

test('every write that succeeded has a line of audit: who, what, and the names of fields, never a value', async (t) => {
  const { api, audits, lines } = await loggedApi(t)
  const base = '/load-balancer/v2.0/lbaas'
  const secret = 'value-that-nobody-logs'
  const created = await api.request('POST', `${base}/loadbalancers`, {
    loadbalancer: { name: secret, vip_subnet_id: '11111111-1111-4111-8111-111111111111' },
  })
  assert.equal(created.status, 201)
  const id = created.body.loadbalancer.id as string
  const pool = await api.request('POST', `${base}/pools`, {
    pool: { name: secret, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', loadbalancer_id: id },
  })
  const poolId = pool.body.pool.id as string
  // The name is sent again as it is: only the algorithm changes.
  await api.request('PUT', `${base}/pools/${poolId}`, {
    pool: { name: secret, lb_algorithm: 'LEAST_CONNECTIONS' },
  })
  const members = [1, 2].map((n) => ({ address: `10.0.0.${n}`, protocol_port: 80, name: secret }))
  assert.equal((await api.request('PUT', `${base}/pools/${poolId}/members`, { members })).status, 202)
  await api.request('DELETE', `${base}/pools/${poolId}`)
  // Refused, unknown, and read: none of them wrote anything.
  await api.request('POST', `${base}/pools`, { pool: { protocol: secret } })
  await api.request('DELETE', `${base}/pools/${poolId}`)
  await api.request('GET', `${base}/loadbalancers/${id}`)

  const told = audits().map(({ operation, object, object_id, fields, count }) => ({
    operation,
    object,
    object_id,
    fields,
    count,
  }))
  assert.deepEqual(told, [
    {
      operation: 'create',
      object: 'loadbalancers',
      object_id: id,
      fields: ['name', 'vip_subnet_id'],
      count: undefined,
    },
    {
      operation: 'create',
      object: 'pools',
      object_id: poolId,
      fields: ['name', 'protocol', 'lb_algorithm', 'loadbalancer_id'],
      count: undefined,
    },
    { operation: 'update', object: 'pools', object_id: poolId, fields: ['lb_algorithm'], count: undefined },
    {
      operation: 'update',
      object: 'members',
      object_id: poolId,
      fields: ['address', 'protocol_port', 'name'],
      count: 2,
    },
    { operation: 'delete', object: 'pools', object_id: poolId, fields: undefined, count: undefined },
  ])
  for (const line of audits()) {
    assert.equal(line['user_id'], 'user-a')
    assert.equal(line['project_id'], 'project-a')
    assert.equal(line['client'], '127.0.0.1')
    assert.match(String(line['req_id']), /^req-/)
  }
  assert.ok(!JSON.stringify(lines).includes(secret))
})

test('of an update the audit names the attributes that changed, as the API calls them, and of a batch its members', async (t) => {
  const { api, audits } = await loggedApi(t)
  const octavia = '/load-balancer/v2.0/lbaas'
  const elb = '/v2.0/lbaas'
  const lb = (
    await api.request('POST', `${octavia}/loadbalancers`, {
      loadbalancer: { vip_subnet_id: '11111111-1111-4111-8111-111111111111' },
    })
  ).body.loadbalancer.id as string
  const pool = (
    await api.request('POST', `${octavia}/pools`, {
      pool: { protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', loadbalancer_id: lb },
    })
  ).body.pool.id as string
  const monitor = (
    await api.request('POST', `${octavia}/healthmonitors`, {
      healthmonitor: { pool_id: pool, type: 'HTTP', delay: 10, timeout: 5, max_retries: 3 },
    })
  ).body.healthmonitor.id as string
  const updates: readonly (readonly [string, string, object])[] = [
    [
      `${octavia}/loadbalancers/${lb}`,
      'loadbalancer',
      { name: 'x', description: '', vip_qos_policy_id: pool },
    ],
    [`${octavia}/pools/${pool}`, 'pool', { name: '', tls_enabled: true }],
    [`${octavia}/healthmonitors/${monitor}`, 'healthmonitor', { delay: 20, timeout: 5, max_retries: 4 }],
    [`${elb}/healthmonitors/${monitor}`, 'healthmonitor', { delay: 30, max_retries: 4, url_path: '/up' }],
    [`${elb}/healthmonitors/${monitor}`, 'healthmonitor', { delay: 30 }],
  ]
  for (const [path, name, attributes] of updates) {
    const answer = await api.request('PUT', path, { [name]: attributes })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
  }
  const member = { address: '10.0.0.1', protocol_port: 80, subnet_id: '11111111-1111-4111-8111-111111111111' }
  const batch = await api.request('PUT', `${elb}/pools/${pool}/members`, { action: 'add', members: [member] })
  assert.equal(batch.status, 202, JSON.stringify(batch.body))
  assert.deepEqual(
    audits()
      .filter(({ operation }) => operation === 'update')
      .map(({ fields, count }) => [fields, count]),
    [
      [['name', 'vip_qos_policy_id'], undefined],
      [['tls_enabled'], undefined],
      [['delay', 'max_retries'], undefined],
      [['delay', 'url_path'], undefined],
      [undefined, undefined],
      [['address', 'protocol_port', 'subnet_id'], 1],
    ],
  )
})

test('a dry run is a request and no line of audit; what it tried is one when it is done', async (t) => {
  const { api, audits, requests } = await loggedApi(t)
  const path = '/greymatter/v1.0/_apply'
  const objects = [{ zone_key: 'z1', name: 'first' }]
  for (const query of ['?dry_run=true', '?dry_run=false', ''])
    assert.equal((await api.request('PUT', `${path}${query}`, { objects })).status, 200)
  assert.equal(requests().length, 3)
  assert.deepEqual(
    audits().map(({ operation, object, fields, count }) => ({ operation, object, fields, count })),
    [1, 2].map(() => ({ operation: 'update', object: '_apply', fields: ['zone_key', 'name'], count: 1 })),
  )
})
