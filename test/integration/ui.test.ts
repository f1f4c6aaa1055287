/** The files of the page: what they are served with, and that nothing else is served. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { type Api, startApi } from '../support/api.ts'

const FIRST_VIEW_MAX_BYTES = 60 * 1024

/** What index.html loads. */
async function partsOf(api: Api): Promise<readonly string[]> {
  const page = String((await api.request('GET', '/ui/')).body)
  return [...page.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map((match) => `/ui/${match[1]}`)
}

test('the page and its files let a browser load nothing from elsewhere, and run nothing that is inline', async (t) => {
  const api = await startApi(t)
  const parts = await partsOf(api)
  assert.ok(parts.length >= 3, 'script, style and icon')
  for (const path of ['/ui/', ...parts]) {
    const { status, headers } = await api.request('GET', path)
    assert.equal(status, 200, path)
    const policy = String(headers['content-security-policy'])
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; /)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.doesNotMatch(policy, /unsafe|https?:|data:|\*/)
    assert.equal(headers['x-content-type-options'], 'nosniff')
  }
  const page = String((await api.request('GET', '/ui/')).body)
  assert.doesNotMatch(page, /<script(?![^>]*\ssrc=)|\son\w+=|<style|\sstyle=/)
})

test('files are kept for good, as their names are those of their content; the page itself is asked for again', async (t) => {
  const api = await startApi(t)
  assert.equal((await api.request('GET', '/ui/')).headers['cache-control'], 'no-cache')
  for (const path of await partsOf(api)) {
    assert.match(path, /-[\w-]{8}\.\w+$/)
    assert.match(
      String((await api.request('GET', path)).headers['cache-control']),
      /max-age=31536000, immutable/,
    )
  }
})

test('the first view is at most 60 KB, compressed', async (t) => {
  const api = await startApi(t)
  let bytes = 0
  for (const path of ['/ui/', ...(await partsOf(api))]) {
    const answer = await fetch(`${api.url}${path}`, { headers: { 'accept-encoding': 'gzip' } })
    assert.equal(answer.headers.get('content-encoding'), 'gzip', path)
    bytes += Number(answer.headers.get('content-length'))
  }
  t.diagnostic(`${bytes} bytes`)
  assert.ok(bytes > 10_000 && bytes <= FIRST_VIEW_MAX_BYTES, String(bytes))
})

test('who accepts no encoding gets plain bytes, the same as those in gzip', async (t) => {
  const api = await startApi(t)
  const [script = ''] = (await partsOf(api)).filter((path) => path.endsWith('.js'))
  const plain = (await api.request('GET', script, undefined, { 'accept-encoding': 'identity' })).body
  const { request } = await import('undici')
  const packed = await request(`${api.url}${script}`, { headers: { 'accept-encoding': 'gzip' } })
  assert.equal(gunzipSync(Buffer.from(await packed.body.arrayBuffer())).toString(), plain)
})

test('/ui leads to /ui/, also below the prefix of a proxy, and a browser at the root comes there', async (t) => {
  const api = await startApi(t)
  const short = await api.request('GET', '/ui')
  assert.deepEqual([short.status, short.headers['location']], [302, 'ui/'])
  const root = await api.request('GET', '/', undefined, { accept: 'text/html,*/*;q=0.8' })
  assert.deepEqual([root.status, root.headers['location']], [302, 'ui/'])
})

test('what the build has not made is not there, whatever the path is', async (t) => {
  const api = await startApi(t)
  for (const path of [
    '/ui/index.html',
    '/ui/assets',
    '/ui/assets/none.js',
    '/ui/assets/../index.html',
    '/ui/assets/%2e%2e/index.html',
    '/ui/assets/..%2f..%2fpackage.json',
    '/ui/../package.json',
  ]) {
    assert.equal((await fetch(`${api.url}${path}`)).status, 404, path)
  }
  const [asset = ''] = await partsOf(api)
  assert.notEqual((await api.request('POST', asset)).status, 200)
})
