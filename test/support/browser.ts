/** A headless Chromium (Debian's) by playwright-core: pages that reach nothing but 127.0.0.1, and what they complain of. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
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
  /** Addresses that the page has asked for, its own first. */
  readonly requests: readonly string[]
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

export interface PageOptions extends BrowserContextOptions {
  /** Answers of JSON that the page gets instead of the server's, by address. */
  readonly instead?: Readonly<Record<string, unknown>>
}

/** Tall enough for all of a long page: what is out of sight is not drawn by pages that scroll through long lists. */
export const TALL: BrowserContextOptions = {
  viewport: { width: 1280, height: 50_000 },
  deviceScaleFactor: 0.1,
}

/** Opens the address in a context of its own: nothing of other pages is there. */
export async function openPage(
  browser: Browser,
  url: string,
  { instead = {}, ...options }: PageOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  context.setDefaultTimeout(STEP_MS)
  const page = await context.newPage()
  const requests: string[] = []
  page.on('request', (request) => requests.push(request.url()))
  await answerInstead(page, instead)
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() !== 'log') complaints.push(`${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.addInitScript(`document.addEventListener('securitypolicyviolation', (event) => {
    console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI)
  })`)
  await page.goto(url)
  return { page, complaints, requests }
}

/** Set to make the pictures of docs/ui.md anew. */
const PICTURES = process.env['HM_TEST_PICTURES']

/** A picture of the whole page as it is now, for docs/ui.md, when HM_TEST_PICTURES names a folder for it. */
export async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return
  mkdirSync(PICTURES, { recursive: true })
  await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true })
}

/** Not by `page.route`: with that, playwright answers no request for /favicon.ico. */
async function answerInstead(page: Page, instead: Readonly<Record<string, unknown>>): Promise<void> {
  const patterns = Object.keys(instead).map((urlPattern) => ({ urlPattern }))
  if (patterns.length === 0) return
  const session = await page.context().newCDPSession(page)
  session.on('Fetch.requestPaused', ({ requestId, request }) => {
    const body = Buffer.from(JSON.stringify(instead[request.url])).toString('base64')
    const responseHeaders = [{ name: 'Content-Type', value: 'application/json' }]
    void session.send('Fetch.fulfillRequest', { requestId, responseCode: 200, responseHeaders, body })
  })
  await session.send('Fetch.enable', { patterns })
}

/** Fills in the sign-in of the page, whose domain stays as it is, and sends it. */
export async function signInOn(
  page: Page,
  { user, password, project }: { readonly user: string; readonly password: string; readonly project: string },
): Promise<void> {
  await page.getByLabel('User').fill(user)
  await page.getByLabel('Password').fill(password)
  await page.getByLabel('Project').fill(project)
  await page.getByRole('button', { name: 'Sign in' }).click()
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
