/** Sign-in to the page, against a service that asks Keystone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keystoneClient } from '../../src/identity/keystone-client.ts'
import { keystoneHttp } from '../../src/identity/keystone-http.ts'
import { keystoneIdentity } from '../../src/identity/keystone-identity.ts'
import { keystoneSignIn } from '../../src/identity/sign-in.ts'
import { startApi } from '../support/api.ts'
import { assertAccessible, hasChromium, openPage, startChromium } from '../support/browser.ts'
import { inAnHour, startFakeKeystone, tokenEnding } from '../support/fake-keystone.ts'

const skip = hasChromium ? false : 'no chromium (Debian: chromium)'
const ACCOUNT = { username: 'octavia', password: 'secret', project: 'service', domain: 'Default' }

test('who signs in sees the project of the token, and after the sign-out nothing, also in an open page', {
  skip,
}, async (t) => {
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
  const api = await startApi(t, { identity: { identify, signIn }, loopbackHostsOnly: false })

  const { page, complaints } = await openPage(await startChromium(t), `${api.url}/ui/`)
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await assertAccessible(page, 'the sign-in')
  await page.getByLabel('User').fill('alice')
  await page.getByLabel('Password').fill('wrong')
  await page.getByLabel('Project').fill('shop')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('alert').getByText('is wrong').waitFor()
  await page.getByLabel('Password').fill('correct horse')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { level: 1, name: 'There are no members yet' }).waitFor()
  await page.getByText('project shop-id').waitFor()
  assert.equal(await page.getByRole('link', { name: 'Probers' }).count(), 0, 'a reader is no administrator')
  const [cookie] = await page.context().cookies()
  assert.deepEqual([cookie?.httpOnly, cookie?.sameSite], [true, 'Strict'])
  assert.equal(await page.evaluate('document.cookie'), '')

  const other = await page.context().newPage()
  await other.goto(`${api.url}/ui/#/events`)
  await other.getByRole('heading', { level: 1, name: 'Events' }).waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  assert.equal(keystone.tokens.has('token-of-alice'), false)
  await other.goto(`${api.url}/ui/#/`)
  await other.getByRole('heading', { name: 'Sign in' }).waitFor()
  // A browser notes each 401: of the first question who one is, and of the wrong password.
  const unexpected = complaints.filter((complaint) => !/status of 401/.test(complaint))
  assert.deepEqual(unexpected, [])
})
