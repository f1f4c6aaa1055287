/** "Probe now" on the page of a member, in a real browser. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { DEFAULT_PROJECT, startApi } from '../support/api.ts'
import { assertAccessible, hasChromium, openPage, signInOn, startChromium } from '../support/browser.ts'
import { insertMembers, insertPool } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { ALICE, keystoneIdentityAt, keystoneWithAlice, SHOP } from '../support/keystone-identity.ts'
import { onlineMember } from '../support/probe-now.ts'

const skip = hasChromium ? false : 'no chromium (Debian: chromium)'

test('a click makes one probe, and shows its result and phases, while the status stays', {
  skip,
}, async (t) => {
  const { world, member, target } = await onlineMember(t, { project: DEFAULT_PROJECT })
  const { page, complaints } = await openPage(
    await startChromium(t),
    `${world.api.url}/ui/#/members/${member.memberId}`,
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
  assert.equal((await world.health(member)).body.health.status, 'ONLINE')
  assert.deepEqual(complaints, [])
})

/** A page of somebody who may read the project, and not write. */
async function asReader(t: TestContext) {
  const keystone = await keystoneWithAlice(t, 'reader')
  const { db } = await testDatabase(t)
  const api = await startApi(t, { db, identity: keystoneIdentityAt(t, keystone), loopbackHostsOnly: false })
  const { poolId } = await insertPool(db, {}, SHOP)
  const [id] = await insertMembers(db, poolId, [{ address: '127.0.0.1', port: 1 }])
  const { page } = await openPage(await startChromium(t), `${api.url}/ui/`)
  await signInOn(page, ALICE)
  await page.getByText(`project ${SHOP}`).waitFor()
  await page.goto(`${api.url}/ui/#/members/${id}`)
  return page
}

test('who may not write has no button', { skip }, async (t) => {
  const page = await asReader(t)
  await page.getByRole('region', { name: 'What happens next' }).waitFor()
  assert.equal(await page.getByRole('button', { name: /Probe/ }).count(), 0)
})
