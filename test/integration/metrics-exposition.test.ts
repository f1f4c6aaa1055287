/** `/metrics` of a running service, as Prometheus' own tool judges it. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { METRICS } from '../../src/runtime/metrics/metric-table.ts'
import { HOLDING } from '../../src/runtime/metrics/held-table.ts'
import { RELAYING } from '../../src/runtime/metrics/relay-table.ts'
import { folderOfTest } from '../support/folders.ts'
import { startService, until } from '../support/service.ts'

test('promtool accepts the names and the form of all metrics; requests are counted by dialect', async (t) => {
  if (spawnSync('promtool', ['--version']).error !== undefined)
    return t.skip('needs promtool (package prometheus)')
  const service = await startService(t, folderOfTest())
  const read = async () => await (await fetch(`${service.metrics}/metrics`)).text()
  for (const path of ['/v2.0/lbaas/pools', '/load-balancer/v2/lbaas/pools', '/livez'])
    assert.notEqual(await (await fetch(`${service.api}${path}`)).text(), '', path)
  await until(async () => (await read()).includes('hm_shards_owned 256'), 'the prober')
  await until(async () => (await read()).includes('hm_notifier_active'), 'the notifier')
  const text = await read()
  const judged = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  assert.deepEqual([judged.status, judged.stdout, judged.stderr], [0, '', ''])
  for (const dialect of ['elb', 'octavia', 'none'])
    assert.match(text, new RegExp(`^hm_api_requests_total\\{.*dialect="${dialect}",code="200"\\} 1$`, 'm'))
  assert.match(text, /^hm_build_info\{.*process="prober-1"\} 1$/m)
  assert.match(text, /^hm_database_latency_seconds 0\.\d+$/m)
  const missing = Object.keys(METRICS).filter((name) => !text.includes(`# TYPE ${name} `))
  // Of a listener with TLS, of a relay, and of a prober over NATS.
  const elsewhere = [
    'hm_listener_certificate_expiry_timestamp_seconds',
    ...Object.keys(RELAYING),
    ...Object.keys(HOLDING),
  ]
  assert.deepEqual(missing.toSorted(), elsewhere.toSorted())
})
