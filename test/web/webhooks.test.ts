/** Webhooks on the page: how deliveries go, a test and its result, off and on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertAccessible, hasChromium, openPage, startChromium } from '../support/browser.ts'
import { folderOfTest } from '../support/folders.ts'
import { startService } from '../support/service.ts'
import { startReceiver } from '../support/webhook-receiver.ts'

const skip = hasChromium ? false : 'no chromium (Debian: chromium)'

test('a webhook is tested, is seen to fail, and is switched off and on', { skip }, async (t) => {
  const [{ api }, browser, receiver] = await Promise.all([
    startService(t, folderOfTest()),
    startChromium(t),
    startReceiver(t),
  ])
  const send = async (method: string, path: string, body: object) => {
    const answer = await fetch(`${api}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    assert.ok(answer.ok, await answer.clone().text())
    return (await answer.json()) as { readonly webhook: { readonly id: string; readonly enabled: boolean } }
  }
  const { page, complaints } = await openPage(browser, `${api}/ui/`)
  await page.getByRole('link', { name: 'Webhooks' }).click()
  await page.getByRole('heading', { level: 1, name: 'Webhooks' }).waitFor()
  await page.getByText('There are no webhooks.').waitFor()
  await assertAccessible(page, 'no webhooks')

  const fields = { name: 'pager', url: receiver.url, secrets: [receiver.secret] }
  await send('POST', '/v1/webhooks', { webhook: { ...fields, filter: { types: ['config.changed'] } } })
  const row = page.getByRole('row').filter({ hasText: 'pager' })
  await row.getByText('on', { exact: true }).waitFor()
  await row.getByRole('button', { name: 'Send a test to pager' }).click()
  await row.getByText(/^The test was delivered, status 204, after \d+ ms\.$/).waitFor()
  assert.equal(receiver.requests.length, 1)
  assert.equal(receiver.unsigned, 0)
  await assertAccessible(page, 'a webhook that was tested')

  receiver.answer = () => 500
  await row.getByRole('button', { name: 'Send a test to pager' }).click()
  await row.getByText(/^The test was refused, status 500, .*: the receiver answered 500\.$/).waitFor()
  await receiver.away()
  // A change of the configuration is an event that this webhook wants.
  await send('POST', '/v1/webhooks', { webhook: { name: 'other', url: 'http://127.0.0.1:9/' } })
  const lb = { loadbalancer: { name: 'web', vip_subnet_id: '11111111-1111-4111-8111-111111111111' } }
  await fetch(`${api}/v2.0/lbaas/loadbalancers`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(lb),
  })
  await row.getByText('failing', { exact: true }).waitFor()
  await row
    .getByText(/refuse|cannot be reached|connection/)
    .first()
    .waitFor()
  await assertAccessible(page, 'a webhook that fails')

  await row.getByRole('button', { name: 'Switch off… pager' }).click()
  await row.getByRole('button', { name: /^Forget \d+ events and switch off pager$/ }).click()
  await row.getByText('off', { exact: true }).waitFor()
  await row.getByText('nothing', { exact: true }).waitFor()
  await row.getByRole('button', { name: 'Switch on pager' }).click()
  await row.getByText('on', { exact: true }).waitFor()
  assert.deepEqual(complaints, [])
})
