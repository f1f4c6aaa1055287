/** Secrets in files that change while the service runs: SIGHUP reads them anew, one test for each kind. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Db, query } from '../../src/store/connection/database.ts'
import { testDatabase } from '../support/database.ts'
import { startFakeKeystone, tokenEnding } from '../support/fake-keystone.ts'
import { folderOfTest } from '../support/folders.ts'
import { startNotifierProcess } from '../support/notifier-process.ts'
import { startProgram, startService, until } from '../support/service.ts'
import { memberIds, tellOf } from '../support/webhooks.ts'

/** A file with a secret, and its replacement. */
function secretFile(text: string) {
  const path = join(folderOfTest(), 'secret')
  const write = (next: string) => writeFileSync(path, `${next}\n`, { mode: 0o600 })
  write(text)
  return { path, write }
}

/** A role of this test, which may do everything; the URL with it. */
async function aRole(db: Db, url: string): Promise<{ readonly name: string; readonly url: string }> {
  const name = `hm_role_${randomBytes(6).toString('hex')}`
  const password = randomBytes(12).toString('hex')
  await query(db, `create role ${name} superuser login password '${password}'`)
  const withRole = new URL(url)
  withRole.username = name
  withRole.password = password
  return { name, url: withRole.href }
}

/** Connections to this database of a role, by what they are for. */
async function connectionsOf(db: Db, role: string): Promise<readonly string[]> {
  const rows = await query<{ name: string }>(
    db,
    `select distinct application_name as name from pg_stat_activity
     where usename = $1 and datname = current_database() order by 1`,
    [role],
  )
  return rows.map(({ name }) => name)
}

test('the URL of the database: API, prober and notifier connect with the new one, and keep what is open', async (t) => {
  const database = await testDatabase(t)
  const { db, url } = database
  const [old, next] = [await aRole(db, url), await aRole(db, url)]
  const file = secretFile(old.url)
  const service = await startService(t, folderOfTest(), { DATABASE_URL_FILE: file.path, HM_PROBERS: '1' })
  database.beforeDrop(async () => {
    service.kill('SIGTERM')
    await service.finished
    await query(db, `drop role ${old.name}, ${next.name}`)
  })
  // Those that stay open, of each process.
  const lasting = [
    'healthmonitor events',
    'healthmonitor lease',
    'healthmonitor listen',
    'healthmonitor notifier lease',
  ]
  const hasAll = async (role: string) => {
    const names = await connectionsOf(db, role)
    return lasting.every((name) => names.includes(name))
  }
  await until(() => hasAll(old.name), 'all processes')
  file.write(next.url)
  service.kill('SIGHUP')
  await until(() => service.log().split('"part":"DATABASE_URL","changed":true').length > 3, 'three processes')
  assert.deepEqual(await hasAll(old.name), true, 'what is open stays open')
  // As an operator who takes the old role away.
  await query(db, `alter role ${old.name} nologin`)
  await query(db, 'select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [old.name])
  await until(() => hasAll(next.name), 'all processes with the new role')
  assert.deepEqual(await connectionsOf(db, old.name), [])
  await until(async () => (await fetch(`${service.api}/v2.0/lbaas/pools`)).status === 200, 'the API')

  const elsewhere = new URL(next.url)
  elsewhere.hostname = 'db.example.org'
  file.write(elsewhere.href)
  service.kill('SIGHUP')
  await until(() => /"part":"DATABASE_URL","why":"[^"]*another host/.test(service.log()), 'the refusal')
  const password = next.url.split(':')[2]?.split('@')[0] ?? '?'
  assert.ok(!service.log().includes(password), 'no secret is logged')
})

test('the password of the service account in Keystone: the next login uses the new one', async (t) => {
  const keystone = await startFakeKeystone(t)
  const database = await testDatabase(t)
  const { url } = database
  const file = secretFile('old-password')
  const { child, output, finished } = startProgram(['api'], {
    DATABASE_URL: url,
    HM_LISTEN: '127.0.0.1:0',
    HM_METRICS_LISTEN: 'off',
    HM_AUTH: 'keystone',
    HM_KEYSTONE_URL: keystone.url,
    HM_KEYSTONE_USERNAME: 'healthmonitor',
    HM_KEYSTONE_PASSWORD_FILE: file.path,
    HM_KEYSTONE_PROJECT: 'service',
    HM_TOKEN_CACHE_MS: '0',
  })
  database.beforeDrop(async () => {
    child.kill('SIGTERM')
    await finished
  })
  await until(() => /API at \S+/.test(output.out), 'the API')
  const api = /API at (\S+)\/v2\.0/.exec(output.out)?.[1] ?? ''
  keystone.tokens.set('user-token', tokenEnding('validate-nocatalog-200', new Date(Date.now() + 3_600_000)))
  const ask = async () =>
    (await fetch(`${api}/v2.0/lbaas/pools`, { headers: { 'x-auth-token': 'user-token' } })).status
  assert.equal(await ask(), 200)
  file.write('new-password')
  child.kill('SIGHUP')
  await until(() => output.err.includes('"part":"HM_KEYSTONE_PASSWORD","changed":true'), 'the new password')
  // Keystone revokes tokens of an account whose password changes.
  keystone.forgetLogins()
  assert.equal(await ask(), 200)
  assert.deepEqual(keystone.loginPasswords, ['old-password', 'new-password'])
  assert.doesNotMatch(output.err, /(old|new)-password/)
})

test('the URLs of RabbitMQ: the next connection goes there, as that user', async (t) => {
  const database = await testDatabase(t)
  const brokers = await Promise.all([aBroker(t), aBroker(t)])
  const [first, second] = brokers
  const file = secretFile(`amqp://one:secret-1@127.0.0.1:${first.port}`)
  const notifier = startNotifierProcess(database, { HM_AMQP_URL_FILE: file.path })
  const isReady = async () =>
    (await query(database.db, `select from delivery where receiver = 'amqp'`)).length > 0
  await until(isReady, 'the receiver')
  await tellOf(database.db, memberIds(1))
  await until(() => first.connections() > 0, 'a try at the first broker')
  file.write(`amqp://two:secret-2@127.0.0.1:${second.port}`)
  notifier.child.kill('SIGHUP')
  await until(() => second.connections() > 0, 'a try at the second broker')
  assert.match(notifier.log(), /"part":"HM_AMQP_URL","changed":true/)
  file.write('http://mq.example.org')
  notifier.child.kill('SIGHUP')
  await until(() => /"part":"HM_AMQP_URL","why":"/.test(notifier.log()), 'the refusal')
  assert.doesNotMatch(notifier.log(), /secret-[12]/)
})

/** Takes connections, and ends them when it was greeted: nobody gets anything. */
async function aBroker(t: TestContext) {
  let count = 0
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (greeting) => {
      if (greeting.toString('latin1').startsWith('AMQP')) count += 1
      socket.destroy()
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  t.after(() => server.close())
  return { port: (server.address() as AddressInfo).port, connections: () => count }
}
