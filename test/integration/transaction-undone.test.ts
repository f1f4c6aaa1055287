/** PostgreSQL answers the COMMIT of a transaction that has failed with ROLLBACK, and that is no success. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { query, transaction, type Tx } from '../../src/store/connection/database.ts'
import { testDatabase } from '../support/database.ts'

const insert = (tx: Tx) => query(tx, `insert into quota values ('p', 'pool', 1)`)
const fail = (tx: Tx) => query(tx, 'select 1/0')

test('work that passes over a failed statement is not reported as done', async (t) => {
  const { db } = await testDatabase(t)
  const undone = transaction(db, async (tx) => {
    await insert(tx)
    await fail(tx).catch(() => undefined)
    return 'done'
  })
  await assert.rejects(undone, /undone/)
  assert.deepEqual(await query(db, 'select * from quota'), [])
})

test('the same when the commit is sent with the last statements: the one that failed speaks', async (t) => {
  const { db } = await testDatabase(t)
  const undone = transaction(db, (tx) => tx.commitWith(() => Promise.all([insert(tx), fail(tx)])))
  await assert.rejects(undone, /division by zero/)
  const silent = transaction(db, (tx) =>
    tx.commitWith(() => Promise.all([insert(tx), fail(tx).catch(() => undefined)])),
  )
  await assert.rejects(silent, /undone/)
  assert.deepEqual(await query(db, 'select * from quota'), [])
})

test('after a failure the connection is good for the next one', async (t) => {
  const { db } = await testDatabase(t)
  await assert.rejects(transaction(db, fail), /division by zero/)
  await transaction(db, insert)
  assert.equal((await query(db, 'select * from quota')).length, 1)
})

test('nothing is written behind the commit', async (t) => {
  const { db } = await testDatabase(t)
  const late = transaction(db, async (tx) => {
    await insert(tx)
    await tx.commit()
    await fail(tx)
  })
  await assert.rejects(late, /committed already/)
  assert.equal((await query(db, 'select * from quota')).length, 1, 'what was committed stays')
})
