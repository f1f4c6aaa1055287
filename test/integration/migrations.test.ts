/** The schema on its way up and down, alone and with others. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomUUID } from 'node:crypto'
import * as memberCount from '../../migrations/0011-member-count.ts'
import * as pending from '../../migrations/0014-pending.ts'
import { MIGRATIONS } from '../../migrations/index.ts'
import { type Db, openDatabase, query, transaction } from '../../src/store/connection/database.ts'
import {
  isSchemaCurrent,
  migrateToLatest,
  rollbackAll,
  withRunner,
} from '../../src/store/connection/migrate.ts'
import { SchemaTooNewError } from '../../src/store/connection/schema-too-new.ts'
import { eventually, insertPool } from '../support/configuration.ts'
import { testDatabase, undoMigrationsFrom } from '../support/database.ts'

const NAMES = MIGRATIONS.map(({ name }) => name)

/** Everything that the migrations made, as PostgreSQL describes it. */
async function schemaOf(db: Db): Promise<readonly string[]> {
  const rows = await query<{ what: string }>(
    db,
    `select what from (
       select format('column %s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default)
         from information_schema.columns where table_schema = 'public'
       union all
       select format('constraint %s on %s: %s', conname, conrelid::regclass, pg_get_constraintdef(oid))
         from pg_constraint where connamespace = 'public'::regnamespace
       union all select indexdef from pg_indexes where schemaname = 'public'
       union all select format('view %s: %s', viewname, definition) from pg_views where schemaname = 'public'
       union all select format('sequence %s', sequencename) from pg_sequences where schemaname = 'public'
     ) s (what) where what not like '%knex_migrations%' order by what`,
  )
  return rows.map((row) => row.what)
}

test('migrating twice is harmless, and down then up gives the same schema', async (t) => {
  const { db, url } = await testDatabase(t, 'empty')
  assert.deepEqual(await migrateToLatest(db, url), NAMES)
  const first = await schemaOf(db)
  assert.ok(first.length > 100)
  assert.deepEqual(await migrateToLatest(db, url), [])
  assert.deepEqual(await schemaOf(db), first)
  await rollbackAll(url)
  assert.deepEqual(await schemaOf(db), [])
  assert.equal(await isSchemaCurrent(db), false)
  assert.deepEqual(await migrateToLatest(db, url), NAMES)
  assert.deepEqual(await schemaOf(db), first)
})

test('of twenty that migrate at once one does it, and all succeed', async (t) => {
  const { db, url } = await testDatabase(t, 'empty')
  const pools = Array.from({ length: 20 }, () =>
    openDatabase({ url, applicationName: 'healthmonitor test', maxConnections: 1 }),
  )
  t.after(async () => {
    await Promise.all(pools.map((pool) => pool.destroy()))
  })
  const applied = await Promise.all(pools.map((pool) => migrateToLatest(pool, url)))
  assert.deepEqual(applied.flat(), NAMES)
  assert.equal(await isSchemaCurrent(db), true)
})

test('a migration that meets a writer in a ring of locks, and is the one that PostgreSQL ends, is made again', async (t) => {
  const { db, url } = await testDatabase(t)
  await withRunner(url, memberCount.down)
  await query(db, `delete from knex_migrations where name = '0011-member-count'`)
  let migrated: Promise<readonly string[]> | undefined
  const isInRing = async (tx: Db): Promise<void> => {
    await query(tx, 'lock table member in row exclusive mode')
    migrated ??= migrateToLatest(db, url)
    await eventually('the migration has the pools and waits for the members', async () => {
      const waiting = `select 1 from pg_locks where relation = 'member'::regclass and not granted`
      return (await query(db, waiting)).length > 0
    })
    await query(tx, 'lock table pool in row exclusive mode')
  }
  await transaction(db, isInRing, { timeoutMs: 60_000 })
  assert.deepEqual(await migrated, ['0011-member-count'])
})

test('a migration may take longer than any statement of the service', async (t) => {
  const { db, url } = await testDatabase(t)
  await insertPool(db, { type: 'HTTP' })
  await query(db, `update health_monitor set options = '{"preset": "kuma"}'`)
  await query(
    db,
    `create function wait() returns trigger language plpgsql as $$ begin perform pg_sleep(1); return new; end $$;
     create trigger wait before update on health_monitor for each row execute function wait();`,
  )
  await query(db, `delete from knex_migrations where name = '0018-kuma-http-version'`)
  const hasty = openDatabase({ url, applicationName: 'healthmonitor test', maxConnections: 1 })
  t.after(() => hasty.destroy())
  await query(hasty, `set statement_timeout = '500ms'`)
  await assert.rejects(query(hasty, 'update health_monitor set rise = 1'), { code: '57014' })
  assert.deepEqual(await migrateToLatest(hasty, url), ['0018-kuma-http-version'])
  const [after] = await query<{ statement_timeout: string }>(hasty, 'show statement_timeout')
  assert.equal(after?.statement_timeout, '500ms', 'of the migration alone')
})

test('monitors with preset kuma keep the HTTP version that they had', async (t) => {
  const { db, url } = await testDatabase(t)
  const rows: Readonly<
    Record<string, { type?: string; version?: string; options: object; kept: object; shown: string | null }>
  > = {
    plain: { options: { preset: 'kuma' }, kept: { preset: 'kuma', http: { version: '1.1' } }, shown: '1.1' },
    secure: {
      type: 'HTTPS',
      options: { preset: 'kuma', http: { path: '/x' } },
      kept: { preset: 'kuma', http: { path: '/x', version: '1.1' } },
      shown: '1.1',
    },
    'by option': same({ preset: 'kuma', http: { version: 'h2c' } }, null),
    'by field': same({ preset: 'kuma' }, '1.0'),
    gRPC: same({ preset: 'kuma', grpc: {} }, null),
    TCP: { ...same({ preset: 'kuma' }, null), type: 'TCP' },
    envoy: same({ preset: 'envoy' }, null),
  }
  const ids = new Map<string, string>()
  for (const [name, { type = 'HTTP', version, options }] of Object.entries(rows)) {
    const { poolId } = await insertPool(db)
    ids.set(name, poolId)
    await query(
      db,
      'update health_monitor set type = $1, http_version = $2, options = $3 where pool_id = $4',
      [type, version ?? null, JSON.stringify(options), poolId],
    )
  }
  await undoMigrationsFrom(url, '0018-kuma-http-version')
  await query(db, `delete from knex_migrations where name >= '0018-kuma-http-version'`)
  assert.ok((await migrateToLatest(db, url)).includes('0018-kuma-http-version'))
  for (const [name, { kept, shown }] of Object.entries(rows)) {
    const [row] = await query<{ options: object; http_version: string | null }>(
      db,
      'select options, http_version from health_monitor where pool_id = $1',
      [ids.get(name) ?? ''],
    )
    assert.deepEqual([row?.options, row?.http_version], [kept, shown], name)
  }

  function same(options: object, version: string | null) {
    return { options, kept: options, shown: version, ...(version === null ? {} : { version }) }
  }
})

test('monitors of before keep what held for them, and show it', async (t) => {
  const { db, url } = await testDatabase(t)
  await undoMigrationsFrom(url, '0014-pending')
  const monitors = [
    { codes: '200', options: null, shown: '200', rise: 2, sent: false, startsAs: null },
    {
      codes: '200',
      options: { preset: 'haproxy' },
      shown: '200-399',
      rise: 2,
      sent: false,
      startsAs: 'ONLINE',
    },
    { codes: '404', options: { preset: 'haproxy' }, shown: '404', rise: 2, sent: true, startsAs: 'ONLINE' },
    {
      codes: '200',
      options: { preset: 'contrail' },
      shown: '100-599',
      rise: 1,
      sent: false,
      startsAs: 'ONLINE',
    },
    { codes: '200', options: { preset: 'envoy' }, shown: '200', rise: 2, sent: false, startsAs: null },
    {
      codes: '200',
      options: { initial: { status: 'OFFLINE' } },
      shown: '200',
      rise: 2,
      sent: false,
      startsAs: 'OFFLINE',
    },
    {
      codes: '200',
      options: { intervals: { no_traffic_ms: 9000 } },
      shown: '200',
      rise: 2,
      sent: false,
      startsAs: null,
    },
  ]
  const writeAll = async () => {
    for (const { codes, options } of monitors) await writeAsBefore(db, codes, options)
  }
  await writeAll()
  await withRunner(url, pending.up)
  // By a process of before that still runs.
  await writeAll()
  const rows = await query<{
    expected_codes: string
    rise: number
    is_sent: boolean
    starts_as: string | null
    is_reported: string | null
    is_published: boolean
  }>(
    db,
    `select expected_codes, rise, sent_fields @> '["expectedCodes"]' as is_sent, starts_as,
       options->'no_traffic'->>'reported' as is_reported, published_from = generation as is_published
     from health_monitor order by generation`,
  )
  assert.deepEqual(
    rows.map(({ expected_codes, rise, is_sent, starts_as }) => [expected_codes, rise, is_sent, starts_as]),
    [...monitors, ...monitors].map(({ shown, rise, sent, startsAs }) => [shown, rise, sent, startsAs]),
  )
  assert.deepEqual(
    rows.map(({ is_reported }) => is_reported),
    [...monitors, ...monitors].map(({ options }) =>
      options !== null && 'intervals' in options ? 'true' : null,
    ),
  )
  assert.ok(rows.every(({ is_published }) => is_published))
})

/** A monitor with parents of its own, written as by a release that did not have `sent_fields`. */
async function writeAsBefore(db: Db, codes: string, options: object | null): Promise<void> {
  const id = randomUUID()
  await query(db, `insert into load_balancer (id, project_id, provider) values ($1, 'p', 'vlb')`, [id])
  await query(
    db,
    `insert into pool (id, project_id, load_balancer_id, protocol, lb_algorithm, shard)
     values ($1, 'p', $1, 'HTTP', 'ROUND_ROBIN', 0)`,
    [id],
  )
  await query(
    db,
    `insert into health_monitor (id, project_id, pool_id, type, profile, delay_seconds, timeout_seconds, rise, fall,
       url_path, http_method, expected_codes, options)
     values ($1, 'p', $1, 'HTTP', 'elb', 5, 3, 2, 3, '/', 'GET', $2, $3::jsonb)`,
    [id, codes, options && JSON.stringify(options)],
  )
}

test('a schema of a newer version is refused and left as it is', async (t) => {
  const { db, url } = await testDatabase(t)
  await query(db, `insert into knex_migrations (name, batch, migration_time) values ('9999-later', 9, now())`)
  const before = await schemaOf(db)
  await assert.rejects(migrateToLatest(db, url), SchemaTooNewError)
  await assert.rejects(isSchemaCurrent(db), /9999-later/)
  assert.deepEqual(await schemaOf(db), before)
})
