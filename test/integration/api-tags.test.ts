import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApi } from '../support/api.ts'
import { aListener, aLoadBalancer, assertRefused, contents } from '../support/api-objects.ts'

test('tags of load balancers and listeners are read, created, replaced and deleted by key', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const listener = await aListener(api, lb.id)
  for (const [collection, id] of [
    ['loadbalancers', lb.id],
    ['listeners', listener.id],
  ]) {
    const path = `/v2.0/default-project/${collection}/${id}/tags`
    const read = async () => (await api.request('GET', path)).body.tags
    const act = (action: string, tags: object[]) => api.request('POST', `${path}/action`, { action, tags })
    assert.deepEqual(await read(), [])
    const made = await act('create', [
      { key: 'a', value: '1' },
      { key: 'b', value: '' },
    ])
    assert.deepEqual([made.status, made.body], [204, undefined])
    assert.equal((await act('create', [{ key: 'a', value: '2' }])).status, 204)
    assert.deepEqual(await read(), [
      { key: 'a', value: '2' },
      { key: 'b', value: '' },
    ])
    const shown = await api.request('GET', `/v2.0/lbaas/${collection}/${id}`)
    const object = Object.values(shown.body as object)[0] as { tags: string[] }
    assert.deepEqual(object.tags, ['a=2', 'b'])
    assert.equal((await act('delete', [{ key: 'a' }, { key: 'none' }])).status, 204)
    assert.deepEqual(await read(), [{ key: 'b', value: '' }])
  }
})

test('tags keep to their limits, their object and their project', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const path = `/v2.0/default-project/loadbalancers/${lb.id}/tags`
  const act = (body: unknown) => api.request('POST', `${path}/action`, body)
  const keys = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => ({ key: `k${from + i}`, value: 'v' }))
  assert.equal((await act({ action: 'create', tags: keys(0, 20) })).status, 204)
  const before = await contents(api)
  assertRefused(await act({ action: 'create', tags: keys(20, 21) }), {
    status: 400,
    code: 'ELB.8902',
    message: 'A loadbalancer has at most 20 tags.',
  })
  assertRefused(await act({ action: 'create', tags: keys(0, 21) }), { status: 400, code: 'ELB.9899' })
  assertRefused(await act({ action: 'update', tags: [] }), {
    status: 400,
    code: 'ELB.9899',
    message: /'update' is not in/,
  })
  assertRefused(await act({ tags: [] }), { status: 400, code: 'ELB.9805' })
  assertRefused(await act({ action: 'create' }), { status: 400, code: 'ELB.9805' })
  assertRefused(await act({ action: 'create', tags: [{ key: '' }] }), { status: 400, code: 'ELB.9899' })
  assertRefused(await act({ action: 'create', tags: [{ key: 'a=b' }] }), { status: 400, code: 'ELB.9899' })
  assertRefused(await act({ action: 'create', tags: [{ key: 'k'.repeat(37) }] }), {
    status: 400,
    code: 'ELB.9805',
  })
  assertRefused(await act({ action: 'create', tags: [{ key: 'k', value: 'v'.repeat(44) }] }), {
    status: 400,
    code: 'ELB.9805',
  })
  assertRefused(await act(undefined), { status: 400, code: 'ELB.0002' })
  assertRefused(await act([]), { status: 400, code: 'ELB.0002' })
  assertRefused(await api.request('GET', `/v2.0/other/loadbalancers/${lb.id}/tags`), {
    status: 404,
    code: 'ELB.8904',
  })
  assertRefused(await api.request('GET', path.replace('loadbalancers', 'listeners')), {
    status: 404,
    code: 'ELB.8904',
  })
  assertRefused(await api.request('GET', path, undefined, { 'x-project-id': 'other' }), {
    status: 400,
    code: 'ELB.9808',
  })
  assert.deepEqual(await contents(api), before)
})

test('tags added at once are all there', async (t) => {
  const api = await startApi(t)
  const lb = await aLoadBalancer(api)
  const path = `/v2.0/default-project/loadbalancers/${lb.id}/tags`
  await Promise.all(
    Array.from({ length: 12 }, (_, i) =>
      api.request('POST', `${path}/action`, { action: 'create', tags: [{ key: `k${i}`, value: 'v' }] }),
    ),
  )
  assert.equal((await api.request('GET', path)).body.tags.length, 12)
})
