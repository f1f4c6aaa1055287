import assert from 'node:assert/strict'
import { test } from 'node:test'
import { badgeOf } from '../../../../src/api/public/badge.ts'
import type { PublicPageBody, PublicPool } from '../../../../src/api/public/page-answer.ts'

const pool = (name: string, status: PublicPool['status'], share: number | null): PublicPool => ({
  name,
  status,
  since: '2026-11-30T12:00:00.000Z',
  uptime: [24, 168, 720, 2160].map((hours) => ({ hours, up_share: share, coverage: 1 })),
  days: { first: '2026-09-02', up_shares: [] },
})
const page: PublicPageBody = {
  title: 'Shop',
  as_of: '2026-11-30T12:00:00.000Z',
  status: 'DEGRADED',
  pools: [pool('web', 'ONLINE', 1), pool('<db> & "co"', 'DEGRADED', 0.9999), pool('new', 'OFFLINE', null)],
}
const badge = (query: string, of = page) => badgeOf(of, new URLSearchParams(query))
const titleOf = (svg: string) => /<title>(.*)<\/title>/.exec(svg)?.[1]

test('a badge says the status of a page or a pool, which is chosen by its name or its place', () => {
  assert.equal(titleOf(badge('')), 'Shop: degraded')
  assert.equal(titleOf(badge('pool=web')), 'web: up')
  assert.equal(titleOf(badge('pool=1&show=status')), 'web: up')
  assert.equal(titleOf(badge('pool=3')), 'new: unknown')
  assert.throws(() => badge('pool=4'), { code: 'NOT_FOUND' })
  assert.throws(() => badge('pool=0'), { code: 'NOT_FOUND' })
  assert.throws(() => badge('pool='), { code: 'NOT_FOUND' })
})

test('a badge says an uptime, of a page the mean of its pools, and 100 % only of what was always up', () => {
  assert.equal(titleOf(badge('pool=web&show=uptime-30d')), 'web uptime 30d: 100 %')
  assert.equal(titleOf(badge('pool=2&show=uptime-7d')), '&lt;db&gt; &amp; &quot;co&quot; uptime 7d: 99.99 %')
  assert.equal(titleOf(badge('show=uptime-90d')), 'Shop uptime 90d: 99.99 %')
  assert.equal(titleOf(badge('pool=new&show=uptime-24h')), 'new uptime 24h: unknown')
  const [web] = page.pools
  const hardly = {
    ...page,
    pools: [{ ...web!, uptime: web!.uptime.map((each) => ({ ...each, coverage: 0.009 })) }],
  }
  assert.equal(titleOf(badge('show=uptime-90d', hardly)), 'Shop uptime 90d: unknown', 'of a pool of today')
  assert.throws(() => badge('show=uptime-1h'), { code: 'INVALID_QUERY' })
  assert.throws(() => badge('show=constructor'), { code: 'INVALID_QUERY' })
})

test('names are text in the image, whatever they are, and a long one is cut', () => {
  const nasty = `</text><script>alert(1)</script>'&\u0000\ud800${'w'.repeat(300)}`
  const svg = badge('', { ...page, title: nasty })
  assert.doesNotMatch(svg, /<script|\son\w+=|<style|\sstyle=|href/)
  assert.doesNotMatch(svg, /[\p{Cc}\p{Cs}]/u)
  assert.ok(svg.length < 2500, String(svg.length))
  assert.match(svg, /…/)
  // Each element that is opened is closed.
  const names = (pattern: RegExp) => [...svg.matchAll(pattern)].map(([, name]) => name).join(' ')
  assert.equal(names(/<([a-zA-Z]+)(?:\s[^>]*[^/])?>/g), 'svg title clipPath g g text text')
  assert.equal(names(/<\/([a-zA-Z]+)>/g), 'title clipPath g text text g svg')
})

test('a name cannot turn around the status that stands behind it', () => {
  const svg = badge('', { ...page, title: '\u202eShop\u2067\u200f' })
  assert.equal(titleOf(svg), 'Shop: degraded')
  assert.doesNotMatch(svg, /\p{Bidi_Control}/u)
})
