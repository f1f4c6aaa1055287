/** `/metrics` of a process: where it is served when several processes of one host share an environment. */
import type { Config } from '../../runtime/config/config.ts'
import { isPortTaken, type Listener } from '../../runtime/listener/listener.ts'
import { type ServedMetrics, serveMetrics } from '../../runtime/scrape/metrics-endpoint.ts'
import type { HostProcess } from './host-process.ts'

/**
 * Binds HM_METRICS_LISTEN; undefined when that is off. If it is not set and the default port is taken, it uses a free
 * port and logs it: that a second process can work matters more than the port of its metrics. Throws StartRefusal for a
 * port that was set and is taken.
 */
export async function listenForMetrics(
  { metricsListen }: Pick<Config, 'metricsListen'>,
  environment: NodeJS.ProcessEnv,
  served: ServedMetrics,
  { log, tls }: Pick<HostProcess, 'log' | 'tls'>,
): Promise<Listener | undefined> {
  if (metricsListen === undefined) return undefined
  try {
    return await serveMetrics(metricsListen, served, tls)
  } catch (error) {
    if ((environment['HM_METRICS_LISTEN'] ?? '') !== '' || !isPortTaken(error)) throw error
    const listener = await serveMetrics({ ...metricsListen, port: 0 }, served, tls)
    log.warn(
      { taken: metricsListen.port, ...urlOf(listener) },
      'the default port of metrics is taken, so they are on a free one: set HM_METRICS_LISTEN for this process to choose it',
    )
    return listener
  }
}

/** For the log: where the metrics are. */
export function urlOf(listener: Listener | undefined): { readonly metrics_url?: string } {
  return listener === undefined ? {} : { metrics_url: `${listener.url}/metrics` }
}
