/** Sign-in to the page with a real Keystone, which test/clients/keystone-up.sh has started (KEYSTONE_URL). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keystoneClient } from '../../src/identity/keystone-client.ts'
import { keystoneHttp } from '../../src/identity/keystone-http.ts'
import { keystoneIdentity } from '../../src/identity/keystone-identity.ts'
import { keystoneSignIn } from '../../src/identity/sign-in.ts'
import { startApi } from '../support/api.ts'
import { hasChromium, openPage, startChromium } from '../support/browser.ts'
import { KEYSTONE_URL, projectScope, SERVICE_ACCOUNT, tokenOf } from '../support/keystone.ts'

const skip = hasChromium
  ? process.env['KEYSTONE_URL'] === undefined && 'no KEYSTONE_URL: test/clients/keystone-up.sh starts one'
  : 'no chromium (Debian: chromium)'

test('a user of a real Keystone signs in with a password, sees the project, and signs out for good', {
  skip,
}, async (t) => {
  const log = { warn: () => undefined, info: () => undefined }
  const client = keystoneClient({ url: KEYSTONE_URL, account: SERVICE_ACCOUNT, log })
  const http = keystoneHttp(KEYSTONE_URL)
  t.after(() => Promise.all([client.close(), http.close()]).then(() => undefined))
  const identify = keystoneIdentity({ client, url: KEYSTONE_URL, cacheMs: 1000 })
  const signIn = keystoneSignIn({ http, forget: identify.forget })
  const api = await startApi(t, { identity: { identify, signIn }, loopbackHostsOnly: false })
  const created = await api.request(
    'POST',
    '/v2.0/lbaas/loadbalancers',
    { loadbalancer: { name: 'shop', vip_subnet_id: '11111111-1111-4111-8111-111111111111' } },
    { 'x-auth-token': await tokenOf('demo', projectScope('demo')) },
  )
  assert.equal(created.status, 201)

  const { page } = await openPage(await startChromium(t), `${api.url}/ui/`)
  await page.getByLabel('User').fill('demo')
  await page.getByLabel('Password').fill('not the password')
  await page.getByLabel('Project').fill('demo')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('alert').getByText('is wrong').waitFor()
  await page.getByLabel('Password').fill('demopw')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('link', { name: 'shop', exact: true }).waitFor()
  const [cookie] = await page.context().cookies()
  assert.deepEqual([cookie?.httpOnly, cookie?.sameSite], [true, 'Strict'])

  const session = { cookie: `${cookie?.name}=${cookie?.value}` }
  assert.equal((await fetch(`${api.url}/v1/overview`, { headers: session })).status, 200)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  assert.equal(
    (await fetch(`${api.url}/v1/overview`, { headers: session })).status,
    401,
    'the token is revoked',
  )
})
