/** A site that reaches the service over NATS: a server, a relay and probers, inside the test. */
import { startNatsProber, type NatsProberDeps, type Prober } from '../../src/bin/process/prober.ts'
import { type Relay, type RelayDeps, startRelay } from '../../src/bin/process/relay.ts'
import { createMetrics, type Metrics } from '../../src/runtime/metrics/metrics.ts'
import { relayMetrics } from '../../src/runtime/metrics/relay-metrics.ts'
import { makeProbers } from '../../src/probe/probers.ts'
import type { TestDatabase } from './database.ts'
import { keepingLog } from './prober.ts'

/** How a test reaches the server that `startNatsServer` starts. */
export const reachedBy = (url: string) => ({ url, domain: 'hub' })

export interface TestRelay extends Relay {
  readonly log: ReturnType<typeof keepingLog>
  readonly metrics: Metrics
}

/** A relay of these sites; it is closed before the database goes. */
export function testRelay(
  database: TestDatabase,
  url: string,
  sites: readonly string[],
  natsOf: RelayDeps['natsOf'] = () => reachedBy(url),
): TestRelay {
  const log = keepingLog()
  const metrics = createMetrics('relay-test')
  const relay = startRelay({
    databaseUrl: database.url,
    sites,
    natsOf,
    metrics: relayMetrics(metrics.registry),
    log,
  })
  database.beforeDrop(() => relay.close())
  return { ...relay, log, metrics }
}

export interface TestNatsProber extends Prober {
  readonly log: ReturnType<typeof keepingLog>
  readonly metrics: Metrics
}

/** A prober of a site with a short lease; it is closed when the test ends. */
export function testNatsProber(
  database: Pick<TestDatabase, 'beforeDrop'>,
  url: string,
  site: string,
  more: Partial<NatsProberDeps> = {},
): TestNatsProber {
  const log = keepingLog()
  const metrics = createMetrics('prober-test')
  const prober = startNatsProber({
    site,
    nats: reachedBy(url),
    sourceAddresses: [],
    canaries: [],
    leaseMs: 1000,
    checkpointMs: 1000,
    probers: makeProbers,
    targetPolicy: () => undefined,
    metrics,
    log,
    ...more,
  })
  database.beforeDrop(() => prober.close())
  return { ...prober, log, metrics }
}
