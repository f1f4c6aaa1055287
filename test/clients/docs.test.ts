/** `/docs` in a browser: Debian's Chromium, without a window. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPage } from '../support/chromium.ts'
import { startForClients } from '../support/client-service.ts'
import { operations } from '../support/openapi.ts'

test('a browser shows every operation at /docs, reports no error and calls no other server', async (t) => {
  const { api } = await startForClients(t, 'development')
  const page = await openPage(t, `${api}/docs`)
  await page.until(`document.querySelectorAll('.opblock').length >= ${operations.length}`)
  assert.equal(await page.evaluate(`document.querySelectorAll('.opblock').length`), operations.length)
  const shown = await page.evaluate(
    `[...document.querySelectorAll('.opblock')].map((block) => block.id.replace(/^operations-.*-/, ''))`,
  )
  assert.deepEqual(
    new Set(shown as string[]),
    new Set(operations.map(({ operation }) => operation.operationId)),
  )

  // An operation opens, and is tried from the page.
  await page.evaluate(
    `document.querySelector('#operations-Quotas-elbListQuotas .opblock-summary-control').click()`,
  )
  await page.until(`document.querySelector('.try-out__btn') !== null`)
  await page.evaluate(`document.querySelector('.try-out__btn').click()`)
  await page.until(`document.querySelector('.btn.execute') !== null`)
  await page.evaluate(`document.querySelector('.btn.execute').click()`)
  await page.until(
    `document.querySelector('.live-responses-table tbody .response-col_status')?.innerText.startsWith('200') === true`,
  )

  assert.ok(page.requests.includes(`${api}/elb/v2.0/lbaas/quotas`), page.requests.join('\n'))
  t.diagnostic(`${operations.length} operations, ${page.requests.length} requests`)
  const origins = new Set(
    page.requests.filter((url) => !url.startsWith('data:')).map((url) => new URL(url).origin),
  )
  assert.deepEqual([...origins], [api])
  assert.deepEqual(page.complaints, [])
})
