/** `healthmonitor apply`, as a process: the files of Kuma and Grey Matter, without their clients. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { type Api, startApi } from '../support/api.ts'
import { runProgram } from '../support/service.ts'

const KUMA = `
type: Dataplane
mesh: default
name: backend-01
networking:
  address: 127.0.0.1
  inbound:
    - port: 8080
      tags: {kuma.io/service: backend}
---
type: Dataplane
mesh: default
name: backend-02
networking:
  address: backend.example
  inbound:
    - port: 8080
      tags: {kuma.io/service: backend}
---
# Kuma's documentation, "Health Check"
type: HealthCheck
name: web-to-backend
mesh: default
sources:
  - match: {kuma.io/service: web}
destinations:
  - match: {kuma.io/service: backend}
conf:
  interval: 10s
  timeout: 2s
  unhealthyThreshold: 3
  healthyThreshold: 1
  tcp: {}
`

const CLUSTER = `
cluster_key: catalog-service
zone_key: default-zone
name: catalog
instances: [{host: 127.0.0.1, port: 9090, metadata: []}, {host: catalog.internal, port: 80}]
health_checks:
  - timeout_msec: 1000
    interval_msec: 60000
    health_checker: {http_health_check: {path: /health}}
`

async function world(t: TestContext) {
  const api: Api = await startApi(t)
  const folder = mkdtempSync(join(tmpdir(), 'hm-apply-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const apply = async (text: string, ...flags: readonly string[]) => {
    const file = join(folder, 'objects.yaml')
    writeFileSync(file, text)
    return await runProgram(['apply', '-f', file, '--url', api.url, ...flags])
  }
  const counted = async () =>
    (await query<{ n: number }>(api.db, 'select count(*)::integer as n from kuma_resource'))[0]?.n
  return { api, apply, counted }
}

test('a file of several documents is applied as a whole, and a dry run says what would be probed and keeps nothing', async (t) => {
  const { apply, counted } = await world(t)
  const dry = await apply(KUMA, '--dry-run')
  assert.equal(dry.code, 0, dry.err)
  assert.deepEqual(dry.out.trimEnd().split('\n'), [
    'Dataplane default/backend-01 would be created',
    'Dataplane default/backend-02 would be created',
    'HealthCheck default/web-to-backend would be created',
    'service backend would be probed (TCP): 127.0.0.1:8080',
    'not probed: backend-02:8080: backend.example is a name: names are not looked up',
  ])
  assert.equal(await counted(), 0)
  const done = await apply(KUMA)
  assert.equal(done.code, 0, done.err)
  assert.match(done.out, /^HealthCheck default\/web-to-backend created$/m)
  assert.equal(await counted(), 3)
  const again = JSON.parse((await apply(KUMA, '--json')).out)
  assert.deepEqual([again.dry_run, again.objects[0].result, again.probes], [false, 'updated', []])
})

test('one object that is wrong keeps the whole file out, and the message names it and its field', async (t) => {
  const { apply, counted } = await world(t)
  const wrong = await apply(KUMA.replace('interval: 10s', 'interval: 0s'))
  assert.equal(wrong.code, 2)
  assert.match(wrong.err, /HealthCheck default\/web-to-backend: .*conf\.interval must have a positive value/)
  assert.equal(await counted(), 0)
})

test('a cluster of Grey Matter is created, and replaced whatever its checksum is', async (t) => {
  const { api, apply } = await world(t)
  const dry = await apply(CLUSTER, '--dry-run')
  assert.equal(dry.code, 0, dry.err)
  assert.deepEqual(dry.out.trimEnd().split('\n'), [
    'cluster catalog-service would be created',
    'cluster catalog-service would be probed (HTTP): 127.0.0.1:9090',
    'not probed: cluster catalog-service, catalog.internal:80: its host is a name, and only addresses are probed: probes use no resolver',
  ])
  assert.equal((await query(api.db, 'select from greymatter_cluster')).length, 0)
  for (const [result, probed] of [
    ['created', 'cluster catalog-service probed (HTTP): 127.0.0.1:9090'],
    ['updated', ''],
  ] as const) {
    const done = await apply(CLUSTER)
    assert.equal(done.code, 0, done.err)
    const [first, second = ''] = done.out
      .trimEnd()
      .split('\n')
      .filter((line) => !line.startsWith('not probed'))
    assert.deepEqual([first, second], [`cluster catalog-service ${result}`, probed])
  }
  assert.equal((await query(api.db, 'select from greymatter_cluster')).length, 1)
})

test('a dry run finds what the service would refuse, attribute by attribute, and so does the write', async (t) => {
  const { api, apply } = await world(t)
  for (const flags of [['--dry-run'], []]) {
    const { code, err } = await apply(CLUSTER.replace('interval_msec: 60000', 'interval_msec: 50'), ...flags)
    assert.equal(code, 2)
    assert.match(
      err,
      /cluster catalog-service: invalid cluster: cluster\.health_checks\[0\]\.interval_msec must be at least 100/,
    )
  }
  assert.equal((await query(api.db, 'select from greymatter_cluster')).length, 0)
})

test('a file with objects of both APIs is kept out as a whole by one that is wrong', async (t) => {
  const { api, apply, counted } = await world(t)
  const { code, err } = await apply(`${KUMA}\n---\n${CLUSTER.replace('catalog\n', '"a[b]"\n')}`)
  assert.deepEqual([code, /cluster\.name may not contain/.test(err)], [2, true], err)
  assert.equal(await counted(), 0)
  const both = await apply(`${KUMA}\n---\n${CLUSTER}`)
  assert.equal(both.code, 0, both.err)
  assert.equal(await counted(), 3)
  assert.equal((await query(api.db, 'select from greymatter_cluster')).length, 1)
})

test('what is no file, no YAML or no object that is known is reported in one line', async (t) => {
  const { apply } = await world(t)
  for (const [text, message] of [
    ['', /has no object/],
    ['a: [', /is no YAML/],
    ['- 1', /is no object/],
    ['kind: Service', /neither one of Kuma/],
    ['{type: Retry, mesh: default, name: r}', /should be one of \[Mesh Dataplane/],
    [`a: &a [1]\nb: [${'*a, '.repeat(200)}]`, /is no YAML|Excessive alias/],
  ] as const) {
    const { code, err } = await apply(text)
    assert.equal(code, 2, `${text}: ${err}`)
    assert.match(err, message)
  }
  const missing = await runProgram(['apply'])
  assert.deepEqual([missing.code, /--file is missing/.test(missing.err)], [2, true], missing.err)
  const nowhere = await runProgram(['apply', '-f', '/nowhere.yaml'])
  assert.deepEqual([nowhere.code, /cannot be read/.test(nowhere.err)], [2, true], nowhere.err)
})
