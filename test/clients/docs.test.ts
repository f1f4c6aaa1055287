/** `/docs` in a browser: Debian's Chromium, without a window. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPage, startChromium, TALL } from '../support/browser.ts'
import { startForClients } from '../support/client-service.ts'
import { operations } from '../support/openapi.ts'

test('a browser shows every operation at /docs, reports no error and calls no other server', async (t) => {
  const { api } = await startForClients(t, 'development')
  const { page, requests, complaints } = await openPage(await startChromium(t), `${api}/docs`, TALL)
  await page
    .locator('.opblock')
    .nth(operations.length - 1)
    .waitFor()
  const shown = (await page.evaluate(
    `[...document.querySelectorAll('.opblock')].map((block) => block.id.replace(/^operations-.*-/, ''))`,
  )) as string[]
  assert.deepEqual(shown.toSorted(), operations.map(({ operation }) => operation.operationId).toSorted())

  // An operation opens, and is tried from the page.
  await page.locator('#operations-Quotas-elbListQuotas .opblock-summary-control').click()
  await page.getByRole('button', { name: 'Try it out' }).click()
  await page.getByRole('button', { name: 'Execute' }).click()
  await page.locator('.live-responses-table tbody .response-col_status').filter({ hasText: /^200/ }).waitFor()

  assert.ok(requests.includes(`${api}/elb/v2.0/lbaas/quotas`), requests.join('\n'))
  t.diagnostic(`${operations.length} operations, ${requests.length} requests`)
  const origins = new Set(
    requests.filter((url) => !url.startsWith('data:')).map((url) => new URL(url).origin),
  )
  assert.deepEqual([...origins], [api])
  assert.deepEqual(complaints, [])
})
