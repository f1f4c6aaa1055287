/** What bounds a page by bytes measures every column that may be long. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDatabase, query } from '../../src/store/connection/database.ts'
import { HEALTH_LIST } from '../../src/store/status/health.ts'
import { HEALTH_MONITOR_LIST } from '../../src/store/configuration/health-monitors.ts'
import type { ListSpec } from '../../src/store/configuration/lists.ts'
import { LISTENER_LIST } from '../../src/store/configuration/listeners.ts'
import { LOAD_BALANCER_LISTS } from '../../src/store/configuration/load-balancers.ts'
import { MEMBER_LIST } from '../../src/store/configuration/members.ts'
import { POOL_LIST } from '../../src/store/configuration/pools.ts'
import { testDatabase } from '../support/database.ts'

/** Texts that people write, those that probes do, and ids that commas join. */
const LONG_TEXTS = new Set([
  'name',
  'description',
  'detail',
  'url_path',
  'domain_name',
  'expected_codes',
  'member_ids',
])

test('whatever of a row is JSON, an array or a free text counts towards the bytes of a page', async (t) => {
  const { url } = await testDatabase(t)
  const db = openDatabase({ url, applicationName: 'healthmonitor test', maxConnections: 1 })
  t.after(() => db.destroy())
  const specs: Readonly<Record<string, ListSpec>> = {
    ...LOAD_BALANCER_LISTS,
    listeners: LISTENER_LIST,
    pools: POOL_LIST,
    members: MEMBER_LIST,
    monitors: HEALTH_MONITOR_LIST,
    health: HEALTH_LIST,
  }
  for (const [name, { columns, from, longColumns }] of Object.entries(specs)) {
    await query(db, `create temporary view listed as select ${columns} from ${from}`)
    const found = await query<{ column_name: string; data_type: string }>(
      db,
      `select column_name, data_type from information_schema.columns where table_name = 'listed'`,
    )
    await query(db, 'drop view listed')
    const long = found.filter(
      ({ column_name, data_type }) =>
        ['jsonb', 'ARRAY', 'bytea'].includes(data_type) || LONG_TEXTS.has(column_name),
    )
    assert.deepEqual(long.map(({ column_name }) => column_name).toSorted(), longColumns.toSorted(), name)
  }
})
