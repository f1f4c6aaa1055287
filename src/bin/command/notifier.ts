/** `healthmonitor notifier`: delivers events to receivers, alone on its host or as a child of `serve`. */
import { NOTIFIER_CONNECTIONS } from '../../domain/limits.ts'
import { parseConfig } from '../../runtime/config.ts'
import { formatEndpoint } from '../../runtime/listener.ts'
import { serveChildMetrics } from '../process/child-metrics.ts'
import { assertSchemaCurrent, neededDatabaseUrl, openReadyDatabase } from '../process/database.ts'
import { hostProcess } from '../process/host-process.ts'
import { urlOf } from '../process/metrics-listener.ts'
import { startNotifier } from '../process/notifier.ts'
import { webhookSettingsOf } from '../process/webhooks.ts'

const NAME = 'notifier'

/** Resolves when it runs. Throws StartRefusal. */
export async function notifier(environment: NodeJS.ProcessEnv): Promise<void> {
  const given = parseConfig(environment)
  const place = neededDatabaseUrl(given, NAME)
  const host = hostProcess(NAME, given, environment)
  const { metrics, log, ending, secrets } = host
  const databaseUrl = () => secrets.databaseUrl() ?? place
  const listener = await serveChildMetrics(given, environment, host)
  const db = await openReadyDatabase(databaseUrl, `healthmonitor ${NAME}`, NOTIFIER_CONNECTIONS, log)
  ending.add('database', () => db.destroy())
  await assertSchemaCurrent(db)
  // The policy of webhooks denies its own listener, on every address.
  const config =
    listener === undefined
      ? given
      : parseConfig({ ...environment, HM_METRICS_LISTEN: formatEndpoint(listener.endpoint) })
  const webhooks = await webhookSettingsOf(config, place)
  const running = startNotifier({
    databaseUrl,
    db,
    log,
    metrics,
    webhooks,
    amqp: given.amqp,
    amqpUrls: secrets.amqpUrls,
  })
  ending.add(NAME, () => running.close())
  log.info(urlOf(listener), 'ready')
}
