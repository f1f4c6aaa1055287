/**
 * The page as a person uses it, in a real browser against the whole service: from the empty service to seeing why a
 * member is down, a maintenance, on a phone, in the dark, by keyboard. And the pictures of docs/ui.md.
 */
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { assertAccessible, hasChromium, openPage, picture, startChromium } from '../support/browser.ts'
import { folderOfTest } from '../support/folders.ts'
import { startService } from '../support/service.ts'

const skip = hasChromium ? false : 'no chromium (Debian: chromium)'
const SUBNET = '11111111-1111-4111-8111-111111111111'
/** A probe each second, two failures: decided within four seconds, and shown within one more. */
const SHOWN_MS = 15_000

interface World {
  readonly api: string
  readonly browser: Browser
  /** Sends through dialect octavia; gives the object. */
  readonly make: (collection: string, attributes: object) => Promise<{ readonly id: string }>
}

async function aWorld(t: TestContext): Promise<World> {
  const [{ api }, browser] = await Promise.all([startService(t, folderOfTest()), startChromium(t)])
  const make: World['make'] = async (collection, attributes) => {
    const envelope = (collection.split('/').at(-1) ?? '').replace(/s$/, '')
    const answer = await fetch(`${api}/load-balancer/v2.0/lbaas/${collection}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ [envelope]: attributes }),
    })
    assert.equal(answer.status, 201, `${collection}: ${await answer.clone().text()}`)
    return ((await answer.json()) as Record<string, { id: string }>)[envelope] ?? assert.fail(envelope)
  }
  return { api, browser, make }
}

async function aTarget(t: TestContext): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.end()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  t.after(() => server.close())
  return server
}

/** A load balancer `shop` with a pool of TCP checks each second, and a member of each target; ids of the members. */
async function aPool(
  { make }: World,
  name: string,
  targets: readonly Server[],
): Promise<{ pool: string; members: string[] }> {
  const loadBalancer = await make('loadbalancers', { name: `lb-${name}`, vip_subnet_id: SUBNET })
  const ofLoadBalancer = { loadbalancer_id: loadBalancer.id, protocol: 'TCP' }
  const pool = await make('pools', { ...ofLoadBalancer, name, lb_algorithm: 'ROUND_ROBIN' })
  await make('listeners', { ...ofLoadBalancer, protocol_port: 80, default_pool_id: pool.id })
  await make('healthmonitors', {
    pool_id: pool.id,
    type: 'TCP',
    delay: 1,
    timeout: 1,
    max_retries: 2,
    max_retries_down: 2,
  })
  const members: string[] = []
  for (const [i, target] of targets.entries()) {
    const { port } = target.address() as AddressInfo
    const member = { name: `${name}-${i + 1}`, address: '127.0.0.1', protocol_port: port }
    members.push((await make(`pools/${pool.id}/members`, member)).id)
  }
  return { pool: pool.id, members }
}

const row = (page: Page, name: string) =>
  page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) })

test('from the empty service to seeing why a member is down, and back, with nothing reloaded', {
  skip,
}, async (t) => {
  const world = await aWorld(t)
  const { page, complaints } = await openPage(world.browser, `${world.api}/`)
  await page.getByRole('heading', { level: 1, name: 'There are no members yet' }).waitFor()
  assert.equal(new URL(page.url()).pathname, '/ui/')
  await page.getByText('There is no pool yet.').waitFor()
  await page.getByRole('status').filter({ hasText: 'live' }).waitFor()
  await assertAccessible(page, 'the empty overview')
  await page.evaluate(() => Object.assign(globalThis, { isSamePage: true }))

  const targets = await Promise.all([aTarget(t), aTarget(t), aTarget(t)])
  const { members } = await aPool(world, 'web', targets)
  await page.getByRole('heading', { level: 1, name: 'All 3 members are ONLINE' }).waitFor()
  const dying = targets[1] ?? assert.fail()
  const { port } = dying.address() as AddressInfo
  dying.close()
  await page
    .getByRole('heading', { level: 1, name: '1 of 3 members is OFFLINE' })
    .waitFor({ timeout: SHOWN_MS })
  await row(page, 'web').getByText('DEGRADED').waitFor()
  await assertAccessible(page, 'an overview with trouble')
  await picture(page, 'overview')

  await row(page, 'web').getByRole('link', { name: 'web', exact: true }).click()
  await page.getByRole('heading', { level: 1, name: /web$/ }).waitFor()
  const first = page.getByRole('table').getByRole('row').nth(1)
  await first.getByText('OFFLINE').waitFor()
  await first.getByText('The target refused the connection').waitFor()
  await page.getByText('OFFLINE after 2 failures in a row').waitFor()
  await assertAccessible(page, 'a pool')
  await picture(page, 'pool')

  await first.getByRole('link', { name: 'web-2' }).click()
  await page.getByRole('heading', { level: 1, name: 'web-2' }).waitFor()
  assert.match(page.url(), new RegExp(`#/members/${members[1]}$`))
  await page.getByText('The target refused the connection.').waitFor()
  await page.getByText('2 of the 2 that lead to OFFLINE').waitFor()
  await page.locator('.plot canvas').waitFor()
  await page.getByText(/^in \d+ s$/).waitFor()
  const history = page.getByRole('region', { name: 'History' })
  await history.getByText('CONNECT_REFUSED').first().waitFor()
  await history.getByText('Evidence').first().click()
  await history.getByText(String(port)).first().waitFor()
  await page.getByRole('region', { name: 'Uptime' }).getByText('24 hours').waitFor()
  await page
    .getByRole('region', { name: 'What the monitor does' })
    .getByText('field of the monitor')
    .first()
    .waitFor()
  await assertAccessible(page, 'a member')
  await picture(page, 'member')

  await new Promise<void>((listening) => dying.listen(port, '127.0.0.1', listening))
  await page.getByText('The probe passed.').waitFor({ timeout: SHOWN_MS })
  await page.getByRole('link', { name: 'Overview' }).first().click()
  await page.getByRole('heading', { level: 1, name: 'All 3 members are ONLINE' }).waitFor()
  assert.equal(await page.evaluate(() => 'isSamePage' in globalThis), true)
  assert.deepEqual(complaints, [])
})

test('a member that another API keeps has its history, its uptime and its plan on its page', {
  skip,
}, async (t) => {
  const world = await aWorld(t)
  const { port } = (await aTarget(t)).address() as AddressInfo
  const door = `${world.api}/greymatter/v1.0/cluster`
  const check = { timeout_msec: 500, interval_msec: 500, health_checker: { tcp_health_check: {} } }
  const made = await fetch(door, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      cluster_key: 'catalog-service',
      zone_key: 'default-zone',
      name: 'catalog',
      instances: [{ host: '127.0.0.1', port }],
      health_checks: [check],
    }),
  })
  assert.equal(made.status, 200, await made.clone().text())
  const health = (await (await fetch(`${door}/catalog-service/health`)).json()) as {
    readonly result: { readonly instances: readonly { readonly member_id: string }[] }
  }
  const id = health.result.instances[0]?.member_id ?? assert.fail('it is not probed')
  const { page, complaints } = await openPage(world.browser, `${world.api}/ui/#/members/${id}`)
  await page.getByText('greymatter: default-zone').first().waitFor()
  await page
    .getByRole('region', { name: 'History' })
    .getByText('PASSED')
    .first()
    .waitFor({ timeout: SHOWN_MS })
  await page.getByRole('region', { name: 'Uptime' }).getByText('24 hours').waitFor()
  await page.getByRole('region', { name: 'What the monitor does' }).getByText('interval').first().waitFor()
  await assertAccessible(page, 'a member of a door')
  assert.deepEqual(complaints, [])
})

test('a maintenance is begun and ended on the page of a member', { skip }, async (t) => {
  const world = await aWorld(t)
  const { members } = await aPool(world, 'api', [await aTarget(t)])
  const { page, complaints } = await openPage(world.browser, `${world.api}/ui/#/members/${members[0]}`)
  await page.getByRole('button', { name: 'Begin maintenance…' }).click()
  await page.getByRole('form', { name: 'Maintenance of this member' }).waitFor()
  await assertAccessible(page, 'the form of a maintenance')
  await page.getByLabel('For').selectOption('4 hours')
  await page.getByLabel('Note').fill('a new disk')
  await page.getByRole('button', { name: 'Begin', exact: true }).click()
  await page.getByText(/until .*: a new disk\. The published status stays as it is\.$/).waitFor()
  await page.locator('.maintenance .mark').waitFor()
  await page.goto(`${world.api}/ui/#/`)
  const inMaintenance = page.locator('.numbers > div').filter({ hasText: 'maintenance' })
  await inMaintenance.getByText('1', { exact: true }).waitFor()
  await page.goto(`${world.api}/ui/#/members/${members[0]}`)
  await page.getByRole('button', { name: 'End maintenance' }).click()
  await page.getByRole('button', { name: 'Begin maintenance…' }).waitFor()
  assert.deepEqual(complaints, [])
})

test('a maintenance that recurs is begun on the page of a pool, and a rule of the API is shown in words', {
  skip,
}, async (t) => {
  const world = await aWorld(t)
  const { pool, members } = await aPool(world, 'api', [await aTarget(t)])
  const { page, complaints } = await openPage(world.browser, `${world.api}/ui/#/pools/${pool}`)
  await page.getByRole('button', { name: 'Begin maintenance…' }).click()
  await page.getByLabel('Repeat').selectOption('every week')
  await page.getByLabel('First at').fill('2030-01-06T02:00')
  await page.getByLabel('Time zone').selectOption('America/New_York')
  await page.locator('[name=minutes]').selectOption('2 hours')
  await page.getByLabel('Note').fill('updates')
  await assertAccessible(page, 'the form of a maintenance that recurs')
  await page.getByRole('button', { name: 'Begin', exact: true }).click()
  await page
    .getByText(
      /Maintenance from .* every week on Sunday at 02:00 \(America\/New_York\), for 2 h: updates\. Then the published/,
    )
    .waitFor()
  assert.equal(await page.locator('.maintenance .mark').count(), 0, 'it does not last yet')
  await page.getByRole('button', { name: 'End it for good' }).click()
  await page.getByRole('button', { name: 'Begin maintenance…' }).waitFor()
  const recurrence = {
    rrule: 'FREQ=MONTHLY;BYDAY=-1FR;COUNT=5',
    time_zone: 'Europe/Berlin',
    start: '2030-01-01T22:00',
    duration: 5400,
  }
  const path = `load-balancer/v2.0/lbaas/pools/${pool}/members/${members[0]}/maintenance`
  const answer = await fetch(`${world.api}/${path}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ maintenance: { recurrence } }),
  })
  assert.equal(answer.status, 200)
  await page.goto(`${world.api}/ui/#/members/${members[0]}`)
  await page
    .getByText('every month on the last Friday, 5 times at 22:00 (Europe/Berlin), for 1 h 30 min')
    .waitFor()
  assert.deepEqual(complaints, [])
})

test('it can be used on a phone, in the dark, and with the keyboard alone', { skip }, async (t) => {
  const world = await aWorld(t)
  const { pool, members } = await aPool(world, 'cache', [await aTarget(t), await aTarget(t)])
  for (const [width, colorScheme] of [
    [360, 'light'],
    [360, 'dark'],
    // Where the menu takes more than one line on some phones.
    [390, 'light'],
    [1280, 'dark'],
  ] as const) {
    const { page, complaints } = await openPage(world.browser, `${world.api}/ui/`, {
      viewport: { width, height: 740 },
      colorScheme,
    })
    for (const [view, path] of [
      ['overview', ''],
      ['pool', `pools/${pool}`],
      ['member', `members/${members[0]}`],
      ['events', 'events'],
      ['webhooks', 'webhooks'],
      ['probers', 'probers'],
      ['public-pages', 'public-pages'],
    ] as const) {
      await page.goto(`${world.api}/ui/#/${path}`)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await page.locator('table, ol, .numbers, code, main button').first().waitFor()
      await page.locator('.waiting-text').first().waitFor({ state: 'detached' })
      const wide = Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'))
      assert.ok(wide <= 0, `${view} is ${wide} px wider than ${width} px`)
      await assertAccessible(page, `${view}, ${width} px, ${colorScheme}`)
      if (width === 360) await picture(page, `${view}-phone-${colorScheme}`)
      else if (width === 1280) await picture(page, `${view}-dark`)
    }
    assert.deepEqual(complaints, [])
    await page.context().close()
  }
  const { page } = await openPage(world.browser, `${world.api}/ui/`)
  await row(page, 'cache').waitFor()
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate('document.activeElement.textContent.trim()'), 'Skip to the content')
  await page.keyboard.press('/')
  await page.keyboard.type('cache-2')
  await row(page, 'cache-2').waitFor()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'cache-2' }).waitFor()
})
