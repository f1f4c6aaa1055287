/** A write that waits for another one for too long says which load balancer it waits for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Database, query, transaction } from '../../src/store/connection/database.ts'
import { eventually } from '../support/configuration.ts'
import { makePool, startPoolApi } from '../support/pool-api.ts'

test('writes below a load balancer that others keep locked are refused, and name it', async (t) => {
  const api = await startPoolApi(t)
  const { poolId, loadBalancerId } = await makePool(api.db)
  const monitor = { pool_id: poolId, type: 'TCP', delay: 5, timeout: 3, max_retries: 2 }
  const made = await api.call('POST', '/healthmonitors', { body: { healthmonitor: monitor } })
  assert.equal(made.status, 201)
  const before = await query(api.db, 'select * from health_monitor')
  const writes = [
    () => api.call('POST', '/healthmonitors', { body: { healthmonitor: monitor } }),
    () => api.call('DELETE', `/healthmonitors/${made.body.healthmonitor.id}`),
  ]
  for (const write of writes) {
    // One at a time: of several, the second waits for the first one's place, and then for the lock.
    const { status, body } = await whileLocked(api.db, loadBalancerId, write)
    assert.equal(status, 409)
    const sentence = `load balancer ${loadBalancerId} is being changed by another request`
    assert.ok(JSON.stringify(body).includes(sentence), JSON.stringify(body))
  }
  assert.deepEqual(await query(api.db, 'select * from health_monitor'), before)
  const deleted = await api.call('DELETE', `/healthmonitors/${made.body.healthmonitor.id}`)
  assert.equal(deleted.status, 204)
})

test('of two that create the monitor of a pool, and of two that delete it, one succeeds: what the other waited for counts', async (t) => {
  const api = await startPoolApi(t)
  const { poolId, loadBalancerId } = await makePool(api.db)
  const healthmonitor = { pool_id: poolId, type: 'TCP', delay: 5, timeout: 3, max_retries: 2 }
  const twice = async (write: () => ReturnType<typeof api.call>) => {
    const writes = await whileLocked(api.db, loadBalancerId, async () => {
      const both = [write(), write()]
      await eventually('both wait for the load balancer', async () => {
        const waiting = await query(
          api.db,
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        )
        return waiting.length === 2
      })
      return both
    })
    return await Promise.all(writes)
  }
  const made = await twice(() => api.call('POST', '/healthmonitors', { body: { healthmonitor } }))
  assert.deepEqual(
    made.map(({ status }) => status).toSorted((a, b) => a - b),
    [201, 409],
  )
  const { id } = made.find(({ status }) => status === 201)?.body.healthmonitor ?? {}
  assert.ok(JSON.stringify(made.find(({ status }) => status === 409)?.body).includes(id))
  const deleted = await twice(() => api.call('DELETE', `/healthmonitors/${id}`))
  assert.deepEqual(
    deleted.map(({ status }) => status).toSorted((a, b) => a - b),
    [204, 404],
  )
})

async function whileLocked<Result>(db: Database, id: string, work: () => Promise<Result>): Promise<Result> {
  return await transaction(db, async (tx) => {
    await query(tx, 'select from load_balancer where id = $1 for update', [id])
    return await work()
  })
}
