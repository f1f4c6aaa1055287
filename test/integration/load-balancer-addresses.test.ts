/** Load balancers that are given no address show one out of HM_VIP_RANGE, and every one has a port. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isInRange, parseAddress, parseCidr } from '../../src/domain/address/ip-address.ts'
import { VIP_RANGE_DEFAULT } from '../../src/domain/limits.ts'
import { vipRangeOf } from '../../src/domain/address/vip-range.ts'
import { query } from '../../src/store/connection/database.ts'
import { giveMissingAddresses } from '../../src/store/configuration/load-balancer-addresses.ts'
import { type Api, type Answer, startApi } from '../support/api.ts'
import { SUBNET } from '../support/api-objects.ts'

const MOUNTS = ['/elb/v2.0/lbaas', '/load-balancer/v2.0/lbaas'] as const

function post(api: Api, mount: string, attributes: object = {}, project = 'p'): Promise<Answer> {
  const loadbalancer = { vip_subnet_id: SUBNET, ...attributes }
  return api.request('POST', `${mount}/loadbalancers`, { loadbalancer }, { 'x-project-id': project })
}

async function shown(api: Api, mount: string, id: string): Promise<Record<string, unknown>> {
  const answer = await api.request('GET', `${mount}/loadbalancers/${id}`, undefined, { 'x-project-id': 'p' })
  return answer.body.loadbalancer
}

test('with a subnet alone there is an address of the range and a port, under every provider, and they stay', async (t) => {
  const api = await startApi(t)
  const addresses = new Set<unknown>()
  for (const [mount, provider] of [
    [MOUNTS[0], null],
    [MOUNTS[0], 'octavia'],
    [MOUNTS[0], 'noop_driver'],
    [MOUNTS[1], 'octavia'],
    [MOUNTS[1], 'amphora'],
    [MOUNTS[1], 'noop_driver'],
  ] as const) {
    const { status, body } = await post(api, mount, { provider })
    assert.equal(status, 201)
    const { id, vip_address, vip_port_id } = body.loadbalancer
    const address = parseAddress(String(vip_address)) ?? assert.fail(String(vip_address))
    assert.ok(isInRange(address, parseCidr(VIP_RANGE_DEFAULT)), vip_address)
    assert.match(vip_port_id, /^[0-9a-f-]{36}$/)
    addresses.add(vip_address)
    await api.request('PUT', `${mount}/loadbalancers/${id}`, { loadbalancer: { name: 'n' } })
    for (const reader of MOUNTS) {
      const seen = await shown(api, reader, id)
      assert.deepEqual([seen['vip_address'], seen['vip_port_id']], [vip_address, vip_port_id])
    }
    const path = `${mount}/loadbalancers?vip_address=${vip_address}`
    const listed = await api.request('GET', path, undefined, { 'x-project-id': 'p' })
    assert.deepEqual(
      listed.body.loadbalancers.map((each: { id: string }) => each.id),
      [id],
    )
  }
  assert.equal(addresses.size, 6)
  const stored = await query<{ named: number }>(
    api.db,
    'select count(*) as named from load_balancer where vip_address is not null',
  )
  assert.equal(stored[0]?.named, 0, 'what was made up is not what was named')
})

test('a given address is shown, and uses none of the range', async (t) => {
  const api = await startApi(t)
  for (const mount of MOUNTS) {
    const { body } = await post(api, mount, { vip_address: '10.1.2.3' })
    assert.equal(body.loadbalancer.vip_address, '10.1.2.3')
  }
  assert.deepEqual(await query(api.db, 'select * from load_balancer_address'), [])
})

test('load balancers that are created at once get different addresses, down to the last one of the range', async (t) => {
  const vipRange = vipRangeOf(parseCidr('203.0.113.0/29'))
  const api = await startApi(t, { vipRange })
  // Six addresses; each project has one, so that nobody meets the share.
  const made = await Promise.all(
    Array.from({ length: 6 }, (_, i) => post(api, MOUNTS[i % 2] ?? '', {}, `project-${i}`)),
  )
  assert.deepEqual(
    made.map(({ body }) => String(body.loadbalancer.vip_address)).toSorted((a, b) => a.localeCompare(b)),
    Array.from({ length: 6 }, (_, place) => vipRange.addressAt(place)),
  )
  const sentence =
    'No more IP addresses available: all 6 addresses of 203.0.113.0/29 are taken. Name one as vip_address.'
  const elb = await post(api, MOUNTS[0])
  assert.deepEqual([elb.status, elb.body.error_msg], [409, sentence])
  const octavia = await post(api, MOUNTS[1])
  assert.deepEqual([octavia.status, octavia.body.faultstring], [409, sentence])
  assert.equal((await post(api, MOUNTS[1], { vip_address: '10.0.0.1' })).status, 201)
  // What is deleted is free again.
  const gone = made[0]?.body.loadbalancer
  await api.request('DELETE', `${MOUNTS[0]}/loadbalancers/${gone.id}`, undefined, {
    'x-project-id': 'project-0',
  })
  assert.equal((await post(api, MOUNTS[1])).body.loadbalancer.vip_address, gone.vip_address)
})

test('one project cannot take the whole range: it holds at most four times what is free, and the next one finds some', async (t) => {
  const api = await startApi(t, { vipRange: vipRangeOf(parseCidr('203.0.113.0/28')) })
  const statuses: number[] = []
  for (let i = 0; i < 14; i += 1) statuses.push((await post(api, MOUNTS[1], {}, 'attacker')).status)
  // 14 addresses: a lone project gets 12 of them.
  assert.deepEqual(statuses, [...Array.from({ length: 12 }, () => 201), 409, 409])
  const refused = await post(api, MOUNTS[1], {}, 'attacker')
  assert.match(refused.body.faultstring, /this project has its share of the addresses of 203\.0\.113\.0\/28/)
  assert.equal((await post(api, MOUNTS[1], {}, 'bystander')).status, 201)
})

test('an IPv6 range gives IPv6 addresses, and what a listener allows must be of that family', async (t) => {
  const api = await startApi(t, { vipRange: vipRangeOf(parseCidr('2001:db8:0:1::/64')) })
  const { body } = await post(api, MOUNTS[1])
  const { id, vip_address } = body.loadbalancer
  assert.match(vip_address, /^2001:db8:0:1::/)
  const listener = { loadbalancer_id: id, protocol: 'TCP', protocol_port: 1, allowed_cidrs: ['10.0.0.0/8'] }
  const refused = await api.request('POST', `${MOUNTS[1]}/listeners`, { listener }, { 'x-project-id': 'p' })
  assert.deepEqual(
    [refused.status, refused.body.faultstring],
    [
      400,
      `Validation failure: CIDR 10.0.0.0/8 IP version incompatible with all VIPs ['${vip_address}'] IP version.`,
    ],
  )
})

test('load balancers of before get their addresses and ports when the API starts, each once', async (t) => {
  const api = await startApi(t)
  for (const mount of MOUNTS) for (let i = 0; i < 20; i += 1) await post(api, mount)
  await post(api, MOUNTS[0], { vip_address: '10.0.0.1' })
  await query(api.db, 'delete from load_balancer_address')
  await query(api.db, 'update load_balancer set vip_port_id = null where vip_address is not null')
  const range = vipRangeOf(parseCidr('198.51.100.0/26'))
  assert.deepEqual(await giveMissingAddresses(api.db, range), { given: 40, without: 0 })
  assert.deepEqual(await giveMissingAddresses(api.db, range), { given: 0, without: 0 })
  const rows = await query<{ given: number; different: number }>(
    api.db,
    'select count(*) as given, count(distinct address) as different from load_balancer_address',
  )
  assert.deepEqual(rows, [{ given: 40, different: 40 }])
  const ports = await query(api.db, 'select count(distinct vip_port_id) as different from load_balancer')
  assert.deepEqual(ports, [{ different: 41 }])
  await query(api.db, 'delete from load_balancer_address')
  const narrow = await giveMissingAddresses(api.db, vipRangeOf(parseCidr('198.51.100.0/30')))
  assert.deepEqual(narrow, { given: 2, without: 38 })
  const { body } = await api.request('GET', `${MOUNTS[0]}/loadbalancers`, undefined, { 'x-project-id': 'p' })
  const without = body.loadbalancers.filter((each: { vip_address: unknown }) => each.vip_address === null)
  assert.equal(without.length, 38)
})
