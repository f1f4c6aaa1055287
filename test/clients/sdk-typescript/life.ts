/** A life cycle through the generated client, once in each dialect; prints what it did, fails with a throw. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import createClient from 'openapi-fetch'
import type { paths } from './api.js'

const base = process.argv[2]
if (base === undefined) throw new Error('usage: life.js BASE_URL')
const client = createClient<paths>({ baseUrl: base })
let calls = 0

/** What came back; a refusal ends the run. */
function taken<Data>(answer: { data?: Data; error?: unknown; response: Response }): Data {
  calls++
  if (answer.error !== undefined || !answer.response.ok) {
    throw new Error(`${answer.response.url} → ${answer.response.status} ${JSON.stringify(answer.error)}`)
  }
  return answer.data as Data
}

const SUBNET = '823d5866-6e30-45c2-9b1a-a1ebc3757fdb'
// Probes end with a reset.
const server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1')
await once(server, 'listening')
const target = { address: '127.0.0.1', protocol_port: (server.address() as AddressInfo).port }

/** Until the service has found the member, a listener of this program, alive. */
async function waitFor(status: () => Promise<string>): Promise<void> {
  const until = performance.now() + 60_000
  let last = ''
  while (performance.now() < until) {
    if ((last = await status()) === 'ONLINE') return
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error(`the member stayed ${last}`)
}

async function elb(): Promise<void> {
  const { loadbalancer } = taken(
    await client.POST('/elb/v2.0/lbaas/loadbalancers', { body: { loadbalancer: { vip_subnet_id: SUBNET } } }),
  )
  const { listener } = taken(
    await client.POST('/elb/v2.0/lbaas/listeners', {
      body: { listener: { loadbalancer_id: loadbalancer.id, protocol: 'HTTP', protocol_port: 80 } },
    }),
  )
  const { pool } = taken(
    await client.POST('/elb/v2.0/lbaas/pools', {
      body: { pool: { listener_id: listener.id, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' } },
    }),
  )
  const { healthmonitor } = taken(
    await client.POST('/elb/v2.0/lbaas/healthmonitors', {
      body: { healthmonitor: { pool_id: pool.id, type: 'TCP', delay: 1, timeout: 1, max_retries: 1 } },
    }),
  )
  const inPool = { params: { path: { pool_id: pool.id } } }
  const { member } = taken(
    await client.POST('/elb/v2.0/lbaas/pools/{pool_id}/members', {
      ...inPool,
      body: { member: { ...target, subnet_id: SUBNET } },
    }),
  )
  const one = { params: { path: { pool_id: pool.id, member_id: member.id } } }
  await waitFor(async () => {
    const answer = taken(await client.GET('/elb/v2.0/lbaas/pools/{pool_id}/members/{member_id}', one))
    return answer.member.operating_status
  })
  const { health } = taken(
    await client.GET('/elb/v2.0/lbaas/pools/{pool_id}/members/{member_id}/health', one),
  )
  if (health.reason !== 'PASSED') throw new Error(`reason ${health.reason}`)
  const monitorPath = { params: { path: { healthmonitor_id: healthmonitor.id } } }
  const changed = taken(
    await client.PUT('/elb/v2.0/lbaas/healthmonitors/{healthmonitor_id}', {
      ...monitorPath,
      body: { healthmonitor: { delay: 7 } },
    }),
  )
  if (changed.healthmonitor.delay !== 7) throw new Error('the change is lost')
  taken(await client.GET('/elb/v2.0/lbaas/healthmonitors', { params: { query: { limit: 1 } } }))
  taken(await client.DELETE('/elb/v2.0/lbaas/healthmonitors/{healthmonitor_id}', monitorPath))
  taken(await client.DELETE('/elb/v2.0/lbaas/pools/{pool_id}/members/{member_id}', one))
  taken(await client.DELETE('/elb/v2.0/lbaas/pools/{pool_id}', inPool))
  taken(
    await client.DELETE('/elb/v2.0/lbaas/listeners/{listener_id}', {
      params: { path: { listener_id: listener.id } },
    }),
  )
  const path = { params: { path: { loadbalancer_id: loadbalancer.id } } }
  taken(await client.DELETE('/elb/v2.0/lbaas/loadbalancers/{loadbalancer_id}', path))
  const gone = await client.GET('/elb/v2.0/lbaas/loadbalancers/{loadbalancer_id}', path)
  if (gone.response.status !== 404 || gone.error === undefined) throw new Error('it is still there')
}

async function octavia(): Promise<void> {
  const { loadbalancer } = taken(
    await client.POST('/load-balancer/v2.0/lbaas/loadbalancers', {
      body: {
        loadbalancer: {
          vip_subnet_id: SUBNET,
          listeners: [
            {
              protocol: 'HTTP',
              protocol_port: 80,
              default_pool: { name: 'web', protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' },
            },
          ],
        },
      },
    }),
  )
  const pool_id = loadbalancer.pools[0]?.id
  if (pool_id === undefined) throw new Error('no pool')
  const { healthmonitor } = taken(
    await client.POST('/load-balancer/v2.0/lbaas/healthmonitors', {
      body: { healthmonitor: { pool_id, type: 'TCP', delay: 1, timeout: 1, max_retries: 1 } },
    }),
  )
  taken(
    await client.PUT('/load-balancer/v2.0/lbaas/pools/{pool_id}/members', {
      params: { path: { pool_id }, query: { additive_only: true } },
      body: { members: [target] },
    }),
  )
  const inPool = { params: { path: { pool_id } } }
  await waitFor(async () => {
    const { members } = taken(await client.GET('/load-balancer/v2.0/lbaas/pools/{pool_id}/members', inPool))
    return members[0]?.operating_status ?? 'absent'
  })
  const monitorPath = { params: { path: { healthmonitor_id: healthmonitor.id } } }
  const changed = taken(
    await client.PUT('/load-balancer/v2.0/lbaas/healthmonitors/{healthmonitor_id}', {
      ...monitorPath,
      body: { healthmonitor: { delay: 7, tags: ['slow'] } },
    }),
  )
  if (changed.healthmonitor.delay !== 7) throw new Error('the change is lost')
  const tagged = taken(
    await client.GET('/load-balancer/v2.0/lbaas/healthmonitors', { params: { query: { tags: ['slow'] } } }),
  )
  if (tagged.healthmonitors.length !== 1) throw new Error('the tag is lost')
  const path = { params: { path: { loadbalancer_id: loadbalancer.id } } }
  const { statuses } = taken(
    await client.GET('/load-balancer/v2.0/lbaas/loadbalancers/{loadbalancer_id}/statuses', path),
  )
  if (statuses.loadbalancer.listeners[0]?.pools[0]?.health_monitor?.id !== healthmonitor.id) {
    throw new Error('the monitor is not in the tree')
  }
  taken(await client.GET('/load-balancer/v2.0/lbaas/quotas/defaults'))
  taken(await client.DELETE('/load-balancer/v2.0/lbaas/healthmonitors/{healthmonitor_id}', monitorPath))
  const cascade = { params: { ...path.params, query: { cascade: true } } }
  taken(await client.DELETE('/load-balancer/v2.0/lbaas/loadbalancers/{loadbalancer_id}', cascade))
  const gone = await client.GET('/load-balancer/v2.0/lbaas/loadbalancers/{loadbalancer_id}', path)
  if (gone.response.status !== 404 || gone.error === undefined) throw new Error('it is still there')
}

await elb()
await octavia()
server.close()
console.log(`ok, ${calls} calls`)
