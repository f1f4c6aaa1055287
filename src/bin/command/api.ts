/** `healthmonitor api`: the API alone; other processes migrate its database and probe. */
import { API_CONNECTIONS } from '../../domain/limits.ts'
import { parseConfig } from '../../runtime/config.ts'
import { formatEndpoint } from '../../runtime/listener.ts'
import { renderMetrics, snapshotOf } from '../../runtime/metrics-endpoint.ts'
import { announce } from '../../runtime/announce.ts'
import { listenForApi } from '../process/api-server.ts'
import { figurePages } from '../process/figure-pages.ts'
import { hostProcess } from '../process/host-process.ts'
import { listenForMetrics, urlOf } from '../process/metrics-listener.ts'
import { assertSchemaCurrent, neededDatabaseUrl, openReadyDatabase } from '../process/database.ts'

/** Resolves when the API answers. Throws StartRefusal. */
export async function api(environment: NodeJS.ProcessEnv): Promise<void> {
  const config = parseConfig(environment)
  const databaseUrl = neededDatabaseUrl(config, 'api')
  const host = hostProcess('api', config, environment)
  const { metrics, log, ending, secrets, tls } = host
  const server = await listenForApi(config, tls)
  const readMetrics = async (): Promise<string> => renderMetrics([await snapshotOf(metrics.registry)])
  const figures = figurePages(config)
  const served = { read: readMetrics, pages: figures.pages }
  const metricsListener = await listenForMetrics(config, environment, served, host)
  const db = await openReadyDatabase(
    () => secrets.databaseUrl() ?? databaseUrl,
    'healthmonitor api',
    API_CONNECTIONS,
    log,
  )
  ending.add('database', () => db.destroy())
  await assertSchemaCurrent(db)
  ending.add('API', async () => {
    await Promise.all([server.close(), metricsListener?.close()])
  })
  const bound = parseConfig({
    ...environment,
    HM_LISTEN: formatEndpoint(server.endpoint),
    HM_METRICS_LISTEN: metricsListener === undefined ? 'off' : formatEndpoint(metricsListener.endpoint),
  })
  figures.open(db)
  await server.open({ config: bound, databaseUrl, secrets, db, log, metrics })
  announce(`API at ${server.url}/v2.0/lbaas\n`, log)
  log.info({ config: bound, ...urlOf(metricsListener) }, 'ready')
}
