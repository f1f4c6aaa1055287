import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { Registry } from 'prom-client'
import {
  SERVICE_FACTS_EVERY_MS,
  SERVICE_FACTS_REST,
  SERVICE_FACTS_WAIT_MS,
} from '../../../../src/domain/limits.ts'
import type { ServiceFacts } from '../../../../src/domain/prober/service-facts.ts'
import { exportService, ServiceReading } from '../../../../src/runtime/metrics/service-series.ts'

const FACTS: ServiceFacts = {
  probers: 2,
  shardsUnowned: 3,
  unwritten: 4,
  online: 5,
  offline: 6,
  unknown: 7,
  stale: 8,
  certificatesExpiring: 9,
  certificatesExpired: 10,
}

const TOLD = [
  'hm_service_members{status="ONLINE"} 5',
  'hm_service_members{status="OFFLINE"} 6',
  'hm_service_members{status="UNKNOWN"} 7',
  'hm_service_checks_stale 8',
  'hm_service_shards_unowned 3',
  'hm_service_probers 2',
  'hm_service_results_unwritten 4',
  'hm_certificates_expiring 9',
  'hm_certificates_expired 10',
  'hm_database_up 1',
  'hm_database_latency_seconds 0',
]

const ping = () => Promise.resolve()

async function figures(registry: Registry): Promise<string[]> {
  return (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

test('one reading serves all metrics of a scrape and all scrapes of some seconds', async () => {
  let reads = 0
  let nowMs = 0
  const registry = new Registry()
  const read = () => Promise.resolve({ ...FACTS, probers: (reads += 1) })
  exportService(registry, new ServiceReading({ read, ping }, () => nowMs))
  const scrapes = await Promise.all([figures(registry), figures(registry)])
  assert.equal(reads, 1)
  assert.deepEqual(
    scrapes[0],
    TOLD.map((line) => line.replace('probers 2', 'probers 1')),
  )
  nowMs = SERVICE_FACTS_EVERY_MS - 1
  await figures(registry)
  assert.equal(reads, 1)
  nowMs = SERVICE_FACTS_EVERY_MS
  assert.deepEqual(await figures(registry), TOLD)
})

test('a reading that takes long is made less often', async () => {
  let reads = 0
  let nowMs = 0
  const read = () => {
    reads += 1
    nowMs += 1000
    return Promise.resolve(FACTS)
  }
  const reading = new ServiceReading({ read, ping }, () => nowMs)
  await reading.facts()
  nowMs = 1000 + SERVICE_FACTS_REST * 1000 - 1
  await reading.facts()
  assert.equal(reads, 1)
  nowMs += 1
  await reading.facts()
  assert.equal(reads, 2)
})

test('while PostgreSQL does not answer, only that is exported', async () => {
  let nowMs = 0
  let isAway = false
  const registry = new Registry()
  const read = () => (isAway ? Promise.reject(new Error('away')) : Promise.resolve(FACTS))
  exportService(registry, new ServiceReading({ read, ping }, () => nowMs))
  assert.deepEqual(await figures(registry), TOLD)
  isAway = true
  nowMs += SERVICE_FACTS_EVERY_MS
  assert.deepEqual(await figures(registry), ['hm_database_up 0'])
  isAway = false
  nowMs += SERVICE_FACTS_EVERY_MS
  assert.deepEqual(await figures(registry), TOLD)
})

test('counting that runs into its time limit is not a database that is away', async () => {
  const registry = new Registry()
  const canceled = Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' })
  const read = () => Promise.reject(canceled)
  exportService(registry, new ServiceReading({ read, ping }, () => 0))
  assert.deepEqual(await figures(registry), ['hm_database_up 1', 'hm_database_latency_seconds 0'])
})

test('a scrape does not wait for a reading that hangs: it gets the one before', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.after(() => mock.timers.reset())
  let nowMs = 0
  let hangs = false
  const read = () => (hangs ? new Promise<ServiceFacts>(() => undefined) : Promise.resolve(FACTS))
  const reading = new ServiceReading({ read, ping }, () => nowMs)
  await reading.facts()
  hangs = true
  nowMs += SERVICE_FACTS_EVERY_MS
  const asked = reading.facts()
  mock.timers.tick(SERVICE_FACTS_WAIT_MS)
  assert.equal(await asked, FACTS)
})

test('the latency of PostgreSQL is that of a statement that reads nothing, however long the counting takes', async () => {
  let nowMs = 0
  const after = (ms: number) => () => {
    nowMs += ms
    return Promise.resolve(FACTS)
  }
  const registry = new Registry()
  exportService(registry, new ServiceReading({ ping: after(20), read: after(900) }, () => nowMs))
  assert.ok((await figures(registry)).includes('hm_database_latency_seconds 0.02'))
})
