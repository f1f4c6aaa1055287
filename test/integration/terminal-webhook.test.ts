/** `healthmonitor webhook` as a process, against the API, with a receiver of its own. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { startApi } from '../support/api.ts'
import { created, SUBNET } from '../support/api-objects.ts'
import { eventually } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { folderOfTest } from '../support/folders.ts'
import { type Finished, PROGRAM, runProgram } from '../support/service.ts'
import { aSecret, startReceiver } from '../support/webhook-receiver.ts'
import { aNotifier, memberIds, tellOf } from '../support/webhooks.ts'

const PROJECT = 'project-1'

async function aTerminal(t: TestContext) {
  const database = await testDatabase(t)
  const api = await startApi(t, { db: database.db })
  const webhook = (...args: readonly string[]) =>
    runProgram(['webhook', ...args], { HM_LISTEN: `127.0.0.1:${api.port}`, OS_PROJECT_ID: PROJECT })
  const done = async (...args: readonly string[]): Promise<string> => {
    const { code, out, err } = await webhook(...args)
    assert.deepEqual([code, err], [0, ''], args.join(' '))
    return out
  }
  const stored = async () =>
    (
      await query<{
        id: string
        name: string
        url: string
        format: string
        secrets: readonly string[]
        filter: object
        enabled: boolean
        project_id: string | null
      }>(database.db, 'select * from webhook order by created_at')
    ).at(-1)
  return { database, api, webhook, done, stored, as: { 'x-project-id': PROJECT } }
}

test('a webhook is made with a secret that is shown once, listed, shown, changed by its name and deleted', async (t) => {
  const { done, stored, webhook } = await aTerminal(t)
  assert.equal(await done('list'), 'There are no webhooks.\n')
  const made = await done('create', '--name', 'pager', '--receiver', 'http://127.0.0.1:9/in?key=1')
  const secret = /^secret +(whsec_\S+)$/m.exec(made)?.[1]
  assert.deepEqual((await stored())?.secrets, [secret])
  assert.match(made, /it is shown only now/)
  const listed = await done('list')
  assert.match(listed, /^WEBHOOK +STATE +WAITING +LAG +DEAD +FORMAT +RECEIVER/)
  assert.match(listed, /^pager +on +0 +0 +cloudevents +http:\/\/127\.0\.0\.1:9\/in\?\*\*\*$/m)
  const shown = await done('show', 'pager')
  assert.match(shown, /^events +all$/m)
  for (const text of [listed, shown]) assert.ok(!text.includes(secret ?? '?'))
  const { id } = JSON.parse(await done('show', (await stored())?.id ?? '', '--json')).webhook
  await done(
    'change',
    'pager',
    '--name',
    'phone',
    '--disable',
    '--type',
    'member.status,pool.status',
    '--to',
    'OFFLINE',
  )
  const changed = await stored()
  assert.deepEqual(
    [changed?.id, changed?.name, changed?.enabled, changed?.filter, changed?.url],
    [
      id,
      'phone',
      false,
      { types: ['member.status', 'pool.status'], to: ['OFFLINE'] },
      'http://127.0.0.1:9/in?key=1',
    ],
  )
  await done('change', 'phone', '--all-events', '--enable')
  assert.deepEqual([(await stored())?.filter, (await stored())?.enabled], [{}, true])
  assert.equal(await done('delete', 'phone'), 'webhook phone: deleted\n')
  const gone = await webhook('show', 'phone')
  assert.deepEqual([gone.code, gone.err], [2, 'healthmonitor webhook: there is no webhook "phone"\n'])
})

test('secrets and URLs that are keys come out of files or of standard input, and one secret follows the other', async (t) => {
  const { api, done, stored, webhook } = await aTerminal(t)
  const folder = folderOfTest()
  const [first, second] = [aSecret(), aSecret()]
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const url = 'https://hooks.example.org/services/key'
  const kept = ['--receiver-file', file('url', `${url}\n`), '--secret-file', file('one', `${first}\n`)]
  const made = await done('create', '--name', 'chat', '--format', 'slack', ...kept)
  assert.ok(!made.includes('services/key') && !made.includes(first), 'neither is repeated')
  assert.deepEqual([(await stored())?.url, (await stored())?.secrets], [url, [first]])
  const piped = await withInput(
    ['webhook', 'change', 'chat', '--secret-file', '-', '--url', api.url, '--project', PROJECT],
    `${second}\n${first}\n`,
  )
  assert.deepEqual([piped.code, piped.err], [0, ''])
  assert.deepEqual((await stored())?.secrets, [second, first])
  await done('change', 'chat', '--drop-old-secret')
  assert.deepEqual((await stored())?.secrets, [second])
  const renewed = /^secret +(whsec_\S+)$/m.exec(await done('change', 'chat', '--new-secret'))?.[1]
  assert.deepEqual((await stored())?.secrets, [renewed, second])
  const again = JSON.parse(await done('change', 'chat', '--new-secret', '--json')).webhook
  assert.deepEqual((await stored())?.secrets[0], again.secrets[0])
  const bad = await webhook('change', 'chat', '--secret-file', file('bad', 'whsec_short'))
  assert.equal(bad.code, 2)
  assert.ok(!bad.err.includes('short'))
})

test('the filter is said by names', async (t) => {
  const { api, done, stored } = await aTerminal(t)
  const as = { 'x-project-id': PROJECT }
  const { id: loadBalancer } = await created(api, 'loadbalancers', { name: 'web', vip_subnet_id: SUBNET }, as)
  const fields = { name: 'app', loadbalancer_id: loadBalancer, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' }
  const { id: pool } = await created(api, 'pools', fields, as)
  const target = { name: 'web-1', address: '127.0.0.1', protocol_port: 81, subnet_id: SUBNET }
  const { id: member } = await created(api, `pools/${pool}/members`, target, as)
  const receiver = ['--receiver', 'http://127.0.0.1:9/']
  await done('create', ...receiver, '--loadbalancer', 'web', '--pool', 'app', '--member', 'web-1')
  assert.deepEqual((await stored())?.filter, {
    loadbalancer_id: loadBalancer,
    pool_id: pool,
    member_id: member,
  })
})

test('a test says whether it was delivered, in words and by the exit code', async (t) => {
  const { done, webhook } = await aTerminal(t)
  const receiver = await startReceiver(t)
  await done('create', '--name', 'pager', '--receiver', receiver.url)
  assert.match(
    await done('test', 'pager'),
    /^webhook pager: the test was delivered, status 204, after \d+ ms\n$/,
  )
  receiver.answer = () => 500
  const refused = await webhook('test', 'pager')
  assert.equal(refused.code, 1)
  assert.match(refused.out, /: the test was refused, status 500, after \d+ ms: the receiver answered 500$/m)
  await receiver.away()
  const away = await webhook('test', 'pager', '--json')
  assert.deepEqual([away.code, JSON.parse(away.out).test.result], [1, 'unreachable'])
})

test('dead letters are listed with their events and sent again, one or all', async (t) => {
  const { database, done, webhook } = await aTerminal(t)
  const { db } = database
  const receiver = await startReceiver(t)
  await aNotifier(database)
  receiver.answer = () => 422
  const secret = join(folderOfTest(), 'secret')
  writeFileSync(secret, receiver.secret)
  await done('create', '--name', 'pager', '--receiver', receiver.url, '--secret-file', secret)
  await tellOf(db, memberIds(3))
  const list = async () => JSON.parse(await done('list', '--json')).webhooks[0]
  await eventually('failures', async () => (await list()).last_error === 'the receiver answered 422')
  await query(db, `update webhook_delivery set queued_at = now() - interval '25 hours'`)
  await query(db, 'update webhook_hold set retry_at = now()')
  await query(db, `select pg_notify('healthmonitor_webhooks', '')`)
  await eventually('dead letters', async () => (await list()).dead_letters.kept === 3)
  const letters = await done('dead-letters', 'pager', '--limit', '2')
  assert.match(letters, /^ID +GIVEN UP +EVENT +WHY$/m)
  assert.match(letters, /OFFLINE +member .* the receiver answered 422$/m)
  assert.match(letters, /^… and 1 older one: --limit shows them$/m)
  const [newest] = JSON.parse(await done('dead-letters', 'pager', '--json')).dead_letters
  receiver.answer = () => 204
  assert.equal(await done('resend', 'pager', newest.id), 'webhook pager: 1 event to be sent again\n')
  await receiver.until(1)
  assert.equal(receiver.heard[0]?.id, newest.event.id)
  assert.equal(await done('resend', 'pager', '--all'), 'webhook pager: 2 events to be sent again\n')
  await receiver.until(3)
  assert.equal(await done('dead-letters', 'pager'), 'There are no dead letters.\n')
  const none = await webhook('resend', 'pager', newest.id)
  assert.equal(none.code, 2)
})

test('what is not understood is one line and exit code 2, before the service is asked', async () => {
  const cases: readonly (readonly [args: readonly string[], line: RegExp])[] = [
    [[], /ACTION is missing/],
    [['burn'], /ACTION "burn" must be one of list, show/],
    [['show'], /WEBHOOK is missing/],
    [['list', 'pager'], /"pager" is not understood/],
    [['list', '--name', 'x'], /--name is not for list/],
    [['delete', 'x', '--all'], /--all is not for delete/],
    [['resend', 'x'], /resend takes LETTERs, or --all/],
    [['resend', 'x', '1', '--all'], /resend takes LETTERs, or --all/],
  ]
  for (const [args, line] of cases) {
    const { code, err, out } = await runProgram(['webhook', ...args, '--url', 'http://127.0.0.1:1'])
    assert.deepEqual([code, out], [2, ''], args.join(' '))
    assert.match(err, line)
  }
})

/** Runs the program with this on its standard input. */
async function withInput(args: readonly string[], input: string): Promise<Finished> {
  const { PATH } = process.env
  const child = spawn(process.execPath, [PROGRAM, ...args], { env: { PATH } })
  let [out, err] = ['', '']
  child.stdout.on('data', (data: Buffer) => (out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (err += data.toString()))
  child.stdin.end(input)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, out, err }
}
