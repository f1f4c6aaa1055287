import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AggregatorRegistry } from 'prom-client'
import { createMetrics } from '../../../../src/runtime/metrics/metrics.ts'

const phases = { totalMs: 20 }

test('probes are counted by type, outcome and reason, and only conclusive ones have a duration', async () => {
  const metrics = createMetrics('test')
  metrics.probeStarted(15)
  metrics.probeEnded('TCP', { outcome: 'passed', reason: 'PASSED', phases })
  metrics.probeEnded('TCP', { outcome: 'passed', reason: 'PASSED', phases })
  metrics.probeEnded('HTTP', { outcome: 'inconclusive', reason: 'PROBER_NO_SOCKET', phases })
  metrics.probesSkipped(3)
  metrics.probesDelayed(4)
  metrics.probeDedicated('PING')
  const text = await metrics.registry.metrics()
  for (const line of [
    'hm_probes_total{type="TCP",outcome="passed",reason="PASSED"} 2',
    'hm_probes_total{type="HTTP",outcome="inconclusive",reason="PROBER_NO_SOCKET"} 1',
    'hm_probe_inconclusive_total{reason="PROBER_NO_SOCKET"} 1',
    'hm_probe_duration_seconds_bucket{type="TCP",le="0.01"} 0',
    'hm_probe_duration_seconds_bucket{type="TCP",le="0.025"} 2',
    'hm_probe_duration_seconds_bucket{type="TCP",le="+Inf"} 2',
    'hm_probe_duration_seconds_count{type="TCP"} 2',
    'hm_probe_duration_seconds_count{type="HTTP"} 0',
    'hm_schedule_lateness_seconds_bucket{le="0.02"} 1',
    'hm_schedule_lateness_seconds_sum 0.015',
    'hm_probes_skipped_total 3',
    'hm_probes_delayed_total 4',
    'hm_probes_dedicated_total{type="PING"} 1',
    'hm_probes_dedicated_total{type="TCP"} 0',
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line} in:\n${text}`)
  }
})

test('the metrics of several processes add up', async () => {
  const one = createMetrics('prober-1')
  const two = createMetrics('prober-2')
  const gauges = {
    inFlight: 1,
    queueDepth: 2,
    stale: 0,
    shards: 128,
    udpSharedSockets: 1,
    udpOwnSockets: 0,
    halfOpenBatched: 0,
    tcpBatched: 0,
    httpBatched: 0,
    pingBatched: 0,
    udpBatched: 0,
    udpAfterEchoBatched: 0,
    heapTight: 0,
  }
  one.readProber(() => ({ ...gauges, members: { ONLINE: 3 } }))
  two.readProber(() => ({ ...gauges, members: { ONLINE: 4, OFFLINE: 1 } }))
  for (const metrics of [one, two]) {
    metrics.flushed('written', 20)
    metrics.leaseChanged('claimed', 128)
    metrics.transitioned('OFFLINE', 2)
  }
  one.requestAnswered({
    method: 'GET',
    route: '/v2.0/lbaas/pools/:id',
    dialect: 'elb',
    status: 200,
    seconds: 0.002,
  })
  const all = [await one.registry.getMetricsAsJSON(), await two.registry.getMetricsAsJSON()]
  const text = await AggregatorRegistry.aggregate(structuredClone(all)).metrics()
  for (const line of [
    'hm_members{status="ONLINE"} 7',
    'hm_members{status="OFFLINE"} 1',
    'hm_shards_owned 256',
    'hm_flushes_total{outcome="written"} 2',
    'hm_flush_rows_bucket{le="50"} 2',
    'hm_lease_changes_total{change="claimed"} 256',
    'hm_transitions_total{to="OFFLINE"} 4',
    'hm_api_requests_total{method="GET",route="/v2.0/lbaas/pools/:id",dialect="elb",code="200"} 1',
    'hm_api_request_duration_seconds_count{method="GET",route="/v2.0/lbaas/pools/:id",dialect="elb"} 1',
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line} in:\n${text}`)
  }
  assert.match(text, /process_resident_memory_bytes\{process="prober-2"\} \d+/)
})
