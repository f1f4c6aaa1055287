/** Sign-in to the page, against a service that asks Keystone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApi } from '../support/api.ts'
import { assertAccessible, hasChromium, openPage, signInOn, startChromium } from '../support/browser.ts'
import {
  ALICE,
  keystoneIdentityAt,
  keystoneWithAlice,
  SHOP,
  TOKEN_OF_ALICE,
} from '../support/keystone-identity.ts'

const skip = hasChromium ? false : 'no chromium (Debian: chromium)'

test('who signs in sees the project of the token, and after the sign-out nothing, also in an open page', {
  skip,
}, async (t) => {
  const keystone = await keystoneWithAlice(t, 'reader')
  const api = await startApi(t, { identity: keystoneIdentityAt(t, keystone), loopbackHostsOnly: false })

  const { page, complaints } = await openPage(await startChromium(t), `${api.url}/ui/`)
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await assertAccessible(page, 'the sign-in')
  await signInOn(page, { ...ALICE, password: 'wrong' })
  await page.getByRole('alert').getByText('is wrong').waitFor()
  await page.getByLabel('Password').fill(ALICE.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { level: 1, name: 'There are no members yet' }).waitFor()
  await page.getByText(`project ${SHOP}`).waitFor()
  assert.equal(await page.getByRole('link', { name: 'Probers' }).count(), 0, 'a reader is no administrator')
  const [cookie] = await page.context().cookies()
  assert.deepEqual([cookie?.httpOnly, cookie?.sameSite], [true, 'Strict'])
  assert.equal(await page.evaluate('document.cookie'), '')

  const other = await page.context().newPage()
  await other.goto(`${api.url}/ui/#/events`)
  await other.getByRole('heading', { level: 1, name: 'Events' }).waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  assert.equal(keystone.tokens.has(TOKEN_OF_ALICE), false)
  await other.goto(`${api.url}/ui/#/`)
  await other.getByRole('heading', { name: 'Sign in' }).waitFor()
  // A browser notes each 401: of the first question who one is, and of the wrong password.
  const unexpected = complaints.filter((complaint) => !/status of 401/.test(complaint))
  assert.deepEqual(unexpected, [])
})
