import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import pg from 'pg'
import { isAlive } from '../../src/runtime/embedded/folder-lock.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/runtime/embedded/embedded-postgres.ts'
import { StartRefusal } from '../../src/runtime/start-refusal.ts'
import type { Ending } from '../support/database.ts'
import { folderOfTest } from '../support/folders.ts'
import { until } from '../support/service.ts'

const OTHER_PROCESS = resolve(import.meta.dirname, '../support/embedded-postgres-process.js')

/** Program: fills the folder that it is given for 0.3 s; its first line of output says that it has begun. */
const WRITES_FOR_A_WHILE = `
  const { writeFileSync } = require('node:fs')
  const until = performance.now() + 300
  for (let n = 0; performance.now() < until; n += 1) {
    try { writeFileSync(process.argv[1] + '/' + n, '') } catch { process.exit() }
    if (n === 0) console.log('begun')
  }`

async function start(t: Ending, dataDir: string, log: string[] = []): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({
    dataDir,
    durable: false,
    log: (message) => log.push(message),
  })
  t.after(() => postgres.stop())
  return postgres
}

async function value(url: string, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql)
    return Object.values(rows[0] ?? {})[0]
  } finally {
    await client.end()
  }
}

const postmasterPid = (postgres: EmbeddedPostgres): number =>
  Number(readFileSync(join(postgres.home, 'postgresql', 'postmaster.pid'), 'utf8').split('\n')[0])

/** Starts the embedded PostgreSQL in another process; answers that process and the URL. */
async function startElsewhere(t: Ending, dataDir: string): Promise<{ kill: () => void; url: string }> {
  const child = spawn(process.execPath, [OTHER_PROCESS, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => {
    child.kill('SIGKILL')
  })
  const [output] = (await once(child.stdout, 'data')) as [Buffer]
  return { kill: () => child.kill('SIGKILL'), url: output.toString().trim() }
}

test('data survives a stop, and the next start has the same address and password', async (t) => {
  const dir = folderOfTest()
  const first = await start(t, dir)
  const pid = postmasterPid(first)
  await value(first.url, 'create table kept as select 42 as answer')
  await first.stop()
  assert.equal(isAlive(pid), false)
  const second = await start(t, dir)
  assert.equal(await value(second.url, 'select answer from kept'), 42)
  assert.equal(second.url, first.url)
})

test('the database is UTF-8 with the C locale, in UTC', async (t) => {
  const { url } = await start(t, folderOfTest())
  const sql = `select concat_ws(' ', pg_encoding_to_char(encoding), datcollate, current_setting('timezone'))
    from pg_database where datname = current_database()`
  assert.equal(await value(url, sql), 'UTF8 C UTC')
})

test('without the password there is no access, and neither the command for people nor a file of others shows it', async (t) => {
  const postgres = await start(t, folderOfTest())
  const password = new URL(postgres.url).password
  assert.match(password, /^[0-9a-f]{48}$/)
  assert.ok(!postgres.psql.includes(password))
  assert.equal(statSync(join(postgres.home, 'pgpass')).mode & 0o077, 0)
  const stranger = new URL(postgres.url)
  stranger.password = 'guess'
  await assert.rejects(value(stranger.href, 'select 1'), { code: '28P01' })
  assert.equal(
    await value(
      postgres.url,
      `select rolpassword like 'SCRAM-SHA-256$%' from pg_authid where rolname = current_user`,
    ),
    true,
  )
})

test('a lost password file is replaced and the data stays', async (t) => {
  const dir = folderOfTest()
  const first = await start(t, dir)
  await value(first.url, 'create table kept as select 42 as answer')
  await first.stop()
  rmSync(join(first.home, 'pgpass'))
  const second = await start(t, dir)
  assert.notEqual(second.url, first.url)
  assert.equal(await value(second.url, 'select answer from kept'), 42)
})

test('a server that dies is started again at the same address', async (t) => {
  const log: string[] = []
  const postgres = await start(t, folderOfTest(), log)
  const pid = postmasterPid(postgres)
  process.kill(pid, 'SIGKILL')
  await until(async () => {
    try {
      return (await value(postgres.url, 'select 1')) === 1 && postmasterPid(postgres) !== pid
    } catch {
      return false
    }
  }, 'the server to be back')
  assert.match(log.join(), /PostgreSQL ended by itself/)
})

test('when the service is killed with kill -9, its PostgreSQL stops by itself', async (t) => {
  const dir = folderOfTest()
  const other = await startElsewhere(t, dir)
  const pidFile = join(dir, 'postgresql', 'postmaster.pid')
  assert.ok(existsSync(pidFile))
  other.kill()
  await until(() => !existsSync(pidFile), 'the orphan to stop')
})

test('a live PostgreSQL that an earlier service left is stopped, and the data is there', async (t) => {
  const dir = folderOfTest()
  const other = await startElsewhere(t, dir)
  await value(other.url, 'create table kept as select 42 as answer')
  // Started again while the orphan may still be alive: the start must succeed whichever process stops it first.
  other.kill()
  const second = await start(t, dir)
  assert.equal(await value(second.url, 'select answer from kept'), 42)
})

test('a postmaster.pid whose process id another program has now does not hinder the start', async (t) => {
  const dir = folderOfTest()
  const first = await start(t, dir)
  await first.stop()
  const owner = statSync(join(dir, 'postgresql'))
  const stale = join(dir, 'postgresql', 'postmaster.pid')
  const stranger = spawn('/bin/sh', ['-c', 'read -r _'], {
    stdio: ['pipe', 'ignore', 'ignore'],
    uid: owner.uid,
    gid: owner.gid,
  })
  t.after(() => {
    stranger.kill('SIGKILL')
  })
  writeFileSync(
    stale,
    `${stranger.pid}\n${join(dir, 'postgresql')}\n1700000000\n5432\n\n127.0.0.1\n\nready   \n`,
  )
  const second = await start(t, dir)
  assert.equal(await value(second.url, 'select 1'), 1)
  assert.ok(isAlive(stranger.pid ?? 0), 'the stranger was left alone')
})

test('a second service in the same data folder is refused with the id of the first', async (t) => {
  const dir = folderOfTest()
  await start(t, dir)
  await assert.rejects(start(t, dir), (error) => {
    assert.ok(error instanceof StartRefusal)
    assert.match(error.message, new RegExp(`process ${process.pid}\\) is using the data folder`))
    return true
  })
})

test('data of another major version is refused, with both versions named, and left as it is', async (t) => {
  const dir = folderOfTest()
  const first = await start(t, dir)
  await first.stop()
  writeFileSync(join(dir, 'postgresql', 'PG_VERSION'), '16\n')
  await assert.rejects(start(t, dir), /was made by PostgreSQL 16, and this version brings PostgreSQL 18/)
  assert.equal(readFileSync(join(dir, 'postgresql', 'PG_VERSION'), 'utf8'), '16\n')
})

test('a first start that was killed half-way leaves nothing that hinders the next', async (t) => {
  const dir = folderOfTest()
  const child = spawn(process.execPath, [OTHER_PROCESS, dir], { stdio: 'ignore' })
  await until(
    () => existsSync(dir) && readdirSync(dir).some((name) => name.startsWith('initdb-')),
    'initdb to begin',
  )
  child.kill('SIGKILL')
  await once(child, 'exit')
  const postgres = await start(t, dir)
  assert.equal(await value(postgres.url, 'select 1'), 1)
})

test('what a killed start left is removed even while its initdb still writes there', async (t) => {
  const dir = folderOfTest()
  const left = join(dir, 'initdb-left')
  mkdirSync(left, { recursive: true })
  // As an orphan of initdb does: it writes for a while, and ends when its folder is gone.
  const orphan = spawn(process.execPath, ['-e', WRITES_FOR_A_WHILE, left], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => {
    orphan.kill('SIGKILL')
  })
  await once(orphan.stdout, 'data')
  const postgres = await start(t, dir)
  assert.equal(await value(postgres.url, 'select 1'), 1)
  assert.equal(existsSync(left), false)
})
