/** Public pages in a real browser: a person makes one and copies its link, a stranger looks at it. And their pictures. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Browser } from 'playwright-core'
import { query } from '../../src/store/connection/database.ts'
import { type Api, startApi } from '../support/api.ts'
import { assertAccessible, hasChromium, openPage, picture, startChromium } from '../support/browser.ts'
import { aLoadBalancer, aMonitor, aPool, made } from '../support/octavia.ts'

const skip = hasChromium ? false : 'no chromium (Debian: chromium)'

/** Pools with a history of ninety days: one always up, one with trouble now and before, one that is new. */
async function aWorld(t: TestContext): Promise<{ api: Api; browser: Browser; pools: readonly string[] }> {
  const [api, browser] = await Promise.all([startApi(t), startChromium(t)])
  const pools: string[] = []
  for (const [i, name] of ['Web shop', 'Payments', 'Search'].entries()) {
    const loadBalancer = await aLoadBalancer(api, { name: `lb-${i}` })
    const pool = await aPool(api, loadBalancer.id, { name })
    await made(api, 'listeners', {
      loadbalancer_id: loadBalancer.id,
      protocol: 'HTTP',
      protocol_port: 80,
      default_pool_id: pool.id,
    })
    await aMonitor(api, pool.id)
    for (const member of ['a', 'b', 'c']) {
      await made(api, `pools/${pool.id}/members`, {
        name: `${name.toLowerCase().replace(' ', '-')}-${member}`,
        address: `192.0.2.${10 * i + 'abc'.indexOf(member) + 1}`,
        protocol_port: 443,
      })
    }
    pools.push(pool.id as string)
  }
  await query(
    api.db,
    `insert into member_state (member_id, generation, status, since, reason, ok_run, bad_run, shard, epoch, sequence)
     select d.id, d.check_generation, case when d.name = 'payments-b' then 'OFFLINE' else 'ONLINE' end,
       now(), 'PASSED', 1, 1, 0, 1, 1
     from member_detail d where d.name not like 'search-%'`,
  )
  await query(api.db, `update pool set created_at = now() - interval '100 days' where id = any($1::uuid[])`, [
    pools.slice(0, 2),
  ])
  await query(
    api.db,
    `insert into uptime_day (object_id, day, online_ms, offline_ms, pending_ms, off_ms, maintenance_ms, no_data_ms)
     select id, (now() at time zone 'UTC')::date - ago, 86400000 - down, down, 0, 0, 0, 0
     from unnest($1::uuid[]) with ordinality p (id, place), generate_series(1, 91) ago
     cross join lateral (select case when place = 2 and ago in (9, 10, 33) then ago * 1200000 else 0 end as down) d`,
    [pools.slice(0, 2)],
  )
  await query(api.db, 'delete from set_aside')
  const [shop, payments] = pools
  for (const [pool, since] of [
    [shop, '12 days'],
    [payments, '42 minutes'],
  ]) {
    await query(api.db, 'update pool_roll_up set since = now() - $2::interval where pool_id = $1', [
      pool,
      since,
    ])
    await query(
      api.db,
      `update pool_transition set at = now() - interval '3 days', to_status = 'ONLINE' where pool_id = $1`,
      [pool],
    )
  }
  return { api, browser, pools }
}

test('a person makes a page and copies its link, a stranger sees it, and nobody after its end', {
  skip,
}, async (t) => {
  const { api, browser } = await aWorld(t)
  const { page, complaints } = await openPage(browser, `${api.url}/ui/`)
  await page.getByRole('link', { name: 'Public pages' }).click()
  await page.getByText('There is no public page yet.').waitFor()
  await page.getByRole('button', { name: 'New public page…' }).click()
  await page.getByLabel('Title').fill('Shop status')
  await page.getByLabel('Web shop').check()
  await page.getByLabel('Payments').check()
  await page.getByRole('checkbox', { name: /^Search/ }).check()
  await page.getByLabel('Show names and statuses of members').check()
  await assertAccessible(page, 'the form of a public page')
  await page.getByRole('button', { name: 'Create and show the link' }).click()
  const field = page.getByLabel('Link of Shop status: copy it now, it is not shown again')
  await field.waitFor()
  const link = await field.inputValue()
  assert.match(link, new RegExp(`^${api.url}/public/[\\w-]{32}$`))
  await page.getByText('Web shop, Payments, Search, with members').waitFor()
  await assertAccessible(page, 'a public page with its link')
  await page.reload()
  await page.getByText('Web shop, Payments, Search, with members').waitFor()
  assert.equal(await page.getByLabel(/^Link of/).count(), 0, 'it is shown once')

  const stranger = await openPage(browser, link)
  await stranger.page.getByRole('heading', { level: 1, name: 'Shop status' }).waitFor()
  await stranger.page.getByRole('region', { name: 'Payments' }).getByText('degraded').waitFor()
  await stranger.page.getByRole('region', { name: 'Payments' }).getByText('payments-b').waitFor()
  const uptimes = stranger.page.getByRole('region', { name: 'Web shop' }).locator('.uptimes')
  await uptimes.getByText('100 %').first().waitFor()
  assert.equal(await stranger.page.title(), 'Shop status: degraded')
  assert.deepEqual(await stranger.page.context().cookies(), [])

  await page.getByRole('button', { name: 'Delete…' }).click()
  await page.getByRole('button', { name: 'Delete the page' }).click()
  await page.getByText('There is no public page yet.').waitFor()
  assert.deepEqual([...complaints, ...stranger.complaints], [])
  await stranger.page.reload()
  await stranger.page.getByText('There is no page at this address.').waitFor()
})

test('fifty pages with the names of their pools are one request', { skip }, async (t) => {
  const { api, browser, pools } = await aWorld(t)
  for (let i = 0; i < 50; i++) {
    const answer = await api.request('POST', '/v1/public-pages', {
      public_page: { title: `Page ${i}`, pools },
    })
    assert.equal(answer.status, 201)
  }
  const { page, complaints } = await openPage(browser, `${api.url}/ui/#/public-pages`)
  await page.getByRole('region', { name: 'Page 49' }).getByText('Web shop, Payments, Search').waitFor()
  const paths: string[] = []
  page.on('request', (request) => paths.push(new URL(request.url()).pathname))
  await page.reload()
  await page.getByRole('region', { name: 'Page 49' }).getByText('Web shop, Payments, Search').waitFor()
  assert.deepEqual(
    paths.filter((path) => /public-pages|overview\/pools/.test(path)),
    ['/v1/public-pages'],
  )
  assert.deepEqual(complaints, [])
})

test('the page for strangers is accessible in both schemes and on a phone, and the policy refuses nothing', {
  skip,
}, async (t) => {
  const { api, browser, pools } = await aWorld(t)
  const made = await api.request('POST', '/v1/public-pages', {
    public_page: { title: 'Shop status', pools, show_members: true },
  })
  const path = `${api.url}/public/${made.body.public_page.token}`
  for (const [width, colorScheme] of [
    [1000, 'light'],
    [1000, 'dark'],
    [360, 'light'],
  ] as const) {
    const { page, complaints } = await openPage(browser, path, {
      viewport: { width, height: 740 },
      colorScheme,
    })
    await page.getByRole('region', { name: 'Search' }).waitFor()
    assert.equal(await page.locator('.day-strip rect').count(), 270)
    const wide = Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'))
    assert.ok(wide <= 0, `${wide} px wider than ${width} px`)
    await assertAccessible(page, `a public page, ${width} px, ${colorScheme}`)
    if (width === 1000 && colorScheme === 'light') await picture(page, 'public-page')
    await page.goto(`${path}/badge.svg?pool=Payments`)
    assert.equal(await page.locator('title').first().textContent(), 'Payments: degraded')
    assert.deepEqual(complaints, [])
    await page.context().close()
  }
})
