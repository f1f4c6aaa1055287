/** "Probe now" on the page of a member, in a real browser. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { keystoneClient } from '../../src/identity/keystone-client.ts'
import { keystoneHttp } from '../../src/identity/keystone-http.ts'
import { keystoneIdentity } from '../../src/identity/keystone-identity.ts'
import { keystoneSignIn } from '../../src/identity/sign-in.ts'
import { startApi } from '../support/api.ts'
import { assertAccessible, hasChromium, openPage, startChromium } from '../support/browser.ts'
import { insertMembers, insertPool } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { inAnHour, startFakeKeystone, tokenEnding } from '../support/fake-keystone.ts'
import { aTarget, decided, probeWorld } from '../support/probe-now.ts'

const skip = hasChromium ? false : 'no chromium (Debian: chromium)'
const ACCOUNT = { username: 'octavia', password: 'secret', project: 'service', domain: 'Default' }

test('a click makes one probe, and shows its result and phases, while the status stays', {
  skip,
}, async (t) => {
  const world = await probeWorld(t)
  const target = await aTarget(t)
  const [member] = await world.members([target.port], undefined, 'default-project')
  world.prober()
  await decided(world, member!, 'ONLINE')
  const { page, complaints } = await openPage(
    await startChromium(t),
    `${world.api.url}/ui/#/members/${member!.memberId}`,
  )
  const button = page.getByRole('button', { name: 'Probe now' })
  const shown = page.locator('.probe-now')
  await button.click()
  await shown.getByText(/\(PASSED\) at .*, after /).waitFor()
  await shown.getByText('connect', { exact: true }).waitFor()
  await assertAccessible(page, 'a member that was probed')
  await target.stop()
  await button.click()
  await shown.getByText(/\(CONNECT_REFUSED\)/).waitFor()
  await shown.getByText('connect ECONNREFUSED').waitFor()
  await shown.getByText('This probe did not count').waitFor()
  assert.equal((await world.health(member!)).body.health.status, 'ONLINE')
  assert.deepEqual(complaints, [])
})

/** A page of somebody who may read the project, and not write. */
async function asReader(t: TestContext) {
  const keystone = await startFakeKeystone(t)
  const document = tokenEnding('validate-nocatalog-200', inAnHour())
  document.token['project'] = { id: 'shop-id', name: 'shop', domain: { id: 'default', name: 'Default' } }
  document.token['roles'] = [{ id: 'm', name: 'reader' }]
  keystone.tokens.set('token-of-alice', document)
  keystone.people.set('alice', { password: 'correct horse', token: 'token-of-alice' })
  const log = { warn: () => undefined, info: () => undefined }
  const client = keystoneClient({ url: keystone.url, account: ACCOUNT, log })
  const http = keystoneHttp(keystone.url)
  t.after(() => Promise.all([client.close(), http.close()]).then(() => undefined))
  const identify = keystoneIdentity({ client, url: keystone.url, cacheMs: 3_600_000 })
  const signIn = keystoneSignIn({ http, forget: identify.forget })
  const { db } = await testDatabase(t)
  const api = await startApi(t, { db, identity: { identify, signIn }, loopbackHostsOnly: false })
  const { poolId } = await insertPool(db, {}, 'shop-id')
  const [id] = await insertMembers(db, poolId, [{ address: '127.0.0.1', port: 1 }])
  const { page } = await openPage(await startChromium(t), `${api.url}/ui/`)
  await page.getByLabel('User').fill('alice')
  await page.getByLabel('Password').fill('correct horse')
  await page.getByLabel('Project').fill('shop')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('project shop-id').waitFor()
  await page.goto(`${api.url}/ui/#/members/${id}`)
  return page
}

test('who may not write has no button', { skip }, async (t) => {
  const page = await asReader(t)
  await page.getByRole('region', { name: 'What happens next' }).waitFor()
  assert.equal(await page.getByRole('button', { name: /Probe/ }).count(), 0)
})
