import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApi } from '../support/api.ts'

test('the root of each mount names its version, with the address that the client used', async (t) => {
  const api = await startApi(t)
  const versions = (href: string) => ({
    versions: [{ status: 'CURRENT', id: 'v2.0', links: [{ href, rel: 'self' }] }],
  })
  const root = await api.request('GET', '/')
  assert.equal(root.status, 200)
  assert.deepEqual(root.body, versions(`${api.url}/v2.0`))
  for (const path of ['/elb', '/elb/', '//elb//']) {
    assert.deepEqual((await api.request('GET', path)).body, versions(`${api.url}/elb/v2.0`), path)
  }
  assert.equal((await api.request('HEAD', '/')).status, 200)
})

test('links follow HM_PUBLIC_URL', async (t) => {
  const api = await startApi(t, { publicUrl: 'https://lb.example.org/base' })
  const root = await api.request('GET', '/elb/')
  assert.equal(root.body.versions[0].links[0].href, 'https://lb.example.org/base/elb/v2.0')
})

test('the version names its collections, and every link is one', async (t) => {
  const api = await startApi(t)
  for (const path of [
    '/v2.0',
    '/v2.0/',
    '/elb/v2.0/',
    '/v2.0/lbaas',
    '/elb/v2.0/lbaas',
    '/v2/default-project/elb',
  ]) {
    const { resources } = (await api.request('GET', path)).body
    assert.deepEqual(
      resources.map((resource: { collection: string }) => resource.collection),
      ['loadbalancers', 'listeners', 'pools', 'healthmonitors', 'quotas'],
    )
    for (const resource of resources as { links: { href: string }[] }[]) {
      const href = resource.links[0]?.href ?? ''
      assert.ok(href.startsWith(api.url))
      assert.equal((await api.request('GET', href.slice(api.url.length))).status, 200, href)
    }
  }
})
