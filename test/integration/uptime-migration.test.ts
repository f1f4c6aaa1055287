/** Migration 0037: what a database that was made from the first version of migration 0024 misses is made. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as boundedUptime from '../../migrations/0037-bounded-uptime.ts'
import { query } from '../../src/store/connection/database.ts'
import { withRunner } from '../../src/store/connection/migrate.ts'
import { insertMembers, insertPool } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'

test('a database without the notes of monitors and first verdicts gets them, and keeps what it has', async (t) => {
  const { db, url } = await testDatabase(t)
  await withRunner(url, boundedUptime.down)
  await query(
    db,
    `drop trigger note_first_verdicts on member_state; drop trigger note_monitor on health_monitor;
     drop trigger note_no_monitor on health_monitor; drop trigger note_new_pool on pool;
     drop function note_no_monitor, note_new_pool;
     alter table set_aside drop constraint set_aside_kind_check;
     alter table set_aside add constraint set_aside_kind_check check (kind in ('off', 'maintenance', 'generation'));
     create trigger forget_asides after delete on health_monitor
       referencing old table as gone for each statement execute function forget_asides();`,
  )
  const [watched, bare] = [await insertPool(db), await insertPool(db)]
  const [member = ''] = await insertMembers(db, watched.poolId, [{ address: '127.0.0.1', port: 1 }])
  await query(db, 'delete from health_monitor where pool_id = $1', [bare.poolId])
  const notes = async () =>
    await query<{ id: string; kind: string; lasts: boolean }>(
      db,
      `select object_id as id, kind, end_at is null as lasts from set_aside order by kind, begin_at`,
    )
  assert.deepEqual(await notes(), [])

  await withRunner(url, boundedUptime.up)
  assert.deepEqual(await notes(), [{ id: bare.poolId, kind: 'no_monitor', lasts: true }])

  await query(db, 'update health_monitor set admin_state_up = false')
  await query(db, 'delete from health_monitor')
  await query(
    db,
    `insert into member_state (member_id, generation, status, since, reason, ok_run, bad_run, shard, epoch, sequence)
     values ($1, 0, 'ONLINE', now(), 'PASSED', 0, 0, 0, 1, 1)`,
    [member],
  )
  await query(db, 'update member_state set generation = 7')
  assert.deepEqual(
    (await notes()).filter(({ kind }) => kind !== 'generation'),
    [
      { id: bare.poolId, kind: 'no_monitor', lasts: true },
      { id: watched.poolId, kind: 'no_monitor', lasts: true },
      { id: watched.poolId, kind: 'off', lasts: false },
      { id: member, kind: 'verdict', lasts: true },
    ],
  )

  // Once more, where nothing is missing.
  const before = await notes()
  await withRunner(url, boundedUptime.down)
  await withRunner(url, boundedUptime.up)
  assert.deepEqual(await notes(), before)
})
