import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { REASONS } from '../../../../src/domain/result/reasons.ts'
import { withMetricReference } from '../../../../src/runtime/metrics/metric-reference.ts'
import { renderMetrics } from '../../../../src/runtime/scrape/metrics-endpoint.ts'
import { METRICS } from '../../../../src/runtime/metrics/metric-table.ts'
import { createMetrics } from '../../../../src/runtime/metrics/metrics.ts'
import { processMetrics } from '../../../../src/runtime/metrics/process-metrics.ts'
import { exportService, ServiceReading } from '../../../../src/runtime/metrics/service-series.ts'
import { heldMetrics } from '../../../../src/runtime/metrics/held-metrics.ts'
import { relayMetrics } from '../../../../src/runtime/metrics/relay-metrics.ts'
import { notifierMetrics } from '../../../../src/runtime/metrics/notifier-metrics.ts'
import { proberMetrics } from '../../../../src/runtime/metrics/prober-metrics.ts'

const FACTS = {
  probers: 1,
  shardsUnowned: 0,
  unwritten: 0,
  online: 1,
  offline: 0,
  unknown: 0,
  stale: 0,
  certificatesExpiring: 0,
  certificatesExpired: 0,
}
const GAUGES = {
  inFlight: 0,
  queueDepth: 0,
  stale: 0,
  shards: 0,
  udpSharedSockets: 0,
  udpOwnSockets: 0,
  halfOpenBatched: 0,
  tcpBatched: 0,
  httpBatched: 0,
  pingBatched: 0,
  udpBatched: 0,
  udpAfterEchoBatched: 0,
  heapTight: 0,
  members: {},
}

/** The registry of a process that is API and prober at once, in which everything has happened. */
async function everything() {
  const metrics = createMetrics('test')
  const { registry } = metrics
  const identity = () => ({ cert: '', key: '', subject: '', fingerprint: '', notAfter: new Date(0) })
  processMetrics(registry, { name: 'test', version: '1', identity })
  proberMetrics(registry)
  const source = { read: () => Promise.resolve(FACTS), ping: () => Promise.resolve() }
  exportService(registry, new ServiceReading(source))
  heldMetrics(registry)
  const relaying = relayMetrics(registry).of('fra')
  relaying.relayed('verdicts', 1)
  relaying.relayedRows('written', 1)
  relaying.snapshotSent(1)
  relaying.waiting(0)
  const notifying = notifierMetrics(registry, {
    isActive: () => true,
    lags: () => Promise.resolve([{ receiver: 'webhooks', events: 1, seconds: 1 }]),
    webhooks: () => Promise.resolve({ seconds: 1, behind: 1, deadLetters: 1 }),
  })
  notifying.countDeliveries('delivered', 1)
  metrics.readProber(() => GAUGES)
  metrics.icmpAvailable(4, true)
  for (const [reason, { outcome }] of Object.entries(REASONS))
    metrics.probeEnded('TCP', { outcome, reason: reason as keyof typeof REASONS, phases: { totalMs: 1 } })
  metrics.requestAnswered({ method: 'GET', route: '/', dialect: 'elb', status: 200, seconds: 1 })
  return await registry.getMetricsAsJSON()
}

/** Those of Node.js, which prom-client makes. */
const FOREIGN = /^(nodejs_|process_(?!start_time))/

test('the table has every metric of the program, with its type, its labels and its meaning', async () => {
  const registered = (await everything()).filter(({ name }) => !FOREIGN.test(name))
  const found = registered.map(({ name, type, help, values }) => {
    const labels = new Set(values.flatMap(({ labels: each }) => Object.keys(each)))
    labels.delete('le')
    return [name, { type: String(type), help, labels: [...labels].toSorted() }] as const
  })
  const said = Object.entries(METRICS).map(([name, { type, help, labels }]) => {
    return [name, { type, help, labels: labels.toSorted() }] as const
  })
  assert.deepEqual(Object.fromEntries(found), Object.fromEntries(said))
  assert.equal(found.length, said.length)
})

test('docs/metrics.md is the one of the table (npm run docs:metrics)', () => {
  const document = readFileSync('docs/metrics.md', 'utf8')
  assert.equal(document, withMetricReference(document))
})

test('every metric that a process of serve has survives the merge with those of its children', async () => {
  const one = await everything()
  const text = await renderMetrics([structuredClone(one), structuredClone(one)])
  for (const name of Object.keys(METRICS)) assert.match(text, new RegExp(`^# TYPE ${name} `, 'm'))
  assert.match(text, /^hm_build_info\{version="1",node="v[^"]+",process="test"\} 1$/m)
  assert.match(text, /^hm_last_reload_successful 1$/m)
  assert.match(text, /^process_start_time_seconds\{process="test"\} \d{10}$/m)
})
