/**
 * What an API process exports of the whole service: read from PostgreSQL, so that it is there when no prober is. Every
 * API process exports the same values: use `max`, not `sum`. The figures of probers themselves (`hm_members`,
 * `hm_checks_stale`) have other names and are to be added, so nothing is counted twice wherever both are.
 *
 * Read at a scrape, at most every SERVICE_FACTS_EVERY_MS, and never for more than a small part of the time. Unknown
 * values are not exported: while PostgreSQL does not answer there is only `hm_database_up` 0; when counting took too
 * long, only `hm_database_up` 1.
 */
import type { Metric, Registry } from 'prom-client'
import { SERVICE_FACTS_EVERY_MS, SERVICE_FACTS_REST, SERVICE_FACTS_WAIT_MS } from '../../domain/limits.ts'
import type { ServiceFacts } from '../../domain/prober/service-facts.ts'
import type { MetricValues, Sample } from './metric-series.ts'
import { METRICS, type MetricName } from './metric-table.ts'

const one = (value: number): readonly Sample[] => [{ labels: {}, value }]

type ServiceMetric = Extract<MetricName, `hm_service_${string}` | `hm_certificates_${string}`>

/** How the metrics of the whole service are read from its facts. */
const SERIES: Readonly<Record<ServiceMetric, (facts: ServiceFacts) => readonly Sample[]>> = {
  hm_service_members: ({ online, offline, unknown }) =>
    Object.entries({ ONLINE: online, OFFLINE: offline, UNKNOWN: unknown }).map(([status, value]) => ({
      labels: { status },
      value,
    })),
  hm_service_checks_stale: ({ stale }) => one(stale),
  hm_service_shards_unowned: ({ shardsUnowned }) => one(shardsUnowned),
  hm_service_probers: ({ probers }) => one(probers),
  hm_service_results_unwritten: ({ unwritten }) => one(unwritten),
  hm_certificates_expiring: ({ certificatesExpiring }) => one(certificatesExpiring),
  hm_certificates_expired: ({ certificatesExpired }) => one(certificatesExpired),
}

/** What a reading asks PostgreSQL. */
export interface ServiceSource {
  readonly read: () => Promise<ServiceFacts>
  /** A statement that reads nothing: its duration is the latency of PostgreSQL. */
  readonly ping: () => Promise<unknown>
}

/** Limits how often it reads; concurrent callers share a reading. */
export class ServiceReading {
  readonly #source: ServiceSource
  readonly #now: () => number
  #facts: ServiceFacts | undefined
  /** Undefined before the first answer. */
  isUp: boolean | undefined
  /** Of the last ping that was answered; undefined while PostgreSQL does not answer. */
  latencyMs: number | undefined
  #nextMs = Number.NEGATIVE_INFINITY
  #running: Promise<void> | undefined

  constructor(source: ServiceSource, now: () => number = () => performance.now()) {
    this.#source = source
    this.#now = now
  }

  /** The last reading, or a new one; undefined when PostgreSQL did not answer. Never rejects, never waits for long. */
  async facts(): Promise<ServiceFacts | undefined> {
    if (this.#running === undefined && this.#now() >= this.#nextMs) this.#running = this.#readNow()
    if (this.#running !== undefined) await withinWait(this.#running)
    return this.#facts
  }

  async #readNow(): Promise<void> {
    const startedMs = this.#now()
    try {
      await this.#source.ping()
      this.latencyMs = this.#now() - startedMs
      this.#facts = await this.#source.read()
      this.isUp = true
    } catch (error) {
      this.#facts = undefined
      this.isUp = isTimeLimit(error)
      if (!this.isUp) this.latencyMs = undefined
    }
    const endedMs = this.#now()
    this.#nextMs = Math.max(
      startedMs + SERVICE_FACTS_EVERY_MS,
      endedMs + SERVICE_FACTS_REST * (endedMs - startedMs),
    )
    this.#running = undefined
  }
}

/** PostgreSQL cancelled the statement (query_canceled): so it is up. */
function isTimeLimit(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '57014'
}

async function withinWait(running: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, SERVICE_FACTS_WAIT_MS)
  })
  await Promise.race([running, late])
  clearTimeout(timer)
}

/** Adds the metrics of the whole service and of its PostgreSQL to those of this process. */
export function exportService(registry: Registry, reading: ServiceReading): void {
  for (const name of Object.keys(SERIES) as ServiceMetric[]) {
    register(registry, name, async () => {
      const facts = await reading.facts()
      return facts === undefined ? [] : SERIES[name](facts)
    })
  }
  register(registry, 'hm_database_up', async () => {
    await reading.facts()
    return reading.isUp === undefined ? [] : one(reading.isUp ? 1 : 0)
  })
  register(registry, 'hm_database_latency_seconds', async () => {
    await reading.facts()
    return reading.latencyMs === undefined ? [] : one(reading.latencyMs / 1000)
  })
}

function register(registry: Registry, name: MetricName, read: () => Promise<readonly Sample[]>): void {
  const get = async (): Promise<MetricValues> => ({
    name,
    help: METRICS[name].help,
    type: 'gauge',
    values: await read(),
    aggregator: 'sum',
  })
  // prom-client only ever calls `get`.
  registry.registerMetric({ name, get } as unknown as Metric)
}
