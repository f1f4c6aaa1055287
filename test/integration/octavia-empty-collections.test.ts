/** What Octavia has and this service has not: lists are empty, objects unknown, and creates say why they are refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApi } from '../support/api.ts'
import { assertFault, startOctaviaApi, UNKNOWN_ID } from '../support/octavia-api.ts'

const COLLECTIONS = [
  ['flavors', { flavors: [], flavors_links: [] }, 'Flavor', 'flavors'],
  ['flavorprofiles', { flavorprofiles: [], flavorprofile_links: [] }, 'Flavor Profile', 'flavor profiles'],
  [
    'availabilityzones',
    { availability_zones: [], availability_zones_links: [] },
    'Availability Zone',
    'availability zones',
  ],
  [
    'availabilityzoneprofiles',
    { availability_zone_profiles: [], availability_zone_profile_links: [] },
    'Availability Zone Profile',
    'availability zone profiles',
  ],
  ['l7policies', { l7policies: [], l7policies_links: [] }, 'L7 Policy', 'L7 policies'],
] as const

test('lists are 200 and empty, also with filters and pages; one object is unknown; a create is 501 and says why', async (t) => {
  const api = await startOctaviaApi(t)
  for (const [path, empty, word, what] of COLLECTIONS) {
    for (const query of ['', '?name=x', '?limit=1&sort=name:asc', '?fields=id&project_id=p']) {
      const listed = await api.send('GET', `/${path}${query}`)
      assert.deepEqual([listed.status, listed.body], [200, empty], path + query)
    }
    assertFault(await api.send('GET', `/${path}/${UNKNOWN_ID}`), 404, `${word} ${UNKNOWN_ID} not found.`)
    const refused = await api.send('POST', `/${path}`, { [path]: { name: 'x' } })
    assert.deepEqual(
      [refused.status, refused.body],
      [
        501,
        {
          faultcode: 'Server',
          faultstring: `Provider 'octavia' does not support a requested action: this service routes no traffic, so there are no ${what}.`,
          debuginfo: null,
        },
      ],
    )
  }
  assertFault(
    await api.send('GET', `/l7policies/${UNKNOWN_ID}/rules`),
    404,
    `L7 Policy ${UNKNOWN_ID} not found.`,
  )
})

test('amphorae are listed where Octavia lists them, beside lbaas', async (t) => {
  const api = await startApi(t)
  for (const version of ['v2', 'v2.0']) {
    const base = `/load-balancer/${version}/octavia/amphorae`
    const listed = await api.request('GET', `${base}?loadbalancer_id=${UNKNOWN_ID}`)
    assert.deepEqual([listed.status, listed.body], [200, { amphorae: [], amphorae_links: [] }])
    for (const path of [`/${UNKNOWN_ID}`, `/${UNKNOWN_ID}/stats`]) {
      assertFault(await api.request('GET', base + path), 404, `Amphora ${UNKNOWN_ID} not found.`)
    }
    assert.equal((await api.request('POST', base, {})).status, 405)
  }
})

test('an L7 policy inside a listener is refused with the same reason', async (t) => {
  const api = await startOctaviaApi(t)
  const lb = await api.loadBalancer()
  const listener = {
    loadbalancer_id: lb.id,
    protocol: 'HTTP',
    protocol_port: 80,
    l7policies: [{ action: 'REJECT' }],
  }
  assertFault(
    await api.send('POST', '/listeners', { listener }),
    400,
    /This service routes no traffic: there are no L7 policies$/,
  )
})
