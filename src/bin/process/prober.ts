/** One prober process, put together: what `healthmonitor prober` and the children of `serve` run. */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { FIRST_PURGE_MS, LOCAL_SITE, RELEASE_WITHIN_MS } from '../../domain/limits.ts'
import type { DatabaseUrl } from '../../store/connection/connection-url.ts'
import type { ProbeRuntime } from '../../probe/probe-runtime.ts'
import { heldMetrics } from '../../runtime/metrics/held-metrics.ts'
import type { Metrics } from '../../runtime/metrics/metrics.ts'
import { proberMetrics } from '../../runtime/metrics/prober-metrics.ts'
import { isDoneWithin } from '../../schedule/done-within.ts'
import type { ProberEngineOptions, ProberPolicies, ProberStore } from '../../schedule/engine-options.ts'
import type { Log } from '../../schedule/log.ts'
import { ProberEngine } from '../../schedule/prober-engine.ts'
import { LostSites } from '../../schedule/upkeep/lost-sites.ts'
import type { NatsSettings } from '../../site/connection.ts'
import { openNatsProberStore } from '../../site/prober-store.ts'
import { onThisHost, openProberStore, type ProberHost } from './prober-store.ts'
import { type Keep, KEEP_DEFAULT, makeRetention } from './retention.ts'

export interface ProberDeps extends EngineDeps, ProberHost {
  readonly databaseUrl: DatabaseUrl
  /** Where it is; absent = `local`. */
  readonly site?: string
  /** Absent = KEEP_DEFAULT. */
  readonly keep?: Keep
}

/** Of an engine, whichever way it reaches the service. */
interface EngineDeps extends ProberPolicies {
  readonly probers: ProberEngineOptions['probers']
  /** As `ProberEngineOptions.usesCores`. */
  readonly usesCores?: boolean
  readonly metrics: Metrics
  readonly log: Log
}

/** A running prober. */
export interface Prober {
  /** The id of its row in `prober`, and the owner of its shards. */
  readonly id: string
  /** What its probes share. */
  readonly runtime: ProbeRuntime
  /** Stops probing, writes the remaining results, releases the shards; ends within some seconds whatever happens. */
  close(): Promise<void>
  /** Ends now; the lease runs out by itself. */
  destroy(): Promise<void>
}

/** Starts a prober. Without PostgreSQL it waits, probes nothing and logs that. */
export function startProber(deps: ProberDeps): Prober {
  const { log, metrics, keep = KEEP_DEFAULT, site = LOCAL_SITE } = deps
  const id = randomUUID()
  const ofProber = proberMetrics(metrics.registry)
  const store = openProberStore({ ...deps, id, site })
  const { retention, destroy: destroyRetention } = makeRetention({ ...deps, keep, metrics: ofProber })
  const lostSites = new LostSites({ store: store.lostSites, log })
  const running = startEngine(deps, { id, site, store, ofProber }, [
    { close: () => retention.close(), destroy: destroyRetention },
    lostSites,
  ])
  retention.start(FIRST_PURGE_MS)
  lostSites.start()
  return running
}

export interface NatsProberDeps extends EngineDeps, ProberHost {
  readonly nats: Omit<NatsSettings, 'inbox' | 'name'>
  readonly site: string
  /** The folder in which results of the site are held that cannot be sent; absent = the memory. */
  readonly heldFolder?: string | undefined
}

/** Starts a prober that reaches the service over NATS. Without it, it waits, probes nothing and logs that. */
export function startNatsProber(deps: NatsProberDeps): Prober {
  const { log, metrics, site, leaseMs, nats, heldFolder: folder } = deps
  const id = randomUUID()
  const store = openNatsProberStore({
    id,
    site,
    leaseMs,
    nats,
    log,
    host: hostname(),
    pid: process.pid,
    held: folder === undefined ? undefined : { folder, metrics: heldMetrics(metrics.registry) },
    adapt: (pool) => onThisHost(pool, deps),
  })
  return startEngine(deps, { id, site, store, ofProber: proberMetrics(metrics.registry) }, [])
}

interface EngineParts {
  readonly id: string
  readonly site: string
  readonly store: ProberStore & { destroy(): Promise<void> }
  readonly ofProber: ReturnType<typeof proberMetrics>
}

/** What ends with the engine. */
interface Upkeep {
  close(): Promise<void>
  destroy(): unknown
}

function startEngine(
  deps: EngineDeps,
  { id, site, store, ofProber }: EngineParts,
  upkeep: readonly Upkeep[],
): Prober {
  const { log, metrics, probers, usesCores = true } = deps
  const engine = new ProberEngine({
    store,
    probers,
    usesCores,
    policies: deps,
    metrics,
    dependencyMetrics: ofProber,
    log,
  })

  async function destroy(): Promise<void> {
    await Promise.all([engine.destroy(), ...upkeep.map((part) => part.destroy()), store.destroy()])
  }

  async function stop(): Promise<void> {
    await closeAll([engine, ...upkeep], log)
    await isDoneWithin(RELEASE_WITHIN_MS, destroy())
  }

  let closing: Promise<void> | undefined
  engine.start()
  log.info({ prober_id: id, site, tcp_by: engine.runtime.tcpWay }, 'prober started')
  return { id, runtime: engine.runtime, close: () => (closing ??= stop()), destroy }
}

/** Ends the parts of a prober, as far as the time allows: the engine releases its shards. */
async function closeAll(parts: readonly { close(): Promise<void> }[], log: Log): Promise<void> {
  try {
    if (!(await isDoneWithin(RELEASE_WITHIN_MS, Promise.all(parts.map((part) => part.close())))))
      log.warn({}, 'the shards were not released in time; the lease runs out')
  } catch (error) {
    log.warn({ err: error }, 'the shards could not be released; the lease runs out')
  }
}
