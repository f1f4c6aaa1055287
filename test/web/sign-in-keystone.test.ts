/** Sign-in to the page with a real Keystone, which test/clients/keystone-up.sh has started (KEYSTONE_URL). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApi } from '../support/api.ts'
import { hasChromium, openPage, signInOn, startChromium } from '../support/browser.ts'
import { keystoneIdentityAt } from '../support/keystone-identity.ts'
import { KEYSTONE_URL, projectScope, SERVICE_ACCOUNT, tokenOf } from '../support/keystone.ts'

const skip = hasChromium
  ? process.env['KEYSTONE_URL'] === undefined && 'no KEYSTONE_URL: test/clients/keystone-up.sh starts one'
  : 'no chromium (Debian: chromium)'

test('a user of a real Keystone signs in with a password, sees the project, and signs out for good', {
  skip,
}, async (t) => {
  const identity = keystoneIdentityAt(t, { url: KEYSTONE_URL, account: SERVICE_ACCOUNT, cacheMs: 1000 })
  const api = await startApi(t, { identity, loopbackHostsOnly: false })
  const created = await api.request(
    'POST',
    '/v2.0/lbaas/loadbalancers',
    { loadbalancer: { name: 'shop', vip_subnet_id: '11111111-1111-4111-8111-111111111111' } },
    { 'x-auth-token': await tokenOf('demo', projectScope('demo')) },
  )
  assert.equal(created.status, 201)

  const { page } = await openPage(await startChromium(t), `${api.url}/ui/`)
  await signInOn(page, { user: 'demo', password: 'not the password', project: 'demo' })
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
