/** Kuma's own listener, as kumactl wants it: the control plane at the root, and nothing else. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Json } from '../support/api.ts'
import { folderOfTest } from '../support/folders.ts'
import { startService } from '../support/service.ts'

/** The request of `kumactl apply -f` with the file of Kuma's documentation, as it was recorded. */
const { request } = JSON.parse(
  readFileSync('test/vectors/kuma-golden/k11-003-apply-hc-http-put.json', 'utf8'),
) as { request: { path: string; body: Json } }

test('kumactl finds the control plane at the root of its listener, with the version that is set', async (t) => {
  const service = await startService(t, folderOfTest(), {
    HM_KUMA_LISTEN: '127.0.0.1:0',
    HM_KUMA_VERSION: '1.1.6',
  })
  const door = /kuma +(http:\S+)/.exec(service.output())?.[1] ?? ''
  assert.match(door, /^http:\/\/127\.0\.0\.1:\d+$/)
  const index = (await (await fetch(`${door}/`)).json()) as Json
  assert.deepEqual([index.tagline, index.product, index.version], ['Kuma', 'Kuma', '1.1.6'])

  assert.equal((await fetch(`${door}${request.path}`)).status, 404)
  const apply = () =>
    fetch(`${door}${request.path}`, {
      method: 'PUT',
      body: JSON.stringify(request.body),
      headers: { 'content-type': 'application/json' },
    })
  assert.deepEqual([(await apply()).status, (await apply()).status], [201, 200])
  const other = { ...request.body, name: 'another' }
  const path = '/meshes/default/health-checks'
  await fetch(`${door}${path}/another`, {
    method: 'PUT',
    body: JSON.stringify(other),
    headers: { 'content-type': 'application/json' },
  })
  const page = (await (await fetch(`${door}${path}?size=1`)).json()) as Json
  assert.deepEqual(
    [page.total, page.items[0].name, page.next],
    [2, 'another', `${door}${path}?offset=1&size=1`],
  )

  for (const elsewhere of ['/v2.0/lbaas/pools', '/v1/overview', '/docs', '/ui/'])
    assert.equal((await fetch(`${door}${elsewhere}`)).status, 404, elsewhere)
  const below = (await (await fetch(`${service.api}/kuma${path}`)).json()) as Json
  assert.equal(below.total, 2)
})
