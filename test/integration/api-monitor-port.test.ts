/** A monitor's own port aims at every member of its pool: each of those targets is checked against the policy. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeTargetPolicy } from '../../src/domain/address/target-policy.ts'
import { query } from '../../src/store/connection/database.ts'
import { FORBIDDEN_PORT, makePool, type PoolApi, startPoolApi } from '../support/pool-api.ts'

/** Between the others, in whichever order they are read. */
const FORBIDDEN = '127.0.0.5'
const POLICY = makeTargetPolicy({
  allow: [],
  deny: [],
  loopbackAllowed: true,
  ownListeners: [{ address: FORBIDDEN, port: FORBIDDEN_PORT }],
  localAddresses: [],
})
const MONITOR = { type: 'TCP', delay: 5, timeout: 3, max_retries: 2 }

/** A pool with members at these addresses, in this order. */
async function poolOf(api: PoolApi, addresses: readonly string[]): Promise<string> {
  const { poolId } = await makePool(api.db)
  for (const [i, address] of addresses.entries()) {
    const body = { member: { address, protocol_port: 1000 + i, subnet_id: SUBNET } }
    const answer = await api.call('POST', `/pools/${poolId}/members`, { body })
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
  }
  return poolId
}

const SUBNET = '5f1b3c1e-0000-4000-8000-000000000001'
const FIELD = /monitor_port/

test('a monitor with a forbidden port is refused when any member is there, at whichever place', async (t) => {
  const api = await startPoolApi(t, { targetPolicy: POLICY })
  for (const place of [0, 1, 2]) {
    const addresses = ['127.0.0.2', '127.0.0.8'].toSpliced(place, 0, FORBIDDEN)
    const poolId = await poolOf(api, addresses)
    const body = { healthmonitor: { ...MONITOR, pool_id: poolId, monitor_port: FORBIDDEN_PORT } }
    const refused = await api.call('POST', '/healthmonitors', { body })
    assert.equal(refused.status, 400, `${addresses.join()}: ${JSON.stringify(refused.body)}`)
    assert.match(refused.body.error_msg, FIELD)
    assert.deepEqual(await query(api.db, 'select id from health_monitor where pool_id = $1', [poolId]), [])
  }
})

test('the same of a monitor that is given the port later', async (t) => {
  const api = await startPoolApi(t, { targetPolicy: POLICY })
  for (const place of [0, 1, 2]) {
    const poolId = await poolOf(api, ['127.0.0.2', '127.0.0.8'].toSpliced(place, 0, FORBIDDEN))
    const body = { healthmonitor: { ...MONITOR, pool_id: poolId } }
    const { id } = (await api.call('POST', '/healthmonitors', { body })).body.healthmonitor
    const refused = await api.call('PUT', `/healthmonitors/${id}`, {
      body: { healthmonitor: { monitor_port: FORBIDDEN_PORT } },
    })
    assert.equal(refused.status, 400, JSON.stringify(refused.body))
    assert.match(refused.body.error_msg, FIELD)
    const shown = await api.call('GET', `/healthmonitors/${id}`)
    assert.equal(shown.body.healthmonitor.monitor_port, null)
  }
})

test('it is taken when nobody is there, and then nobody comes there, alone or in a batch', async (t) => {
  const api = await startPoolApi(t, { targetPolicy: POLICY })
  const poolId = await poolOf(api, ['127.0.0.2', '127.0.0.8'])
  const body = { healthmonitor: { ...MONITOR, pool_id: poolId, monitor_port: FORBIDDEN_PORT } }
  assert.equal((await api.call('POST', '/healthmonitors', { body })).status, 201)
  const at = (address: string, port: number) => ({ address, protocol_port: port, subnet_id: SUBNET })
  const alone = await api.call('POST', `/pools/${poolId}/members`, { body: { member: at(FORBIDDEN, 1) } })
  assert.equal(alone.status, 400, JSON.stringify(alone.body))
  for (const place of [0, 1, 2]) {
    const members = [at('127.0.0.4', 1), at('127.0.0.9', 2)].toSpliced(place, 0, at(FORBIDDEN, 3))
    for (const action of ['add', 'replace']) {
      const refused = await api.call('PUT', `/pools/${poolId}/members`, { body: { action, members } })
      assert.equal(refused.status, 400, `${action} ${place}: ${JSON.stringify(refused.body)}`)
    }
  }
  const { members } = (await api.call('GET', `/pools/${poolId}/members`)).body
  assert.equal(members.length, 2)
})

test('where a member is probed counts, not where its traffic goes', async (t) => {
  const api = await startPoolApi(t, { targetPolicy: POLICY })
  const poolId = await poolOf(api, ['127.0.0.2', '127.0.0.8'])
  await query(api.db, `update member set monitor_address = $1 where pool_id = $2 and address = '127.0.0.8'`, [
    FORBIDDEN,
    poolId,
  ])
  const body = { healthmonitor: { ...MONITOR, pool_id: poolId, monitor_port: FORBIDDEN_PORT } }
  assert.equal((await api.call('POST', '/healthmonitors', { body })).status, 400)
})
