/**
 * `node dist/bench/page.js [--members 10,10000,100000] [--minutes 60] [--flips 20]`
 *
 * The page in a headless Chromium (Debian's): bytes and time until the first rows are on the screen, by the number of members;
 * then how long after a decision it is on the screen, and, while members flip for `--minutes`, the memory of the tab after a
 * garbage collection, once a minute. Decisions are written as probers write them. On loopback, with a PostgreSQL of its own.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { type Browser, type CDPSession, chromium, type Page } from 'playwright-core'
import { type Database, openDatabase } from '../src/store/connection/database.ts'
import { commandLine } from './command-line.ts'
import { type Decide, decider } from './decisions.ts'
import { kindOf } from './engine-kinds.ts'
import { storeMembers } from './member-rows.ts'
import { startPostgres } from './postgres.ts'
import { endService, printedAddresses, startService } from './service.ts'

const PROGRAM = '/usr/bin/chromium'
const MEGABYTE = 1024 * 1024
/** Members that flip, one after another. */
const FLAPPING = 200
const CHANGES = 50
const DECIDED_AT_ONCE = 1000

const values = commandLine('node dist/bench/page.js [options]', {
  members: '10,10000,100000',
  minutes: '60',
  flips: '20',
})

async function main(): Promise<void> {
  const browser = await chromium.launch({
    executablePath: PROGRAM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--js-flags=--expose-gc'],
  })
  try {
    const sizes = values.members.split(',').map(Number)
    for (const members of sizes) {
      await withService(members, async ({ url, decide }) => {
        await measurePaint(browser, { url, members })
        if (members === sizes.at(-1)) await measureTab(browser, { url, decide, members })
      })
    }
  } finally {
    await browser.close()
  }
}

interface World {
  readonly url: string
  readonly decide: Decide
}

async function withService(members: number, use: (world: World) => Promise<void>): Promise<void> {
  const postgres = await startPostgres()
  const service = startService(
    {
      DATABASE_URL: postgres.url,
      HM_LISTEN: '127.0.0.1:0',
      HM_DEFAULT_PROJECT: 'bench',
      HM_PROBERS: '0',
    },
    { stdout: 'pipe' },
  )
  let db: Database | undefined
  try {
    const url = new URL((await printedAddresses(service)).api).origin
    db = openDatabase({ url: postgres.url, applicationName: 'bench', maxConnections: 2 })
    const monitor = { ...kindOf('tcp').monitor, delaySeconds: 5, timeoutSeconds: 3 }
    await storeMembers(db, monitor, { count: members, perPool: 500, port: 80 })
    const decide = await decider(db)
    await decideAll(decide, members)
    await use({ url, decide })
  } finally {
    await endService(service)
    await db?.destroy()
    await postgres.stop()
  }
}

/** One of a hundred is OFFLINE. */
async function decideAll(decide: Decide, members: number): Promise<void> {
  for (let n = 0; n < members; n += DECIDED_AT_ONCE) {
    const some = Array.from({ length: Math.min(DECIDED_AT_ONCE, members - n) }, (_, i) => n + i)
    await decide(some, 'ONLINE')
    const failing = some.filter((member) => member % 100 === 1)
    if (failing.length > 0) await decide(failing, 'OFFLINE')
  }
}

/** The first visit warms the service and is not counted; each has an empty cache. */
async function measurePaint(
  browser: Browser,
  { url, members }: { readonly url: string; readonly members: number },
): Promise<void> {
  const visits: Visit[] = []
  for (let i = 0; i < 4; i++) visits.push(await visit(browser, url))
  const counted = visits.slice(1)
  const times = counted.map(({ rowsMs }) => rowsMs).toSorted((a, b) => a - b)
  const paints = counted.map(({ paintMs }) => paintMs).toSorted((a, b) => a - b)
  console.log(
    `${members} members: first paint ${ms(paints[1])}, first rows ${ms(times[1])} (worst of three ${ms(times[2])}), ` +
      `${((counted[0]?.bytes ?? 0) / 1024).toFixed(1)} KB received`,
  )
}

const ms = (value = 0): string => `${value.toFixed(0)} ms`

interface Visit {
  readonly paintMs: number
  readonly rowsMs: number
  readonly bytes: number
}

async function visit(browser: Browser, url: string): Promise<Visit> {
  const context = await browser.newContext()
  const page = await context.newPage()
  const session = await context.newCDPSession(page)
  await session.send('Network.enable')
  let bytes = 0
  session.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength))
  const start = performance.now()
  await page.goto(`${url}/ui/`)
  await page.getByRole('row').nth(1).waitFor()
  const rowsMs = performance.now() - start
  const paintMs = await page.evaluate(
    () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0,
  )
  await context.close()
  return { paintMs, rowsMs, bytes }
}

async function measureTab(
  browser: Browser,
  { url, decide, members }: { readonly url: string; readonly decide: Decide; readonly members: number },
): Promise<void> {
  const context = await browser.newContext()
  const page = await context.newPage()
  const session = await context.newCDPSession(page)
  await page.goto(`${url}/ui/`)
  await page.getByRole('status').filter({ hasText: 'live' }).waitFor()
  await measureChanges(page, decide)
  await measureMemory(session, { decide, flapping: Math.min(FLAPPING, members) })
  await context.close()
}

/** From the statement of a decision until the newest change of a member on the screen is this one. */
async function measureChanges(page: Page, decide: Decide): Promise<void> {
  const newest = page
    .getByRole('region', { name: 'Last changes' })
    .locator('li:has(a[href^="#/members/"])')
    .first()
  const times: number[] = []
  for (let i = 0; i < CHANGES; i++) {
    const status = i % 2 === 0 ? 'OFFLINE' : 'ONLINE'
    const start = performance.now()
    await decide([0], status)
    await newest
      .locator('.mark .word')
      .filter({ hasText: new RegExp(`^${status}$`) })
      .waitFor()
    times.push(performance.now() - start)
    await wait(200)
  }
  times.sort((a, b) => a - b)
  const at = (q: number) => ms(times[Math.floor(q * (times.length - 1))])
  console.log(`${CHANGES} decisions, until on the screen: p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`)
}

async function measureMemory(
  session: CDPSession,
  { decide, flapping }: { readonly decide: Decide; readonly flapping: number },
): Promise<void> {
  const end = performance.now() + Number(values.minutes) * 60_000
  const state = Array.from({ length: flapping }, () => true)
  let next = 0
  let flips = 0
  let nextLook = performance.now()
  while (performance.now() < end) {
    if (performance.now() >= nextLook) {
      nextLook += 60_000
      await session.send('HeapProfiler.collectGarbage')
      const { usedSize } = await session.send('Runtime.getHeapUsage')
      const { nodes } = await session.send('Memory.getDOMCounters')
      console.log(`${flips} flips: ${(usedSize / MEGABYTE).toFixed(2)} MB of heap, ${nodes} nodes`)
    }
    const isUp = !(state[next] ?? true)
    state[next] = isUp
    await decide([next], isUp ? 'ONLINE' : 'OFFLINE')
    next = (next + 1) % flapping
    flips++
    await wait(1000 / Number(values.flips))
  }
}

await main()
