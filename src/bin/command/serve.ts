/**
 * `healthmonitor serve`: everything of one host. Ports first (a taken one is known at once), then PostgreSQL (an
 * embedded one without DATABASE_URL), schema, probers and notifier as children, API in this process. It ends in the
 * opposite order: while the API waits for slow clients, probing goes on.
 */
import { API_CONNECTIONS } from '../../domain/limits.ts'
import { type Config, parseConfig } from '../../runtime/config/config.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../runtime/embedded/embedded-postgres.ts'
import { announce } from '../../runtime/output/announce.ts'
import { renderMetrics, snapshotOf } from '../../runtime/scrape/metrics-endpoint.ts'
import { listenForApi } from '../process/api-server.ts'
import { withBoundEndpoints } from '../process/bound-endpoints.ts'
import { ChildProcesses } from '../process/child-processes.ts'
import { migrate, neededDatabaseUrl, openProcessDatabase } from '../process/database.ts'
import { figurePages } from '../process/figure-pages.ts'
import { type HostProcess, hostProcess } from '../process/host-process.ts'
import { listenForMetrics, urlOf } from '../process/metrics-listener.ts'
import { welcome } from '../process/welcome.ts'
import { processCommand } from './process-command.ts'

export const serveCommand = processCommand({
  summary: 'API, prober processes and, without DATABASE_URL, an embedded PostgreSQL',
  about: 'Runs everything of one host until Ctrl-C or SIGTERM.',
  run: serve,
})

/**
 * Starts everything and prints its addresses; resolves when it is ready. Throws StartRefusal with nothing left running.
 */
async function serve(environment: NodeJS.ProcessEnv): Promise<void> {
  const given = parseConfig(environment)
  const host = hostProcess('api', given, environment)
  try {
    await startAll(given, environment, host)
  } catch (error) {
    await host.ending.run()
    throw error
  }
}

async function startAll(given: Config, environment: NodeJS.ProcessEnv, host: HostProcess): Promise<void> {
  const { log, ending, reload } = host
  const children = new ChildProcesses(log)
  const api = await listenForApi(given, host.tls)
  const figures = figurePages(given)
  const served = { read: () => readMetrics(host, children), pages: figures.pages }
  const metrics = await listenForMetrics(given, environment, served, host)

  const embedded = given.databaseUrl === undefined ? await startOwnPostgres(given, host) : undefined
  // What the children need too: the database, and our real ports.
  const settled: NodeJS.ProcessEnv = {
    ...withBoundEndpoints(environment, { ...api.endpoints, HM_METRICS_LISTEN: metrics?.endpoint }),
    ...(embedded === undefined ? {} : { DATABASE_URL: embedded.url }),
  }
  const config = parseConfig(settled)
  const database = await openProcessDatabase(host, neededDatabaseUrl(config, 'serve'), API_CONNECTIONS)
  await migrate(database.db, database.url(), log)

  ending.add(
    'probers and notifier',
    async () => void (await Promise.all([metrics?.close(), children.stop()])),
    () => children.destroy(),
  )
  children.start(config.probers, settled)
  reload.add('child processes', () => ({ asked: children.reload() }))
  ending.add('API', () => api.close())
  figures.open(database.db)
  await api.open({ config, database, host })
  announce(welcome({ config, embedded, apiUrl: api.url, doorUrls: api.doors, metricsUrl: metrics?.url }), log)
  log.info({ config, ...urlOf(metrics) }, 'ready')
}

async function startOwnPostgres(config: Config, { log, ending }: HostProcess): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({
    dataDir: config.dataDir,
    durable: true,
    log: (message) => log.warn(message),
  })
  ending.add('PostgreSQL', () => postgres.stop())
  return postgres
}

async function readMetrics({ metrics }: HostProcess, children: ChildProcesses): Promise<string> {
  const own = await snapshotOf(metrics.registry)
  return await renderMetrics([own, ...(await children.snapshots())])
}
