/** The metrics of a process that may be alone on its host or a child of `serve`. */
import type { Config } from '../../runtime/config/config.ts'
import type { Listener } from '../../runtime/listener/listener.ts'
import { renderMetrics, snapshotOf } from '../../runtime/scrape/metrics-endpoint.ts'
import { attachToParent, hasParent } from '../../runtime/process/parent-channel.ts'
import type { HostProcess } from './host-process.ts'
import { listenForMetrics } from './metrics-listener.ts'

/** Sends them to the parent, and ends with it; without a parent serves them where HM_METRICS_LISTEN says. */
export async function serveChildMetrics(
  given: Config,
  environment: NodeJS.ProcessEnv,
  host: HostProcess,
): Promise<Listener | undefined> {
  const { metrics, reload, ending } = host
  const read = () => snapshotOf(metrics.registry)
  if (hasParent()) {
    attachToParent({
      metrics: read,
      reload: () => reload.run(),
      gone: () => ending.exit(0, 'the parent process is gone'),
    })
    return undefined
  }
  const listener = await listenForMetrics(
    given,
    environment,
    { read: async () => renderMetrics([await read()]) },
    host,
  )
  ending.add('metrics', () => listener?.close())
  return listener
}
