/** `healthmonitor relay`: brings sites that reach the service over NATS to the database. */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { LOCAL_SITE } from '../../domain/limits.ts'
import { type NatsConfig, parseConfig } from '../../runtime/config/config.ts'
import { relayMetrics } from '../../runtime/metrics/relay-metrics.ts'
import { StartRefusal } from '../../runtime/start-refusal.ts'
import { serveChildMetrics } from '../process/child-metrics.ts'
import { assertSchemaCurrent, neededDatabaseUrl, openProcessDatabase } from '../process/database.ts'
import { hostProcess } from '../process/host-process.ts'
import { urlOf } from '../process/metrics-listener.ts'
import { type RelayDeps, startRelay } from '../process/relay.ts'
import { processCommand } from './process-command.ts'

export const relayCommand = processCommand({
  summary: 'a relay for sites over NATS (needs DATABASE_URL and HM_NATS_URL)',
  about:
    'Brings what probers of other sites send over NATS into the database, and sends them what to probe. If several relays run, one works for each site and the others stand by.',
  needsDatabaseAs: 'relay',
  run: relay,
})

/** Resolves when it runs. Throws StartRefusal. */
async function relay(environment: NodeJS.ProcessEnv): Promise<void> {
  const config = parseConfig(environment)
  const databaseUrl = neededDatabaseUrl(config, 'relay')
  const { sites, ...nats } = neededNats(config.nats)
  const host = hostProcess('relay', config, environment)
  const { metrics, log, ending } = host
  const listener = await serveChildMetrics(config, environment, host)
  const { db, url } = await openProcessDatabase(host, databaseUrl, 1)
  await assertSchemaCurrent(db)
  const running = startRelay({
    databaseUrl: url,
    sites,
    natsOf: (site) => settingsOf(nats, site),
    metrics: relayMetrics(metrics.registry),
    log,
  })
  ending.add('relay', () => running.close())
  log.info({ ...urlOf(listener), sites }, 'ready')
}

function neededNats(nats: NatsConfig | undefined): NatsConfig {
  if (nats === undefined) throw new StartRefusal('relay needs NATS: set HM_NATS_URL=nats://host:port')
  if (nats.sites.length === 0)
    throw new StartRefusal(
      `relay needs the names of its sites, without ${LOCAL_SITE}: set HM_NATS_SITES=fra,ams`,
    )
  for (const site of nats.sites) {
    const { credentials } = settingsOf(nats, site)
    if (credentials !== undefined && !isReadable(credentials))
      throw new StartRefusal(`HM_NATS_CREDS_DIR: ${credentials} cannot be read`)
  }
  return nats
}

function settingsOf(
  { url, credentialsDir, caFile, domain }: Omit<NatsConfig, 'sites'>,
  site: string,
): ReturnType<RelayDeps['natsOf']> {
  const credentials = credentialsDir === undefined ? undefined : join(credentialsDir, `${site}.creds`)
  return { url, credentials, caFile, domain }
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}
