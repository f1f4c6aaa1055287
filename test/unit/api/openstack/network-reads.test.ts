import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import Koa from 'koa'
import type { ApiDependencies, ApiState } from '../../../../src/api/http/context.ts'
import { networkReads } from '../../../../src/api/openstack/network-reads.ts'
import { noIdentity } from '../../../../src/identity/no-identity.ts'

const ID = '7C4F6D3A-2C1E-4F0A-9B53-0D6F3F1C9A11'
const SHOWN = ID.toLowerCase()

/** A server that has only the reads of the network API, of project `mine`; status and body of a GET or of another method. */
async function reading(t: TestContext, settings: Partial<ApiDependencies['settings']> = {}) {
  const silent = { debug: () => undefined, info: () => undefined, error: () => undefined }
  const deps = {
    identify: noIdentity('mine'),
    log: silent,
    settings: {
      networkReads: true,
      loopbackHostsOnly: true,
      trustedProxies: [],
      rbac: 'both',
      ...settings,
    },
  } as unknown as ApiDependencies
  const app = new Koa<ApiState>()
  app.use(networkReads(deps))
  app.use((ctx) => {
    ctx.body = { elsewhere: true }
  })
  const server = app.listen(0, '127.0.0.1')
  await new Promise((listening) => server.once('listening', listening))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  return async (path: string, method = 'GET') => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method })
    return [answer.status, (await answer.json()) as Record<string, unknown>] as const
  }
}

/** What all made-up objects have. */
const common = (id: string, name: string) => ({
  id,
  name,
  tenant_id: 'mine',
  project_id: 'mine',
  description: '',
  tags: [],
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
  revision_number: 0,
})
const NETWORK_OF_ID = 'bb5a325d-4727-4fc9-8c6a-5a86d21e0e11'

test('a subnet, a network and a port have what Neutron shows of them', async (t) => {
  const get = await reading(t)
  assert.deepEqual(await get(`/v2.0/subnets/${ID}`), [
    200,
    {
      subnet: {
        ...common(SHOWN, ''),
        network_id: NETWORK_OF_ID,
        ip_version: 4,
        cidr: '192.0.2.0/24',
        gateway_ip: '192.0.2.1',
        allocation_pools: [{ start: '192.0.2.2', end: '192.0.2.254' }],
        dns_nameservers: [],
        host_routes: [],
        enable_dhcp: true,
        ipv6_address_mode: null,
        ipv6_ra_mode: null,
        subnetpool_id: null,
        service_types: [],
      },
    },
  ])
  assert.deepEqual(await get(`/v2.0/networks/${ID}`), [
    200,
    {
      network: {
        ...common(SHOWN, ''),
        admin_state_up: true,
        status: 'ACTIVE',
        shared: false,
        mtu: 1500,
        subnets: [],
        port_security_enabled: true,
        'router:external': false,
        availability_zones: [],
        availability_zone_hints: [],
      },
    },
  ])
  assert.deepEqual(await get(`/v2.0/ports/${ID}`), [
    200,
    {
      port: {
        ...common(SHOWN, ''),
        network_id: NETWORK_OF_ID,
        admin_state_up: true,
        status: 'ACTIVE',
        mac_address: 'fa:16:3e:00:00:01',
        fixed_ips: [],
        device_id: '',
        device_owner: '',
        security_groups: [],
        allowed_address_pairs: [],
        extra_dhcp_opts: [],
        port_security_enabled: true,
        'binding:vnic_type': 'normal',
      },
    },
  ])
})

test('a name has the same id in every version of the service, another one for each kind of object', async (t) => {
  const get = await reading(t)
  const idOf = async (collection: string, query: string) => {
    const [, body] = await get(`/v2.0/${collection}?${query}`)
    return (body[collection] as { id: string; name: string }[]).map(({ id, name }) => `${id} ${name}`)
  }
  assert.deepEqual(await idOf('subnets', 'name=web'), ['582f1c36-116f-4cae-8265-e4e4b35fdd76 web'])
  assert.deepEqual(await idOf('networks', 'name=web'), ['19e72afb-9d8e-45e5-85a4-d325b9caf60f web'])
  assert.deepEqual(await idOf('ports', 'name=web&name=&name=db'), [
    '54ea730d-81f2-4d48-8139-f058558d7459 web',
    '6b383712-9980-4859-8139-59e66618f9e0 db',
  ])
  assert.deepEqual(await idOf('subnets', `id=${ID}&id=no-id`), [`${SHOWN} `])
  assert.deepEqual(await idOf('subnets', `id=${ID}&name=web`), [`${SHOWN} web`])
  assert.deepEqual(await idOf('subnets', 'id=no-id&name=web'), [])
})

test('of what there is none, lists are empty and one is not found; a long id is cut in the message', async (t) => {
  const get = await reading(t)
  assert.deepEqual(await get('/v2.0/floatingips?port_id=x'), [200, { floatingips: [] }])
  assert.deepEqual(await get('/load-balancer/v2/security-groups'), [200, { security_groups: [] }])
  const missing = async (path: string) => {
    const [status, { NeutronError: error }] = await get(path)
    return [status, (error as { message: string }).message]
  }
  assert.deepEqual(await missing('/v2.0/floatingips/x'), [404, 'Floating IP x could not be found'])
  const long = 'x'.repeat(300)
  assert.deepEqual(await missing(`/v2.0/security-groups/${long}`), [
    404,
    `Security group ${long.slice(0, 255)} could not be found`,
  ])
  assert.deepEqual(await missing('/v2.0/subnets/no-id'), [404, 'subnet no-id could not be found.'])
})

test('only reads are answered, only below the paths of the network API, and only where they are on', async (t) => {
  const get = await reading(t)
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'])
    assert.equal((await get(`/v2.0/subnets/${ID}`, method))[0], 405, method)
  for (const path of [
    '/v2.0/routers',
    '/v2.0/subnets/a/b',
    '/v1/subnets',
    '/elb/v2.0/subnets',
    '/v2.0/subnetsx',
  ])
    assert.deepEqual(await get(path), [200, { elsewhere: true }], path)
  const off = await reading(t, { networkReads: false })
  assert.deepEqual(await off(`/v2.0/subnets/${ID}`), [200, { elsewhere: true }])
})
