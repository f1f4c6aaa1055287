/** `dump` and `restore`: everything into a file and back, between servers of any kind. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { test } from 'node:test'
import { MIGRATIONS } from '../../migrations/index.ts'
import { startEmbeddedPostgres } from '../../src/runtime/embedded/embedded-postgres.ts'
import {
  dumpTo,
  DUMPED_TABLES,
  RestoreRefusal,
  restoreFrom,
  TABLES_LEFT_OUT,
} from '../../src/store/backup/backup.ts'
import { type Database, openDatabase, query } from '../../src/store/connection/database.ts'
import { migrateToLatest } from '../../src/store/connection/migrate.ts'
import { type Api, startApi } from '../support/api.ts'
import { aLoadBalancer, aMonitor, aPool, created, SUBNET } from '../support/api-objects.ts'
import { type Ending, testDatabase } from '../support/database.ts'
import { folderOfTest } from '../support/folders.ts'
import { runProgram } from '../support/service.ts'

/** Text with all that COPY has to escape, and what programs that split lines fall over. */
const AWKWARD = 'tab\t newline\n return\r backslash\\ \\. \u2028 ü 😀'

interface Source {
  readonly url: string
  readonly db: Database
}

const aMember = (api: Api, poolId: string, port: number) =>
  created(api, `pools/${poolId}/members`, { address: '127.0.0.1', protocol_port: port, subnet_id: SUBNET })

/** A database with objects, verdicts, transitions, epochs and sequences. */
async function filled(t: Ending): Promise<Source> {
  const source = await testDatabase(t)
  const api = await startApi(t, { db: source.db })
  const lb = await aLoadBalancer(api)
  const pool = await aPool(api, lb.id, { description: 'backslash \\ 😀' })
  for (const port of [1, 2, 3]) await aMember(api, pool.id, port)
  await aMonitor(api, pool.id)
  await query(source.db, 'update shard set epoch = id + 7, owner = gen_random_uuid()')
  await query(
    source.db,
    `insert into member_state (member_id, generation, status, since, reason, detail, ok_run, bad_run, shard, epoch, sequence, recent, pool_id)
     select id, generation, 'OFFLINE', now(), 'CONNECT_REFUSED', $1, 0, 3, 0, 7, 1, '\\x00ff5c0a'::bytea, pool_id from member`,
    [AWKWARD],
  )
  await query(
    source.db,
    `insert into member_transition (member_id, pool_id, project_id, at, from_state, to_state, reason, detail, generation, epoch, sequence)
     select id, pool_id, project_id, now(), 'UNKNOWN', 'OFFLINE', 'CONNECT_REFUSED', $1, generation, 7, 1 from member`,
    [AWKWARD],
  )
  return source
}

async function embedded(t: Ending): Promise<Source> {
  const server = await startEmbeddedPostgres({
    dataDir: folderOfTest(),
    durable: false,
    log: () => undefined,
  })
  const db = openDatabase({ url: server.url, applicationName: 'healthmonitor test', maxConnections: 2 })
  t.after(async () => {
    await db.destroy()
    await server.stop()
  })
  return { url: server.url, db }
}

/** Every row of every table that a dump has, and the values of the sequences. */
async function contentOf({ db }: Source): Promise<Readonly<Record<string, unknown>>> {
  const content: Record<string, unknown> = {}
  for (const table of DUMPED_TABLES) {
    const columns = table === 'shard' ? 'id, epoch' : '*'
    content[table] = await query(db, `select ${columns} from ${table} order by 1, ${table}::text`)
  }
  content['sequences'] = await query(
    db,
    `select sequencename, last_value from pg_sequences where sequencename not like 'knex%' order by 1`,
  )
  return content
}

async function dumpInto(source: Source, file: string): Promise<void> {
  const out = createWriteStream(file)
  await dumpTo(source, out, { version: '0.0.0' })
  out.end()
  await finished(out)
}

test('a dump of one server fills another one, and its dump the first kind again: nothing differs', async (t) => {
  const source = await filled(t)
  const folder = folderOfTest()
  await dumpInto(source, join(folder, 'one'))
  const second = await embedded(t)
  const counts = await restoreFrom(second, createReadStream(join(folder, 'one')))
  assert.equal(counts['member'], 3)
  assert.equal(counts['member_transition'], 3)
  assert.deepEqual(await migrateToLatest(second.db, second.url), [])
  const expected = await contentOf(source)
  assert.deepEqual(await contentOf(second), expected)

  await dumpInto(second, join(folder, 'two'))
  const third = await testDatabase(t, 'empty')
  await restoreFrom(third, createReadStream(join(folder, 'two'), { highWaterMark: 7 }))
  assert.deepEqual(await contentOf(third), expected)
})

test('psql fills a migrated database with a dump, in one transaction: nothing differs', async (t) => {
  if (spawnSync('psql', ['--version']).status !== 0) {
    t.skip('there is no psql')
    return
  }
  const source = await filled(t)
  const file = join(folderOfTest(), 'dump')
  await dumpInto(source, file)
  const target = await testDatabase(t)
  await query(target.db, 'update retention_progress set position = 1000')
  const load = (...flags: string[]) =>
    spawnSync('psql', ['-X', '-q', ...flags, '-f', file, target.url], { encoding: 'utf8' })
  const { status, stderr } = load('-v', 'ON_ERROR_STOP=1')
  assert.equal(status, 0, stderr)
  assert.deepEqual(await contentOf(target), await contentOf(source))
  const [counted] = await query<{ n: number }>(target.db, 'select member_count as n from pool')
  assert.equal(counted?.n, 3)
  assert.deepEqual(await query(target.db, 'select position from retention_progress'), [{ position: 0 }])
  await query(target.db, `update load_balancer set name = 'changed since'`)
  assert.match(load().stderr, /the database has objects already/)
  const kept = await query(target.db, 'select name from load_balancer')
  assert.deepEqual(kept, [{ name: 'changed since' }], 'what was there stays')
  const off = `select from pg_trigger where not tgisinternal and tgenabled = 'D'`
  assert.deepEqual(await query(target.db, off), [])
})

test('retention begins anew with what is restored', async (t) => {
  const source = await filled(t)
  const file = join(folderOfTest(), 'dump')
  await dumpInto(source, file)
  const target = await testDatabase(t)
  await query(target.db, 'update retention_progress set position = 1000, walk_after = gen_random_uuid()')
  await restoreFrom(target, createReadStream(file))
  assert.deepEqual(await query(target.db, 'select position, walk_after from retention_progress'), [
    { position: 0, walk_after: null },
  ])
})

test('a dump of before a table was there is restored, and brought to this version', async (t) => {
  const before = MIGRATIONS.map(({ name }) => name).filter((name) => name < '0012')
  const dump = [
    `-- healthmonitor dump 1 ${JSON.stringify({ version: '0.0.0', at: '', migrations: before })}`,
    'COPY load_balancer (id, project_id, provider) FROM stdin;',
    `${randomUUID()}\tp\tvlb`,
    '\\.',
    '-- healthmonitor dump complete',
  ]
  const target = await testDatabase(t, 'empty')
  const counts = await restoreFrom(target, Readable.from([Buffer.from(`${dump.join('\n')}\n`)]))
  assert.equal(counts['load_balancer'], 1)
  assert.ok((await migrateToLatest(target.db, target.url)).includes('0016-load-balancer-address'))
})

test('a restored database goes on: members are counted, new generations are greater, nobody owns a shard', async (t) => {
  const source = await filled(t)
  const file = join(folderOfTest(), 'dump')
  await dumpInto(source, file)
  const restored = await testDatabase(t)
  await restoreFrom(restored, createReadStream(file))
  const [owned] = await query<{ n: number }>(
    restored.db,
    'select count(*) as n from shard where owner is not null',
  )
  assert.equal(owned?.n, 0)
  const [before] = await query<{ pool_id: string; newest: number }>(
    restored.db,
    'select min(pool_id::text) as pool_id, max(generation) as newest from member',
  )
  const api = await startApi(t, { db: restored.db })
  await aMember(api, before?.pool_id ?? '', 4)
  const [after] = await query<{ newest: number; counted: number }>(
    restored.db,
    'select max(m.generation) as newest, max(p.member_count) as counted from member m join pool p on p.id = m.pool_id',
  )
  assert.equal(after?.counted, 4)
  assert.ok((after?.newest ?? 0) > (before?.newest ?? 0))
})

test('a dump that is cut off, of something else, or for a database in use is refused and changes nothing', async (t) => {
  const source = await filled(t)
  const file = join(folderOfTest(), 'dump')
  await dumpInto(source, file)
  const bytes = readFileSync(file)
  const target = await testDatabase(t)
  let emptiness = await contentOf(target)
  const refused = async (content: Uint8Array, message: RegExp) => {
    await assert.rejects(restoreFrom(target, Readable.from([content])), (error) => {
      assert.ok(error instanceof RestoreRefusal)
      assert.match(error.message, message)
      return true
    })
    assert.deepEqual(await contentOf(target), emptiness)
  }
  for (const share of [0.3, 0.6, 0.99]) await refused(bytes.subarray(0, bytes.length * share), /cut off/)
  await refused(Buffer.from('create table x ();\n'), /not a dump/)
  await refused(Buffer.from(bytes.toString().replace('"0011-', '"9911-')), /newer than this one/)
  await refused(Buffer.concat([bytes, Buffer.from('drop table member;\n')]), /not understood/)
  await refused(Buffer.from(bytes.toString().replace('COPY member (', 'COPY pg_authid (')), /unknown table/)
  await query(
    target.db,
    `insert into prober (id, host, pid, lease_until) values (gen_random_uuid(), 'h', 1, now() + interval '1 hour')`,
  )
  // The prober is an event.
  emptiness = await contentOf(target)
  await refused(bytes, /stop the service first/)
  await assert.rejects(restoreFrom(source, createReadStream(file)), /has objects already/)
})

test('every table of the schema is in a dump or left out on purpose', async (t) => {
  const { db } = await testDatabase(t)
  const rows = await query<{ name: string }>(
    db,
    `select table_name as name from information_schema.tables
     where table_schema = current_schema() and table_type = 'BASE TABLE'`,
  )
  assert.deepEqual(rows.map(({ name }) => name).toSorted(), [...DUMPED_TABLES, ...TABLES_LEFT_OUT].toSorted())
})

test('the commands: a file for its owner alone, never over another one, back into an empty data folder', async (t) => {
  const source = await filled(t)
  const folder = folderOfTest()
  const file = join(folder, 'backup.gz')
  const made = await runProgram(['dump', file], { DATABASE_URL: source.url })
  assert.equal(made.code, 0, made.err)
  assert.match(made.out, /^\S+ holds 1 load balancers, .* 3 members/)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const again = await runProgram(['dump', file], { DATABASE_URL: source.url })
  assert.equal(again.code, 1)
  assert.match(again.err, /^healthmonitor: the dump cannot be written: EEXIST/m)

  const home = { HM_DATA_DIR: join(folder, 'data') }
  const nothing = await runProgram(['sql', 'select 1'], home)
  assert.match(nothing.err, /^healthmonitor: sql finds no database: there is no .*data/)
  assert.equal((await runProgram(['restore', file], home)).code, 0)
  const shown = await runProgram(['sql', 'select count(*) as members from member'], home)
  assert.equal(shown.out, ' members\n---------\n 3\n(1 row)\n')
  const write = await runProgram(['sql', 'delete from member'], home)
  assert.equal(write.code, 1)
  assert.match(write.err, /read-only transaction \(--write allows it\)/)
  writeFileSync(join(folder, 'other'), 'hello\n')
  const other = await runProgram(['restore', join(folder, 'other')], home)
  assert.match(other.err, /nothing was changed: this is not a dump/)
  mkdirSync(join(folder, 'folder.gz'))
  const unreadable = await runProgram(['restore', join(folder, 'folder.gz')], home)
  assert.equal(unreadable.code, 1)
  assert.match(unreadable.err, /nothing was changed: EISDIR/)
})
