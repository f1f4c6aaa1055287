/**
 * `/metrics` of a process and of its children together. The last known counters of a dead child stay in the sums: a
 * counter that falls would look like a restart of the service.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { AggregatorRegistry, type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client'
import type { Endpoint } from '../config/endpoint.ts'
import type { MetricsPage } from './figure-page.ts'
import type { ListenerTls } from '../listener/listener-tls.ts'
import { type Listener, listen } from '../listener/listener.ts'

/** The metrics of one process at one moment, in prom-client's JSON format, which can be sent between processes. */
export type Snapshot = readonly MetricObjectWithValues<MetricValue<string>>[]

/** Reads a registry. */
export async function snapshotOf(registry: Registry): Promise<Snapshot> {
  return await registry.getMetricsAsJSON()
}

/** One text of several processes' metrics; figures with equal labels are added. */
export async function renderMetrics(snapshots: readonly Snapshot[]): Promise<string> {
  return await merge(snapshots).metrics()
}

/** Adds what a dead process had counted to what others before it had. Its gauges are dropped. */
export async function retire(retired: Snapshot, last: Snapshot): Promise<Snapshot> {
  const counted = last.filter(({ name, type }) => name.startsWith('hm_') && COUNTED.has(String(type)))
  return await snapshotOf(merge([retired, counted]))
}

const COUNTED = new Set(['counter', 'histogram'])

function merge(snapshots: readonly Snapshot[]): Registry {
  return AggregatorRegistry.aggregate(snapshots.map((snapshot) => [...snapshot]))
}

/** What a metrics listener serves. */
export interface ServedMetrics {
  /** The text of `/metrics`. */
  readonly read: () => Promise<string>
  /** Other pages, by path. */
  readonly pages?: ReadonlyMap<string, MetricsPage>
}

/** Serves GET of these on HM_METRICS_LISTEN, and nothing else. Throws StartRefusal when that cannot be bound. */
export function serveMetrics(
  endpoint: Endpoint,
  served: ServedMetrics,
  tls?: ListenerTls,
): Promise<Listener> {
  return listen(
    endpoint,
    'HM_METRICS_LISTEN',
    (request, response) => void answer(request, response, served),
    tls,
  )
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { read, pages = new Map() }: ServedMetrics,
): Promise<void> {
  const [path = ''] = (request.url ?? '').split('?')
  const page = pages.get(path)
  if (path !== '/metrics' && page === undefined) {
    return respond(response, 404, `only ${['/metrics', ...pages.keys()].join(', ')} is here\n`)
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD')
    return respond(response, 405, 'only GET and HEAD\n')
  }
  if (page !== undefined) return await page(request, response)
  try {
    const text = await read()
    response.setHeader('Content-Type', Registry.PROMETHEUS_CONTENT_TYPE)
    respond(response, 200, text)
  } catch (error) {
    respond(response, 500, `${error instanceof Error ? error.message : 'unknown error'}\n`)
  }
}

function respond(response: ServerResponse, status: number, text: string): void {
  if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', 'text/plain; charset=utf-8')
  response.statusCode = status
  response.end(text)
}
