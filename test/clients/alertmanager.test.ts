/** Webhooks of format alertmanager, received by a real Alertmanager (Debian: prometheus-alertmanager). */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { ALERT_RESEND_MS } from '../../src/domain/limits.ts'
import { query } from '../../src/store/connection/database.ts'
import { eventually, insertMembers, insertPool } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { folderOfTest } from '../support/folders.ts'
import { aNotifier, aWebhook, tellOf } from '../support/webhooks.ts'

const PROGRAM = 'prometheus-alertmanager'
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const CONFIGURATION = 'route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n'

/** Starts it on a free port; it ends with the test. Its address. */
async function startAlertmanager(t: TestContext): Promise<string> {
  const folder = folderOfTest()
  const configuration = join(folder, 'alertmanager.yml')
  writeFileSync(configuration, CONFIGURATION)
  const child = spawn(
    PROGRAM,
    [
      `--config.file=${configuration}`,
      `--storage.path=${join(folder, 'alertmanager')}`,
      '--web.listen-address=127.0.0.1:0',
      '--cluster.listen-address=',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  t.after(async () => {
    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    await gone
  })
  for await (const line of createInterface(child.stderr)) {
    const [, address] = /msg="Listening on" address=(127\.0\.0\.1:\d+)/.exec(line) ?? []
    if (address !== undefined) {
      child.stderr.resume()
      return `http://${address}`
    }
  }
  return assert.fail('Alertmanager ended')
}

interface ActiveAlert {
  readonly labels: Record<string, string>
  readonly annotations: Record<string, string>
  readonly status: { readonly state: string }
}

async function activeAlerts(url: string): Promise<readonly ActiveAlert[]> {
  const answer = await fetch(`${url}/api/v2/alerts?active=true`)
  assert.equal(answer.status, 200)
  return (await answer.json()) as ActiveAlert[]
}

test('a member that goes OFFLINE is an active alert of Alertmanager until it is ONLINE again', async (t) => {
  const url = await startAlertmanager(t)
  const database = await testDatabase(t)
  await aNotifier(database)
  const { poolId } = await insertPool(database.db)
  const members = await insertMembers(database.db, poolId, [{ address: '192.0.2.7', port: 443 }])
  await aWebhook(database, { url, secret: SECRET, format: 'alertmanager' })
  await tellOf(database.db, members)
  await eventually('the alert', async () => (await activeAlerts(url)).length === 1)
  const [alert] = await activeAlerts(url)
  assert.deepEqual(
    [alert?.labels['alertname'], alert?.labels['member_id'], alert?.annotations['address']],
    ['HealthMonitorMember', members[0], '192.0.2.7'],
  )
  await tellOf(database.db, members, { to: 'ONLINE' })
  await eventually('its end', async () => (await activeAlerts(url)).length === 0)
})

test('an Alertmanager that was started anew gets what still fires', async (t) => {
  const first = await startAlertmanager(t)
  const second = await startAlertmanager(t)
  const database = await testDatabase(t)
  await aNotifier(database)
  const { poolId } = await insertPool(database.db)
  const members = await insertMembers(database.db, poolId, [{ address: '192.0.2.7', port: 443 }])
  const webhook = await aWebhook(database, { url: first, secret: SECRET, format: 'alertmanager' })
  await tellOf(database.db, members)
  await eventually('the alert', async () => (await activeAlerts(first)).length === 1)
  // It is at the receiver a moment before the notifier has noted that.
  const noted = async () => (await query(database.db, 'select from webhook_alert')).length
  await eventually('the alert is noted', async () => (await noted()) === 1)
  // The one without memory takes its place, and the time until it is sent again passes.
  await query(database.db, 'update webhook set url = $1 where id = $2', [second, webhook])
  await query(database.db, `update webhook_alert set sent_at = now() - $1 * interval '1 ms'`, [
    ALERT_RESEND_MS + 1,
  ])
  await eventually('the alert again', async () => (await activeAlerts(second)).length === 1, 60_000)
})
