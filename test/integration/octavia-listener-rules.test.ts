import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertFault, startOctaviaApi, UNKNOWN_ID } from '../support/octavia-api.ts'

test('an update of a listener is held against what it sends: what another attribute needed may go', async (t) => {
  const api = await startOctaviaApi(t)
  const lb = await api.loadBalancer()
  const { id } = await api.create('listeners', {
    loadbalancer_id: lb.id,
    protocol: 'TERMINATED_HTTPS',
    protocol_port: 443,
    default_tls_container_ref: 'certificate',
    client_ca_tls_container_ref: 'authority',
    client_authentication: 'MANDATORY',
    hsts_max_age: 1,
    hsts_preload: true,
  })
  const put = (listener: object) => api.send('PUT', `/listeners/${id}`, { listener })
  const gone = await put({
    default_tls_container_ref: null,
    client_ca_tls_container_ref: null,
    hsts_max_age: null,
  })
  assert.equal(gone.status, 200, JSON.stringify(gone.body))
  const { listener } = gone.body
  assert.deepEqual(
    [listener.default_tls_container_ref, listener.client_ca_tls_container_ref, listener.hsts_max_age],
    [null, null, null],
  )
  assert.deepEqual([listener.client_authentication, listener.hsts_preload], ['MANDATORY', true])
  for (const [attributes, faultstring] of [
    [
      { hsts_include_subdomains: true },
      'Validation failure: Cannot enable hsts_include_subdomains or hsts_preload if hsts_max_age was not set as well.',
    ],
    [
      { client_authentication: 'OPTIONAL' },
      'Validation failure: Client authentication setting OPTIONAL requires a client CA container reference.',
    ],
  ] as const) {
    assertFault(await put(attributes), 400, faultstring)
  }
  const udp = await api.create('listeners', { loadbalancer_id: lb.id, protocol: 'UDP', protocol_port: 53 })
  assertFault(
    await api.send('PUT', `/listeners/${udp.id}`, {
      listener: { insert_headers: { 'X-Forwarded-For': '1' } },
    }),
    400,
    'Validation failure: UDP protocol listener does not support TLS or header insertion.',
  )
})

test("allowed_cidrs are of the families of the load balancer's addresses, also in a single-call create", async (t) => {
  const api = await startOctaviaApi(t)
  const mixed = ['10.0.0.0/8', '2001:db8::/32']
  const refusal = (vips: string) =>
    `Validation failure: CIDR 2001:db8::/32 IP version incompatible with all VIPs ${vips} IP version.`
  const lb = await api.loadBalancer({ vip_address: '192.0.2.9' })
  const listener = { loadbalancer_id: lb.id, protocol: 'TCP', protocol_port: 1 }
  const post = (attributes: object) =>
    api.send('POST', '/listeners', { listener: { ...listener, ...attributes } })
  assertFault(await post({ allowed_cidrs: mixed }), 400, refusal("['192.0.2.9']"))
  const { id } = (await post({ allowed_cidrs: ['10.0.0.0/8'] })).body.listener
  const put = (path: string, allowed_cidrs: readonly string[] | null) =>
    api.send('PUT', `/listeners/${path}`, { listener: { allowed_cidrs } })
  assertFault(await put(id, mixed), 400, refusal("['192.0.2.9']"))
  assert.equal((await put(id, null)).body.listener.allowed_cidrs, null)
  const single = await api.send('POST', '/loadbalancers', {
    loadbalancer: {
      vip_subnet_id: lb.vip_subnet_id,
      listeners: [{ protocol: 'TCP', protocol_port: 1, allowed_cidrs: mixed }],
    },
  })
  assertFault(single, 400, refusal("['198.18.0.0/15']"))
  const two = await api.loadBalancer({
    vip_address: '192.0.2.9',
    additional_vips: [{ subnet_id: lb.vip_subnet_id, ip_address: '2001:db8::9' }],
  })
  const both = await post({ loadbalancer_id: two.id, allowed_cidrs: mixed })
  assert.deepEqual([both.status, both.body.listener?.allowed_cidrs], [201, mixed])
  const groups = await api.loadBalancer({ vip_sg_ids: [UNKNOWN_ID] })
  assertFault(
    await post({ loadbalancer_id: groups.id, allowed_cidrs: ['10.0.0.0/8'] }),
    400,
    'Validation failure: Allowed CIDRs are not allowed when using custom VIP Security Groups.',
  )
})
