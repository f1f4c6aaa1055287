/**
 * `healthmonitor serve`: everything of one host. Ports first (a taken one is known at once), then PostgreSQL (an
 * embedded one without DATABASE_URL), schema, probers and notifier as children, API in this process. It ends in the opposite order:
 * while the API waits for slow clients, probing goes on.
 */
import { fileURLToPath } from 'node:url'
import { API_CONNECTIONS } from '../../domain/limits.ts'
import { type Config, parseConfig, withoutPassword } from '../../runtime/config.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../runtime/embedded-postgres.ts'
import type { Ending } from '../../runtime/ending.ts'
import { formatEndpoint } from '../../runtime/listener.ts'
import type { Log } from '../../runtime/log.ts'
import type { Metrics } from '../../runtime/metrics.ts'
import { renderMetrics, snapshotOf } from '../../runtime/metrics-endpoint.ts'
import { ChildSlot } from '../../runtime/processes.ts'
import { announce } from '../../runtime/announce.ts'
import { listenForApi } from '../process/api-server.ts'
import { migrate, openReadyDatabase } from '../process/database.ts'
import { figurePages } from '../process/figure-pages.ts'
import { type HostProcess, hostProcess } from '../process/host-process.ts'
import { listenForMetrics, urlOf } from '../process/metrics-listener.ts'
import { version } from '../version.ts'

const PROGRAM = fileURLToPath(new URL('../healthmonitor.js', import.meta.url))

/**
 * Starts everything and prints its addresses; resolves when it is ready. Throws StartRefusal with nothing left running.
 */
export async function serve(environment: NodeJS.ProcessEnv): Promise<void> {
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
  const { log, metrics, ending, reload, secrets, tls } = host
  const children: ChildSlot[] = []
  const api = await listenForApi(given, tls)
  const figures = figurePages(given)
  const metricsListener = await listenForMetrics(
    given,
    environment,
    { read: () => readMetrics(metrics, children), pages: figures.pages },
    host,
  )

  const embedded = given.databaseUrl === undefined ? await startOwnPostgres(given, log, ending) : undefined
  const databaseUrl = given.databaseUrl ?? embedded?.url ?? ''
  // The settings that the children need too: the database, and our real ports.
  const settled: NodeJS.ProcessEnv = {
    ...environment,
    ...(embedded === undefined ? {} : { DATABASE_URL: embedded.url }),
    HM_LISTEN: formatEndpoint(api.endpoint),
    HM_METRICS_LISTEN: metricsListener === undefined ? 'off' : formatEndpoint(metricsListener.endpoint),
  }
  const config = parseConfig(settled)

  const url = () => secrets.databaseUrl() ?? databaseUrl
  const db = await openReadyDatabase(url, 'healthmonitor api', API_CONNECTIONS, log)
  ending.add('database', () => db.destroy())
  await migrate(db, databaseUrl, log)

  ending.add(
    'probers and notifier',
    async () => {
      await Promise.all([metricsListener?.close(), ...children.map((child) => child.stop())])
    },
    () => {
      for (const child of children) child.destroy()
    },
  )
  children.push(...startChildren(config, settled, log))
  reload.add('child processes', () => {
    for (const child of children) child.reload()
    return { asked: children.length }
  })
  ending.add('API', () => api.close())
  figures.open(db)
  await api.open({ config, databaseUrl, secrets, db, log, metrics })
  announce(welcome(config, embedded, { api: api.url, metrics: metricsListener?.url }), log)
  log.info({ config, ...urlOf(metricsListener) }, 'ready')
}

/** The probers, and the notifier. */
function startChildren({ probers }: Config, env: NodeJS.ProcessEnv, log: Log): readonly ChildSlot[] {
  const names = Array.from({ length: probers }, (_, index) => `prober-${index + 1}`)
  const commands = [...names.map((name) => [name, 'prober', `--name=${name}`]), ['notifier', 'notifier']]
  return commands.map(([name = '', ...args]) => {
    const child = new ChildSlot({ name, modulePath: PROGRAM, args, env, log })
    child.start()
    return child
  })
}

async function startOwnPostgres(config: Config, log: Log, ending: Ending): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({
    dataDir: config.dataDir,
    durable: true,
    log: (message) => log.warn(message),
  })
  ending.add('PostgreSQL', () => postgres.stop())
  return postgres
}

async function readMetrics(metrics: Metrics, children: readonly ChildSlot[]): Promise<string> {
  const own = await snapshotOf(metrics.registry)
  const others = await Promise.all(children.map((child) => child.snapshots()))
  return await renderMetrics([own, ...others.flat()])
}

/** Where everything is, for the person who started it. */
function welcome(
  config: Config,
  embedded: EmbeddedPostgres | undefined,
  { api: base, metrics }: { readonly api: string; readonly metrics: string | undefined },
): string {
  const lines = [
    `healthmonitor ${version} is ready`,
    `  API       ${base}/v2.0/lbaas`,
    `  page      ${base}/ui/`,
    `  docs      ${base}/docs`,
    ...clientLines(config, base),
    `  metrics   ${metrics === undefined ? 'off' : `${metrics}/metrics`}`,
    `  probers   ${config.probers}`,
    ...databaseLines(config, embedded),
    '  Ctrl-C stops everything',
  ]
  return `${lines.join('\n')}\n`
}

/** The settings for clients that need Keystone; any user and password will do. */
function clientLines({ auth, defaultProject }: Config, base: string): readonly string[] {
  if (auth !== 'none') return []
  const variables = [
    `OS_AUTH_URL=${base}/identity/v3 OS_USERNAME=admin OS_PASSWORD=any OS_PROJECT_NAME=${defaultProject}`,
    'OS_USER_DOMAIN_NAME=Default OS_PROJECT_DOMAIN_NAME=Default OS_REGION_NAME=RegionOne',
    'OS_IDENTITY_API_VERSION=3',
  ]
  return [`  clients   export ${variables.join(' ')}`]
}

function databaseLines(config: Config, embedded: EmbeddedPostgres | undefined): readonly string[] {
  if (embedded === undefined) {
    return [`  database  ${withoutPassword(config.databaseUrl ?? '')}`, '  psql      psql "$DATABASE_URL"']
  }
  const account = embedded.account === undefined ? '' : `, as ${embedded.account}`
  return [
    `  database  embedded PostgreSQL ${embedded.version} in ${embedded.home}${account}`,
    '  sql       npx healthmonitor sql "select * from member_status"',
    `  psql      ${embedded.psql}`,
  ]
}
