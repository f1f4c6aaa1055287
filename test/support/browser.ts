/** A headless Chromium (Debian's) by playwright-core: pages that reach nothing but 127.0.0.1, and what they complain of. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import type { Ending } from './database.ts'

const PROGRAM = '/usr/bin/chromium'
/** Milliseconds for a step of a person on a busy machine. */
const STEP_MS = 30_000

/** Absent = tests of the page are skipped. */
export const hasChromium = existsSync(PROGRAM)

export interface WatchedPage {
  readonly page: Page
  /** Errors and warnings of the console, exceptions, and what the policy of the page refused. */
  readonly complaints: readonly string[]
}

/** Starts it; it ends with the test. */
export async function startChromium(t: Ending): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: PROGRAM,
    // It cannot make its sandbox as root; nothing is opened but our own page.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    ],
  })
  t.after(() => browser.close())
  return browser
}

export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  context.setDefaultTimeout(STEP_MS)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() !== 'log') complaints.push(`${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.addInitScript(`document.addEventListener('securitypolicyviolation', (event) => {
    console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI)
  })`)
  await page.goto(url)
  return { page, complaints }
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Violation {
  readonly id: string
  readonly help: string
  readonly nodes: readonly { readonly html: string }[]
}

/** Asserts that axe-core finds nothing wrong with the page as it is now (WCAG 2.2 A and AA, and its best practices). */
export async function assertAccessible(page: Page, what: string): Promise<void> {
  // As a developer's tools would: the policy of the page holds for the page.
  await page.evaluate(AXE)
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run: () => Promise<{ violations: readonly Violation[] }> }
    }
    return (await axe.run()).violations.map(({ id, help, nodes }) => ({
      id,
      help,
      nodes: nodes.slice(0, 3).map(({ html }) => html),
    }))
  })
  assert.deepEqual(violations, [], what)
}
