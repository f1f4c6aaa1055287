/** `/docs` in a browser: every question that can be asked of a fresh service is asked from the page. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { openPage, startChromium, TALL } from '../support/browser.ts'
import { startForClients } from '../support/client-service.ts'

/** Operations of one page: it draws all that it has after each step, and of the whole document that takes seconds. */
const OF_A_PAGE = 15

/** The browser notes each 404; Swagger UI has no field of its own for the format uuid, says so, and takes that of texts. */
const EXPECTED = ['status of 404', 'JsonSchema_string_uuid']

/** Milliseconds for a step: some answers are long texts, which the page colours as it shows them. */
const STEP_MS = 120_000

/** Opens an operation, presses "Try it out" and "Execute", closes it again; the status that was answered. */
async function execute(page: Page, operationId: string): Promise<number> {
  const block = page.locator(`.opblock[id$="-${operationId}"]`)
  // Without a pointer: the page is drawn very small, so that all of it is in sight.
  const press = (selector: string) => block.locator(selector).dispatchEvent('click')
  await press('.opblock-summary-control')
  await press('.try-out__btn')
  await press('.btn.execute')
  const status = block
    .locator('.live-responses-table tbody .response-col_status')
    .filter({ hasText: /^[0-9]{3}/ })
  const shown = (await status.innerText()).slice(0, 3)
  await press('.opblock-summary-control')
  return Number(shown)
}

type Described = { readonly paths: Readonly<Record<string, DescribedPath>> }
type DescribedPath = {
  readonly parameters?: readonly unknown[]
  readonly get?: { readonly operationId: string }
}

/** The document with nothing but these reads. */
function only(document: Described, paths: readonly string[]): Described {
  const kept = paths.map((path) => {
    const { parameters, get } = document.paths[path] ?? {}
    return [path, { parameters, get }]
  })
  return { ...document, paths: Object.fromEntries(kept) as Described['paths'] }
}

test('every GET of the docs page can be executed as it is filled in: lists are answered, and only objects that were not created are missing', async (t) => {
  const [{ api }, browser] = await Promise.all([startForClients(t, 'development'), startChromium(t)])
  const document = (await (await fetch(`${api}/docs/openapi.json`)).json()) as Described
  const reads = Object.keys(document.paths).filter((path) => document.paths[path]?.get !== undefined)
  assert.ok(reads.length > 60)
  for (let from = 0; from < reads.length; from += OF_A_PAGE) {
    const paths = reads.slice(from, from + OF_A_PAGE)
    const { page, complaints } = await openPage(browser, `${api}/docs`, {
      ...TALL,
      instead: { [`${api}/docs/openapi.json`]: only(document, paths) },
    })
    page.setDefaultTimeout(STEP_MS)
    await page
      .locator('.opblock')
      .nth(paths.length - 1)
      .waitFor()
    assert.equal(await page.locator('.opblock').count(), paths.length)
    for (const path of paths) {
      const operationId = document.paths[path]?.get?.operationId ?? ''
      const status = await execute(page, operationId)
      const namesOne = path.includes('{') || path === '/v1/uptime'
      const expected = namesOne ? [200, 404] : [200]
      assert.ok(expected.includes(status), `${operationId}, ${path}: ${status}`)
    }
    const own = complaints.filter((message) => !EXPECTED.some((expected) => message.includes(expected)))
    assert.deepEqual(own, [])
    await page.context().close()
  }
})
