/** The answer of a write is what a read shows after it; `updated_at` is always there. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type Api, type Json, startApi } from '../support/api.ts'
import { SUBNET } from '../support/api-objects.ts'

const MOUNT = { elb: '/elb/v2.0/lbaas', octavia: '/load-balancer/v2.0/lbaas' } as const

type Made = Readonly<Record<string, string>>

/** A resource: where it is made, what of, and what is changed of it, two times. */
interface Step {
  readonly collection: (made: Made) => string
  readonly attributes: (made: Made) => object
  readonly changes: readonly object[]
}

const SWITCH = [{ admin_state_up: false }, { admin_state_up: true, name: 'other' }, {}]

const STEPS: Readonly<Record<string, Step>> = {
  loadbalancer: {
    collection: () => 'loadbalancers',
    attributes: () => ({ vip_subnet_id: SUBNET }),
    changes: SWITCH,
  },
  listener: {
    collection: () => 'listeners',
    attributes: (made) => ({ loadbalancer_id: made['loadbalancer'], protocol: 'HTTP', protocol_port: 80 }),
    changes: SWITCH,
  },
  pool: {
    collection: () => 'pools',
    attributes: (made) => ({ listener_id: made['listener'], protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' }),
    changes: [...SWITCH, { lb_algorithm: 'SOURCE_IP' }],
  },
  member: {
    collection: (made) => `pools/${made['pool']}/members`,
    attributes: () => ({ address: '127.0.0.1', protocol_port: 80, subnet_id: SUBNET }),
    changes: [...SWITCH, { weight: 0 }],
  },
  healthmonitor: {
    collection: () => 'healthmonitors',
    attributes: (made) => ({ pool_id: made['pool'], type: 'HTTP', delay: 5, timeout: 3, max_retries: 2 }),
    changes: [...SWITCH, { delay: 7, options: { interval_ms: 1500 } }],
  },
}

async function read(api: Api, path: string): Promise<Json> {
  const answer = await api.request('GET', path)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body
}

suite('the answer of a write', () => {
  for (const [dialect, mount] of Object.entries(MOUNT)) {
    test(`is what a read shows after it, of every resource: dialect ${dialect}`, async (t) => {
      const api = await startApi(t)
      const made: Record<string, string> = {}
      for (const [envelope, { collection, attributes, changes }] of Object.entries(STEPS)) {
        const path = `${mount}/${collection(made)}`
        const created = await api.request('POST', path, { [envelope]: attributes(made) })
        assert.equal(created.status, 201, JSON.stringify(created.body))
        const { id } = created.body[envelope] as { id: string }
        made[envelope] = id
        assert.deepEqual(await read(api, `${path}/${id}`), created.body, `create of a ${envelope}`)
        assertTimed(created.body[envelope], { dialect, envelope })
        for (const change of changes) {
          const changed = await api.request('PUT', `${path}/${id}`, { [envelope]: change })
          assert.equal(changed.status, 200, JSON.stringify(changed.body))
          assert.deepEqual(
            await read(api, `${path}/${id}`),
            changed.body,
            `${envelope} ${JSON.stringify(change)}`,
          )
          assertTimed(changed.body[envelope], { dialect, envelope })
        }
      }
      // A second member, below a monitor.
      const members = `${mount}/pools/${made['pool']}/members`
      const later = { address: '127.0.0.2', protocol_port: 80, subnet_id: SUBNET }
      const created = await api.request('POST', members, { member: later })
      assert.deepEqual(await read(api, `${members}/${created.body.member.id}`), created.body)
    })
  }

  test('with which a load balancer and everything below it is made shows each as a read does', async (t) => {
    const api = await startApi(t)
    const monitor = { type: 'HTTP', delay: 5, timeout: 3, max_retries: 2 }
    const pool = {
      name: 'web',
      protocol: 'HTTP',
      lb_algorithm: 'ROUND_ROBIN',
      healthmonitor: monitor,
      members: [{ address: '127.0.0.1', protocol_port: 80 }],
    }
    const listener = { protocol: 'HTTP', protocol_port: 80, default_pool: pool }
    const body = { loadbalancer: { vip_subnet_id: SUBNET, listeners: [listener] } }
    const created = await api.request('POST', `${MOUNT.octavia}/loadbalancers`, body)
    assert.equal(created.status, 201, JSON.stringify(created.body))
    const { listeners, pools, ...whole } = created.body.loadbalancer
    const shown = (await read(api, `${MOUNT.octavia}/loadbalancers/${whole.id}`)).loadbalancer
    assert.deepEqual({ ...whole, listeners: shown.listeners, pools: shown.pools }, shown)
    const { healthmonitor, members, ...alone } = pools[0]
    await assertShown(api, `pools/${alone.id}`, alone)
    await assertShown(api, `listeners/${listeners[0].id}`, listeners[0])
    await assertShown(api, `healthmonitors/${healthmonitor.id}`, healthmonitor)
    await assertShown(api, `pools/${alone.id}/members/${members[0].id}`, members[0])
  })

  test('updated_at filters and sorts as it is shown, also of what was never changed', async (t) => {
    const api = await startApi(t)
    const made = await api.request('POST', `${MOUNT.octavia}/loadbalancers`, {
      loadbalancer: { vip_subnet_id: SUBNET },
    })
    const { id, updated_at: at } = made.body.loadbalancer as { id: string; updated_at: string }
    for (const mount of Object.values(MOUNT)) {
      for (const search of [`updated_at=${at}`, 'sort_key=updated_at&sort_dir=desc']) {
        const { loadbalancers } = await read(api, `${mount}/loadbalancers?${search}`)
        assert.deepEqual(
          (loadbalancers as Json[]).map((each) => each.id),
          [id],
          search,
        )
      }
    }
  })
})

/** Every attribute of an object inside a larger answer is what a read of the object shows. */
async function assertShown(api: Api, path: string, part: Json): Promise<void> {
  const object = Object.values(await read(api, `${MOUNT.octavia}/${path}`))[0] as Json
  for (const [name, value] of Object.entries(part as object))
    assert.deepEqual(value, object[name], `${path} ${name}`)
}

const TIMED_IN_ELB: ReadonlySet<string> = new Set(['loadbalancer', 'listener'])

function assertTimed(
  object: Json,
  { dialect, envelope }: { readonly dialect: string; readonly envelope: string },
): void {
  if (dialect === 'elb' && !TIMED_IN_ELB.has(envelope)) return
  assert.match(String(object.updated_at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/)
}
