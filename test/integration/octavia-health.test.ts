/** Health and history in dialect octavia: what elb has, in Octavia's words and under Octavia's policy. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Identity } from '../../src/identity/identity.ts'
import { query } from '../../src/store/connection/database.ts'
import { type Api, type Json, startApi } from '../support/api.ts'
import type { Ending } from '../support/database.ts'
import { aLoadBalancer, aMonitor, aPool, assertFault, made, OCTAVIA } from '../support/octavia.ts'
import { writeVerdict } from '../support/pool-api.ts'

const UNKNOWN = '00000000-0000-4000-8000-00000000dead'

/** Whose name is in the token: project and roles. */
function identify(headers: Readonly<Record<string, string | string[] | undefined>>): Identity {
  const [projectId = '', role = ''] = String(headers['x-auth-token'] ?? '').split('/')
  return { projectId, assumed: false, scope: 'project', roles: [role], confined: false }
}

interface Farm {
  readonly api: Api
  readonly pool: Json
  readonly member: (attributes?: object) => Promise<Json>
  readonly get: (path: string) => ReturnType<Api['request']>
}

async function farm(t: Ending): Promise<Farm> {
  const api = await startApi(t)
  const pool = await aPool(api, (await aLoadBalancer(api)).id)
  let port = 8000
  return {
    api,
    pool,
    member: async (attributes = {}) => {
      const body = { address: '127.0.0.1', protocol_port: port++, ...attributes }
      return await made(api, `pools/${pool.id}/members`, body)
    },
    get: (path) => api.request('GET', `${OCTAVIA}${path}`),
  }
}

async function writeTransition(api: Api, memberId: string, detail: string): Promise<void> {
  await query(
    api.db,
    `insert into member_transition (member_id, pool_id, project_id, at, from_state, to_state, reason, detail, evidence,
                                    generation, dropped, epoch, sequence)
     select m.id, m.pool_id, m.project_id, now(), 'ONLINE', 'OFFLINE', 'CONNECT_REFUSED', $1, '{}', 1, 0, 1,
            (select count(*) + 1 from member_transition)
     from member m where m.id = $2`,
    [detail, memberId],
  )
}

suite('health in dialect octavia', () => {
  test('a member is what the member itself says: NO_MONITOR, OFFLINE, ONLINE, DRAINING, ERROR', async (t) => {
    const { api, pool, member, get } = await farm(t)
    const { id } = await member()
    const item = `/pools/${pool.id}/members/${id}`
    const expect = async (status: string, reason: string) => {
      const { health } = (await get(`${item}/health`)).body
      assert.deepEqual([health.status, health.reason], [status, reason])
      assert.equal((await get(item)).body.member.operating_status, status)
    }
    await expect('NO_MONITOR', 'NO_MONITOR')
    await aMonitor(api, pool.id)
    // Nothing is known yet: what was published stays.
    await expect('NO_MONITOR', 'NOT_YET_PROBED')
    await writeVerdict(api.db, id, { status: 'ONLINE', okRun: 3 })
    await expect('ONLINE', 'PASSED')
    await api.request('PUT', `${OCTAVIA}${item}`, { member: { weight: 0 } })
    await expect('DRAINING', 'PASSED')
    await writeVerdict(api.db, id, { status: 'OFFLINE', badRun: 3, detail: 'connect ECONNREFUSED' })
    await expect('ERROR', 'CONNECT_REFUSED')
    await api.request('PUT', `${OCTAVIA}${item}`, { member: { admin_state_up: false } })
    await expect('OFFLINE', 'MEMBER_DISABLED')
  })

  test('a pool counts its members by these words, and pages them', async (t) => {
    const { api, pool, member, get } = await farm(t)
    await aMonitor(api, pool.id)
    const passing = await member({ name: 'passing' })
    const draining = await member({ name: 'draining', weight: 0 })
    const failing = await member({ name: 'failing', weight: 7 })
    await member({ name: 'off', admin_state_up: false })
    await member({ name: 'new' })
    for (const { id } of [passing, draining]) await writeVerdict(api.db, id, { status: 'ONLINE' })
    await writeVerdict(api.db, failing.id, { status: 'OFFLINE' })
    const { health } = (await get(`/pools/${pool.id}/health?limit=2&sort_key=protocol_port`)).body
    const { stale: _, ...counts } = health.counts
    assert.deepEqual(counts, { ONLINE: 1, DRAINING: 1, ERROR: 1, OFFLINE: 2, NO_MONITOR: 0 })
    assert.deepEqual(
      health.members.map((one: Json) => [one.name, one.status]),
      [
        ['passing', 'ONLINE'],
        ['draining', 'DRAINING'],
      ],
    )
    const rest = await api.request('GET', String(health.members_links[0].href).slice(api.url.length))
    assert.deepEqual(
      rest.body.health.members.map((one: Json) => one.status),
      ['ERROR', 'OFFLINE'],
    )
    assertFault(
      await get(`/pools/${pool.id}/health?shade=blue`),
      400,
      'One or more arguments are either duplicate or invalid',
    )
  })

  test('the history of a member is listed newest first and outlives it', async (t) => {
    const { api, pool, member, get } = await farm(t)
    const { id } = await member()
    const path = `/pools/${pool.id}/members/${id}/transitions`
    assert.deepEqual((await get(path)).body, { transitions: [], transitions_links: [] })
    for (const detail of ['first', 'second']) await writeTransition(api, id, detail)
    await api.request('DELETE', `${OCTAVIA}/pools/${pool.id}/members/${id}`)
    const first = (await get(`${path}?limit=1`)).body
    assert.deepEqual(
      first.transitions.map((one: Json) => one.detail),
      ['second'],
    )
    const next = await api.request('GET', String(first.transitions_links[0].href).slice(api.url.length))
    assert.deepEqual(
      next.body.transitions.map((one: Json) => one.detail),
      ['first'],
    )
  })

  test('with Keystone a foreign member is forbidden, an unknown one unknown, and an auditor sees all', async (t) => {
    const own = await startApi(t)
    const headers = { 'x-project-id': 'mine' }
    const pool = await aPool(own, (await aLoadBalancer(own, headers)).id, {}, headers)
    const body = { address: '127.0.0.1', protocol_port: 80 }
    const { id } = await made(own, `pools/${pool.id}/members`, body, headers)
    await writeTransition(own, id, 'one')
    const api = await startApi(t, { db: own.db, identity: { identify } })
    const as = (who: string, path: string) =>
      api.request('GET', `${OCTAVIA}${path}`, undefined, { 'x-auth-token': who })
    const paths = (poolId: string, memberId: string) => [
      `/pools/${poolId}/members/${memberId}/health`,
      `/pools/${poolId}/members/${memberId}/transitions`,
      `/pools/${poolId}/health`,
      `/pools/${poolId}/transitions`,
    ]
    for (const path of paths(pool.id, id)) {
      for (const who of [
        'mine/reader',
        'mine/load-balancer_observer',
        'other/load-balancer_global_observer',
      ]) {
        const answer = await as(who, path)
        assert.equal(answer.status, 200, `${who} ${path}`)
        const found = answer.body.transitions ?? answer.body.health.members ?? [answer.body.health]
        assert.equal(found.length, 1, `${who} ${path}`)
      }
      for (const who of ['other/member', 'mine/nobody']) {
        assertFault(await as(who, path), 403, 'Policy does not allow this request to be performed.')
      }
    }
    for (const path of paths(UNKNOWN, UNKNOWN)) {
      assertFault(await as('other/member', path), 404, `Pool ${UNKNOWN} not found.`)
    }
    for (const path of paths(pool.id, UNKNOWN).slice(0, 2)) {
      assertFault(await as('mine/reader', path), 404, `Member ${UNKNOWN} not found.`)
    }
    for (const [who, count] of [
      ['mine/reader', 1],
      ['other/member', 0],
      ['other/load-balancer_global_observer', 1],
    ] as const) {
      assert.equal((await as(who, '/transitions')).body.transitions.length, count, who)
    }
    // Its history is found by the project that it had, also once it is gone.
    await query(own.db, 'delete from member where id = $1', [id])
    const history = `/pools/${pool.id}/members/${id}/transitions`
    assert.equal((await as('mine/reader', history)).body.transitions.length, 1)
    assert.equal((await as('other/member', history)).status, 403)
  })
})
