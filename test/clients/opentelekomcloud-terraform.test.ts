/**
 * The calls of the opentelekomcloud Terraform provider, in its order, against the whole program with nothing else
 * installed: apply, a plan that finds nothing to change, change, plan, destroy. A walk and not the provider itself:
 * neither it nor its SDK could be had from the Go module proxy. What it reads from each answer:
 * docs/peers/elb.md 8 to 11.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { Json } from '../support/api.ts'
import { folderOfTest } from '../support/folders.ts'
import { startService } from '../support/service.ts'

const PROJECT = 'eu-de_demo'
const REGION = 'eu-de'

/** One start of the provider: two logins, and everything else with the token of the project. */
interface Provider {
  readonly projectId: string
  /** Sends one call to the `elb` endpoint (`v2.0/` appended), or to `elbv3` when the path says so. */
  readonly call: (method: string, path: string, statuses: readonly number[], body?: unknown) => Promise<Json>
}

async function send(url: string, method: string, headers: Record<string, string>, body: unknown) {
  const answer = await fetch(url, {
    method,
    headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  return {
    status: answer.status,
    headers: answer.headers,
    body: text === '' ? undefined : (JSON.parse(text) as Json),
  }
}

async function login(authUrl: string, scope: unknown): Promise<{ token: Json; id: string }> {
  const user = { name: 'admin', password: 'any', domain: { name: 'OTC000' } }
  const body = { auth: { identity: { methods: ['password'], password: { user } }, scope } }
  const answer = await send(`${authUrl}/auth/tokens`, 'POST', {}, body)
  assert.equal(answer.status, 201)
  const { token } = answer.body
  assert.match(token.expires_at, /Z$/)
  assert.match(token.issued_at, /Z$/)
  assert.ok(token.user.id && token.user.domain.id && Array.isArray(token.roles))
  return { token, id: answer.headers.get('x-subject-token') ?? assert.fail('no token') }
}

/** Public address of a catalogue entry in the region of OS_REGION_NAME, with a slash at its end. */
function endpoint(token: Json, type: string): string {
  const entry = token.catalog.find((service: Json) => service.type === type) ?? assert.fail(`no ${type}`)
  const found = entry.endpoints.filter((one: Json) => one.interface === 'public' && one.region === REGION)
  assert.equal(found.length, 1, `${type} in ${REGION}`)
  return `${found[0].url.replace(/\/$/, '')}/`
}

async function configure(authUrl: string): Promise<Provider> {
  const domain = { name: 'OTC000' }
  const { token, id } = await login(authUrl, { project: { name: PROJECT, domain } })
  const ofDomain = await login(authUrl, { domain })
  assert.equal(ofDomain.token.domain.name, domain.name)
  assert.equal(token.project.name, PROJECT)
  const elb = `${endpoint(token, 'elb').replace(/v1\.0\/$/, '')}v2.0/`
  const elbv3 = `${endpoint(token, 'elbv3')}elb/`
  return {
    projectId: token.project.id,
    call: async (method, path, statuses, body) => {
      const url = path.startsWith('elbv3/') ? elbv3 + path.slice('elbv3/'.length) : elb + path
      const answer = await send(url, method, { 'x-auth-token': id }, body)
      assert.ok(
        statuses.includes(answer.status),
        `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`,
      )
      return answer.body
    },
  }
}

const READ = [200]
const CREATED = [201]
const UPDATED = [200, 202]
const DELETED = [202, 204]

type Tags = readonly { readonly key: string; readonly value: string }[]

async function waitForActive({ call }: Provider, id: string): Promise<void> {
  const { loadbalancer } = await call('GET', `lbaas/loadbalancers/${id}`, READ)
  assert.equal(loadbalancer.provisioning_status, 'ACTIVE')
}

async function tagAction(provider: Provider, path: string, action: string, tags: Tags): Promise<void> {
  const body = { action, tags }
  await provider.call('POST', `${provider.projectId}/${path}/tags/action`, [200, 204], body)
}

async function readTags(provider: Provider, path: string): Promise<Tags> {
  const { tags } = await provider.call('GET', `${provider.projectId}/${path}/tags`, [200, 202])
  assert.ok(Array.isArray(tags))
  return tags
}

async function readLoadBalancer(provider: Provider, id: string): Promise<Json> {
  const { loadbalancer } = await provider.call('GET', `lbaas/loadbalancers/${id}`, READ)
  return { ...pick(loadbalancer, LOAD_BALANCER_KEYS), tags: await readTags(provider, `loadbalancers/${id}`) }
}

async function readListener(provider: Provider, id: string): Promise<Json> {
  const { listener } = await provider.call('GET', `lbaas/listeners/${id}`, READ)
  const { listener: third } = await provider.call('GET', `elbv3/listeners/${id}`, READ)
  assert.equal(typeof third.transparent_client_ip_enable, 'boolean')
  assert.equal(third.ipgroup, null)
  assert.ok(listener.loadbalancers[0].id)
  return { ...pick(listener, LISTENER_KEYS), tags: await readTags(provider, `listeners/${id}`) }
}

async function readPool({ call }: Provider, id: string): Promise<Json> {
  const { pool } = await call('GET', `lbaas/pools/${id}`, READ)
  return pick(pool, ['lb_algorithm', 'protocol', 'description', 'tenant_id', 'admin_state_up', 'name'])
}

async function readMonitor({ call }: Provider, id: string): Promise<Json> {
  const { healthmonitor } = await call('GET', `lbaas/healthmonitors/${id}`, READ)
  for (const key of ['delay', 'timeout', 'max_retries']) assert.ok(Number.isInteger(healthmonitor[key]), key)
  return pick(healthmonitor, MONITOR_KEYS)
}

async function readMember({ call }: Provider, path: string): Promise<Json> {
  const { member } = await call('GET', path, READ)
  return pick(member, MEMBER_KEYS)
}

const LOAD_BALANCER_KEYS =
  'name description vip_subnet_id tenant_id vip_address vip_port_id admin_state_up provider'.split(' ')
const LISTENER_KEYS = (
  'protocol protocol_port tenant_id name default_pool_id description http2_enable default_tls_container_ref ' +
  'client_ca_tls_container_ref sni_container_refs tls_ciphers_policy admin_state_up'
).split(' ')
const MONITOR_KEYS =
  'tenant_id type delay timeout max_retries url_path http_method expected_codes admin_state_up name monitor_port domain_name'.split(
    ' ',
  )
const MEMBER_KEYS = 'name weight admin_state_up tenant_id subnet_id address protocol_port'.split(' ')

function pick(object: Json, keys: readonly string[]): Json {
  return Object.fromEntries(keys.map((key) => [key, object[key] ?? null]))
}

/** What the provider asks before and after each write on a member or monitor: which load balancer to wait for. */
async function loadBalancerOf({ call }: Provider, poolId: string): Promise<string> {
  const { pool } = await call('GET', `lbaas/pools/${poolId}`, READ)
  if (pool.loadbalancers !== null) return pool.loadbalancers[0].id
  const { listener } = await call('GET', `lbaas/listeners/${pool.listeners[0].id}`, READ)
  return listener.loadbalancers[0].id
}

async function underPool<T>(provider: Provider, poolId: string, write: () => Promise<T>): Promise<T> {
  await waitForActive(provider, await loadBalancerOf(provider, poolId))
  const result = await write()
  await waitForActive(provider, await loadBalancerOf(provider, poolId))
  return result
}

interface Pool {
  readonly id: string
  readonly monitorId: string
  readonly monitor: Json
  readonly members: readonly string[]
}

interface PoolPlan {
  readonly parent: Record<string, string>
  readonly protocol: string
  readonly monitor: Json
  readonly addresses: readonly string[]
}

const SUBNET = randomUUID()

async function createPool(provider: Provider, plan: PoolPlan): Promise<Pool> {
  const { call } = provider
  const { parent, protocol } = plan
  const body = {
    ...parent,
    protocol,
    lb_algorithm: 'ROUND_ROBIN',
    name: `pool-${protocol}`,
    admin_state_up: true,
  }
  const { pool } = await call('POST', 'lbaas/pools', CREATED, { pool: body })
  await waitForActive(provider, await loadBalancerOf(provider, pool.id))
  await readPool(provider, pool.id)
  const createMonitor = underPool(provider, pool.id, async () => {
    const healthmonitor = { ...plan.monitor, pool_id: pool.id, admin_state_up: true }
    return (await call('POST', 'lbaas/healthmonitors', CREATED, { healthmonitor })).healthmonitor.id as string
  })
  const createMembers = plan.addresses.map((address) =>
    underPool(provider, pool.id, async () => {
      const member = { address, protocol_port: 8080, subnet_id: SUBNET, weight: 1, admin_state_up: true }
      const created = await call('POST', `lbaas/pools/${pool.id}/members`, CREATED, { member })
      return `lbaas/pools/${pool.id}/members/${created.member.id}`
    }),
  )
  // Ten at a time is Terraform's default, and the provider does not serialise them.
  const [monitorId, ...members] = await Promise.all([createMonitor, ...createMembers])
  return { id: pool.id, monitorId, monitor: plan.monitor, members }
}

/** What a plan reads: every object as the provider would keep it in its state. */
async function refresh(provider: Provider, stack: Stack): Promise<Json> {
  return {
    loadbalancer: await readLoadBalancer(provider, stack.loadBalancerId),
    listeners: await Promise.all(stack.listeners.map((id) => readListener(provider, id))),
    pools: await Promise.all(stack.pools.map(({ id }) => readPool(provider, id))),
    monitors: await Promise.all(stack.pools.map(({ monitorId }) => readMonitor(provider, monitorId))),
    members: await Promise.all(
      stack.pools.flatMap(({ members }) => members.map((path) => readMember(provider, path))),
    ),
  }
}

interface Stack {
  readonly loadBalancerId: string
  readonly listeners: readonly string[]
  readonly pools: readonly Pool[]
}

async function apply(provider: Provider): Promise<Stack> {
  const { call } = provider
  const loadbalancer = { name: 'lb', vip_subnet_id: SUBNET, admin_state_up: true }
  const { id } = (await call('POST', 'lbaas/loadbalancers', CREATED, { loadbalancer })).loadbalancer
  await waitForActive(provider, id)
  await tagAction(provider, `loadbalancers/${id}`, 'create', [{ key: 'muh', value: 'kuh' }])
  await readLoadBalancer(provider, id)
  const listeners = await Promise.all(
    ['TCP', 'UDP'].map(async (protocol, index) => {
      await waitForActive(provider, id)
      const body = {
        protocol,
        protocol_port: 8080 + index,
        loadbalancer_id: id,
        name: `listener-${protocol}`,
        http2_enable: false,
        admin_state_up: true,
      }
      const { listener } = await call('POST', 'lbaas/listeners', CREATED, { listener: body })
      await waitForActive(provider, id)
      await tagAction(provider, `listeners/${listener.id}`, 'create', [{ key: 'a', value: 'b' }])
      await readListener(provider, listener.id)
      return listener.id as string
    }),
  )
  const timing = { delay: 20, timeout: 10, max_retries: 5 }
  const http = { url_path: '/status.php', http_method: 'GET', expected_codes: '200', name: 'web' }
  const pools = await Promise.all(
    [
      {
        parent: { listener_id: listeners[0] ?? '' },
        protocol: 'TCP',
        monitor: { type: 'TCP', ...timing, monitor_port: 112, domain_name: 'www.test.com' },
        addresses: ['192.168.0.10', '192.168.0.11'],
      },
      {
        parent: { listener_id: listeners[1] ?? '' },
        protocol: 'UDP',
        monitor: { type: 'UDP_CONNECT', ...timing },
        addresses: ['192.168.0.12'],
      },
      {
        parent: { loadbalancer_id: id },
        protocol: 'HTTP',
        monitor: { type: 'HTTP', ...timing, ...http },
        addresses: ['192.168.0.13'],
      },
    ].map((plan) => createPool(provider, plan)),
  )
  return { loadBalancerId: id, listeners, pools }
}

async function change(provider: Provider, stack: Stack): Promise<void> {
  const { call } = provider
  const { loadBalancerId: id } = stack
  await call('PUT', `lbaas/loadbalancers/${id}`, UPDATED, { loadbalancer: {} })
  await waitForActive(provider, id)
  await tagAction(provider, `loadbalancers/${id}`, 'delete', [{ key: 'muh', value: 'kuh' }])
  await tagAction(provider, `loadbalancers/${id}`, 'create', [{ key: 'foo', value: 'bar' }])
  for (const listener of stack.listeners) {
    await call('PUT', `lbaas/listeners/${listener}`, UPDATED, { listener: { description: 'changed' } })
  }
  await Promise.all(
    stack.pools.flatMap((pool) => [
      underPool(provider, pool.id, async () => {
        const healthmonitor = { name: 'renamed', delay: 30, timeout: 15, max_retries: 10, monitor_port: 120 }
        await call('PUT', `lbaas/healthmonitors/${pool.monitorId}`, UPDATED, { healthmonitor })
      }),
      ...pool.members.map((path) =>
        underPool(provider, pool.id, () => call('PUT', path, UPDATED, { member: { weight: 0 } })),
      ),
    ]),
  )
  // Of a pool, 200 alone will do.
  await call('PUT', `lbaas/pools/${stack.pools[0]?.id}`, READ, {
    pool: { lb_algorithm: 'LEAST_CONNECTIONS' },
  })
}

async function destroy(provider: Provider, stack: Stack): Promise<void> {
  const { call } = provider
  const gone = (path: string) => call('GET', path, [404])
  await Promise.all(
    stack.pools.flatMap((pool) => [
      underPool(provider, pool.id, () => call('DELETE', `lbaas/healthmonitors/${pool.monitorId}`, DELETED)),
      ...pool.members.map((path) => underPool(provider, pool.id, () => call('DELETE', path, DELETED))),
    ]),
  )
  for (const { id } of stack.pools) {
    await waitForActive(provider, stack.loadBalancerId)
    await call('DELETE', `lbaas/pools/${id}`, DELETED)
    await gone(`lbaas/pools/${id}`)
  }
  for (const id of stack.listeners) {
    await waitForActive(provider, stack.loadBalancerId)
    await call('DELETE', `lbaas/listeners/${id}`, DELETED)
    await gone(`lbaas/listeners/${id}`)
  }
  await call('DELETE', `lbaas/loadbalancers/${stack.loadBalancerId}`, DELETED)
  await gone(`lbaas/loadbalancers/${stack.loadBalancerId}`)
}

test('apply, plan, change, plan and destroy of the OTC provider: every answer is what it waits for and reads', async (t) => {
  const dir = folderOfTest()
  const service = await startService(t, dir)
  const authUrl = `${service.api}/identity/v3`
  const stack = await apply(await configure(authUrl))
  const planned = await refresh(await configure(authUrl), stack)
  assert.deepEqual(planned.loadbalancer.tags, [{ key: 'muh', value: 'kuh' }])
  assert.deepEqual(
    planned.listeners.map((listener: Json) => [listener.http2_enable, listener.default_pool_id]),
    stack.listeners.map((_, index) => [false, stack.pools[index]?.id]),
  )
  for (const [index, { monitor }] of stack.pools.entries()) {
    const read = planned.monitors[index]
    assert.deepEqual({ ...read, ...monitor }, read, 'a plan after the apply finds a difference')
  }
  for (const member of planned.members) assert.deepEqual([member.weight, member.admin_state_up], [1, true])

  await change(await configure(authUrl), stack)
  const provider = await configure(authUrl)
  const changed = await refresh(provider, stack)
  assert.deepEqual(changed.loadbalancer.tags, [{ key: 'foo', value: 'bar' }])
  for (const monitor of changed.monitors) {
    assert.deepEqual(
      [monitor.name, monitor.delay, monitor.timeout, monitor.max_retries, monitor.monitor_port],
      ['renamed', 30, 15, 10, 120],
    )
  }
  assert.equal(changed.monitors[0].domain_name, 'www.test.com')
  assert.equal(changed.pools[0].lb_algorithm, 'LEAST_CONNECTIONS')
  for (const member of changed.members) assert.equal(member.weight, 0)
  for (const listener of changed.listeners) assert.equal(listener.description, 'changed')

  await destroy(await configure(authUrl), stack)
})
