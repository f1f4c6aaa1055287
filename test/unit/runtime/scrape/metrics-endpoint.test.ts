import assert from 'node:assert/strict'
import { test } from 'node:test'
import { localUrl } from '../../../../src/runtime/listener/listener.ts'
import { createMetrics } from '../../../../src/runtime/metrics/metrics.ts'
import {
  renderMetrics,
  retire,
  serveMetrics,
  snapshotOf,
} from '../../../../src/runtime/scrape/metrics-endpoint.ts'

test('counters of a process that died stay in the sum, and its gauges do not', async () => {
  const dead = createMetrics('prober-1')
  dead.probesSkipped(5)
  dead.flushed('written', 10)
  dead.readProber(() => ({
    members: { ONLINE: 9 },
    inFlight: 1,
    queueDepth: 0,
    stale: 0,
    shards: 256,
    udpSharedSockets: 0,
    udpOwnSockets: 0,
    halfOpenBatched: 0,
    tcpBatched: 0,
    httpBatched: 0,
    pingBatched: 0,
    udpBatched: 0,
    udpAfterEchoBatched: 0,
    heapTight: 0,
  }))
  const next = createMetrics('prober-1')
  next.probesSkipped(2)
  next.flushed('written', 10)
  next.readProber(() => ({
    members: { ONLINE: 1 },
    inFlight: 0,
    queueDepth: 0,
    stale: 0,
    shards: 1,
    udpSharedSockets: 0,
    udpOwnSockets: 0,
    halfOpenBatched: 0,
    tcpBatched: 0,
    httpBatched: 0,
    pingBatched: 0,
    udpBatched: 0,
    udpAfterEchoBatched: 0,
    heapTight: 0,
  }))
  const retired = await retire(await retire([], await snapshotOf(dead.registry)), [])
  const text = await renderMetrics([await snapshotOf(next.registry), retired])
  for (const line of [
    'hm_probes_skipped_total 7',
    'hm_flush_rows_count 2',
    'hm_members{status="ONLINE"} 1',
    'hm_shards_owned 1',
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line} in:\n${text}`)
  }
  assert.equal(text.match(/^process_resident_memory_bytes\{/gm)?.length, 1)
})

test('the metrics listener serves GET /metrics and nothing else, and answers 500 when reading failed', async (t) => {
  let read = () => Promise.resolve('hm_x 1\n')
  const listener = await serveMetrics({ host: '127.0.0.1', port: 0 }, { read: () => read() })
  t.after(() => listener.close())
  const base = localUrl(listener.endpoint)
  const answer = await fetch(`${base}/metrics?x=1`)
  assert.equal(await answer.text(), 'hm_x 1\n')
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  assert.equal((await fetch(`${base}/`)).status, 404)
  assert.equal((await fetch(`${base}/metrics`, { method: 'POST' })).status, 405)
  read = () => Promise.reject(new Error('no answer'))
  assert.equal((await fetch(`${base}/metrics`)).status, 500)
})
