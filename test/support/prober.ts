/** A prober inside the test, on the test's database. */
import { type Prober, type ProberDeps, startProber } from '../../src/bin/process/prober.ts'
import { createMetrics, type Metrics } from '../../src/runtime/metrics/metrics.ts'
import type { Log } from '../../src/schedule/log.ts'
import type { TestDatabase } from './database.ts'
import { makeProbers } from '../../src/probe/probers.ts'

export interface LogLine {
  readonly level: keyof Log
  readonly facts: Readonly<Record<string, unknown>>
  readonly message: string
}

/** A log that keeps its lines. */
export function keepingLog(): Log & { readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = []
  const at = (level: keyof Log) => (facts: object, message: string) => {
    lines.push({ level, facts: facts as LogLine['facts'], message })
  }
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

export interface TestProber extends Prober {
  readonly log: ReturnType<typeof keepingLog>
  readonly metrics: Metrics
}

/** Starts a prober with a short lease; it is closed when the test ends. */
export function testProber(database: TestDatabase, more: Partial<ProberDeps> = {}): TestProber {
  const log = keepingLog()
  const metrics = createMetrics('prober-test')
  const prober = startProber({
    sourceAddresses: [],
    canaries: [],
    databaseUrl: database.url,
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
