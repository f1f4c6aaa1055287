/**
 * Requests of tbnctl 0.19.0 and of the Go client of the control API, as they were recorded (test/vectors/greymatter-golden/README.md), sent in their order.
 * The status and the shape of each answer are those that these clients were content with.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startApi } from '../support/api.ts'

interface Exchange {
  readonly request: {
    readonly method: string
    readonly path: string
    readonly query: Readonly<Record<string, string>>
    readonly headers: Readonly<Record<string, string>>
    readonly body: unknown
  }
  readonly answer: { readonly status: number; readonly body: unknown }
}

const FOLDER = 'test/vectors/greymatter-golden'
const FILES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .toSorted()
/** What the server makes: other keys and checksums than those that were recorded. */
const MADE = ['cluster_key', 'zone_key', 'checksum'] as const

/** Types in place of values, and the first item of a list in place of all. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf)
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shapeOf(each)]))
}

/** Pairs of what was recorded and what this server made instead. */
function madeIn(recorded: unknown, made: unknown): (readonly [string, string])[] {
  if (typeof recorded !== 'object' || typeof made !== 'object' || recorded === null || made === null)
    return []
  return Object.entries(recorded).flatMap(([key, value]: [string, unknown]) => {
    const other = (made as Record<string, unknown>)[key]
    const isMade = (MADE as readonly string[]).includes(key)
    if (!isMade) return madeIn(value, other)
    return typeof value === 'string' && typeof other === 'string' && value !== ''
      ? [[value, other] as const]
      : []
  })
}

test('all recorded exchanges give the recorded statuses and shapes', async (t) => {
  assert.equal(FILES.length, 32)
  const api = await startApi(t)
  const known = new Map<string, string>()
  const filled = (text: string) =>
    [...known].reduce((all, [recorded, made]) => all.replaceAll(recorded, made), text)
  for (const file of FILES) {
    const { request, answer } = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Exchange
    const query = new URLSearchParams(request.query).toString()
    const path = `/greymatter${filled(request.path)}${query === '' ? '' : `?${filled(query)}`}`
    const body = request.body === null ? undefined : filled(JSON.stringify(request.body))
    const { authorization = '' } = request.headers
    const got = await api.request(request.method, path, body, { 'content-type': '', authorization })
    assert.equal(got.status, answer.status, `${file}: ${JSON.stringify(got.body)}`)
    assert.deepEqual(shapeOf(got.body), shapeOf(answer.body), file)
    for (const [recorded, made] of madeIn(answer.body, got.body)) known.set(recorded, made)
  }
})

test('the documents that were sent come back value by value', async (t) => {
  const api = await startApi(t)
  const zone = await api.request('POST', '/greymatter/v1.0/zone', { zone_key: 'key-0001', name: 'z1' })
  assert.equal(zone.status, 200)
  const file = FILES.find((name) => name.includes('cluster-create-post')) ?? ''
  const { request } = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Exchange
  const sent = request.body as Record<string, unknown>
  const { result } = (await api.request('POST', '/greymatter/v1.0/cluster', sent)).body
  assert.deepEqual({ ...result, cluster_key: '', checksum: '' }, sent)
})
