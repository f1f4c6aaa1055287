/** `healthmonitor notifier`: delivers events to receivers, alone on its host or as a child of `serve`. */
import { NOTIFIER_CONNECTIONS } from '../../domain/limits.ts'
import { parseConfig } from '../../runtime/config/config.ts'
import { withBoundEndpoints } from '../process/bound-endpoints.ts'
import { serveChildMetrics } from '../process/child-metrics.ts'
import { assertSchemaCurrent, neededDatabaseUrl, openProcessDatabase } from '../process/database.ts'
import { hostProcess } from '../process/host-process.ts'
import { urlOf } from '../process/metrics-listener.ts'
import { startNotifier } from '../process/notifier.ts'
import { webhookSettingsOf } from '../process/webhooks.ts'
import { processCommand } from './process-command.ts'

export const notifierCommand = processCommand({
  summary: 'a notifier alone (needs DATABASE_URL)',
  about: 'Delivers events to receivers. If several notifiers run, one delivers and the others stand by.',
  needsDatabaseAs: 'notifier',
  run: notifier,
})

/** Resolves when it runs. Throws StartRefusal. */
async function notifier(environment: NodeJS.ProcessEnv): Promise<void> {
  const given = parseConfig(environment)
  const databaseUrl = neededDatabaseUrl(given, 'notifier')
  const host = hostProcess('notifier', given, environment)
  const { metrics, log, ending, secrets } = host
  const listener = await serveChildMetrics(given, environment, host)
  const { db, url } = await openProcessDatabase(host, databaseUrl, NOTIFIER_CONNECTIONS)
  await assertSchemaCurrent(db)
  // The policy of webhooks denies its own listener, on every address.
  const config = parseConfig(withBoundEndpoints(environment, { HM_METRICS_LISTEN: listener?.endpoint }))
  const webhooks = await webhookSettingsOf(config, databaseUrl)
  const amqp = { amqp: config.amqp, amqpUrls: secrets.amqpUrls }
  const running = startNotifier({ databaseUrl: url, db, log, metrics, webhooks, ...amqp })
  ending.add('notifier', () => running.close())
  log.info(urlOf(listener), 'ready')
}
