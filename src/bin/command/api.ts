/** `healthmonitor api`: the API alone; other processes migrate its database and probe. */
import { API_CONNECTIONS } from '../../domain/limits.ts'
import { parseConfig } from '../../runtime/config/config.ts'
import { announce } from '../../runtime/output/announce.ts'
import { renderMetrics, snapshotOf } from '../../runtime/scrape/metrics-endpoint.ts'
import { listenForApi } from '../process/api-server.ts'
import { withBoundEndpoints } from '../process/bound-endpoints.ts'
import { assertSchemaCurrent, neededDatabaseUrl, openProcessDatabase } from '../process/database.ts'
import { figurePages } from '../process/figure-pages.ts'
import { hostProcess } from '../process/host-process.ts'
import { listenForMetrics, urlOf } from '../process/metrics-listener.ts'
import { processCommand } from './process-command.ts'

export const apiCommand = processCommand({
  summary: 'the API alone (needs DATABASE_URL)',
  about: 'Serves the API; the probers are other processes with the same DATABASE_URL.',
  needsDatabaseAs: 'api',
  run: api,
})

/** Resolves when the API answers. Throws StartRefusal. */
async function api(environment: NodeJS.ProcessEnv): Promise<void> {
  const given = parseConfig(environment)
  const databaseUrl = neededDatabaseUrl(given, 'api')
  const host = hostProcess('api', given, environment)
  const { registry } = host.metrics
  const server = await listenForApi(given, host.tls)
  const figures = figurePages(given)
  const served = { read: async () => renderMetrics([await snapshotOf(registry)]), pages: figures.pages }
  const metrics = await listenForMetrics(given, environment, served, host)
  const config = parseConfig(
    withBoundEndpoints(environment, { ...server.endpoints, HM_METRICS_LISTEN: metrics?.endpoint }),
  )
  const database = await openProcessDatabase(host, databaseUrl, API_CONNECTIONS)
  await assertSchemaCurrent(database.db)
  host.ending.add('API', async () => void (await Promise.all([server.close(), metrics?.close()])))
  figures.open(database.db)
  await server.open({ config, database, host })
  const doors = Object.entries(server.doors).map(([door, url]) => `${door} at ${url}\n`)
  announce(`API at ${server.url}/v2.0/lbaas\n${doors.join('')}`, host.log)
  host.log.info({ config, ...urlOf(metrics) }, 'ready')
}
