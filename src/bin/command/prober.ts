/** `healthmonitor prober`: one prober process, alone on its host or as a child of `serve`. */
import { PROBER_CONNECTIONS } from '../../domain/limits.ts'
import { makeProbers } from '../../probe/probers.ts'
import { type Config, parseConfig } from '../../runtime/config.ts'
import { formatEndpoint } from '../../runtime/listener.ts'
import { serveChildMetrics } from '../process/child-metrics.ts'
import { announceEcho } from '../process/echo.ts'
import { assertSchemaCurrent, neededDatabaseUrl, openReadyDatabase } from '../process/database.ts'
import { hostProcess } from '../process/host-process.ts'
import { urlOf } from '../process/metrics-listener.ts'
import { type ProberDeps, startProber } from '../process/prober.ts'
import { targetPolicyOf } from '../process/target-policy.ts'

/** Resolves when it probes. `name`: of its logs and metrics. Throws StartRefusal. */
export async function prober(name: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const given = parseConfig(environment)
  const place = neededDatabaseUrl(given, 'prober')
  const host = hostProcess(name, given, environment)
  const { metrics, log, ending, secrets } = host
  const databaseUrl = () => secrets.databaseUrl() ?? place
  const listener = await serveChildMetrics(given, environment, host)
  // Its own listener is never probed, on any address.
  const config =
    listener === undefined
      ? given
      : parseConfig({ ...environment, HM_METRICS_LISTEN: formatEndpoint(listener.endpoint) })
  const db = await openReadyDatabase(databaseUrl, `healthmonitor ${name}`, PROBER_CONNECTIONS, log)
  ending.add('database', () => db.destroy())
  await assertSchemaCurrent(db)
  const running = startProber({ ...(await settingsOf(config, place)), databaseUrl, metrics, log })
  announceEcho((family) => running.runtime.echoChannels.of(family), log, metrics)
  ending.add(
    'prober',
    () => running.close(),
    () => running.destroy(),
  )
  log.info(urlOf(listener), 'ready')
}

async function settingsOf(
  config: Config,
  place: string,
): Promise<Omit<ProberDeps, 'databaseUrl' | 'metrics' | 'log'>> {
  return {
    leaseMs: config.shardLeaseMs,
    checkpointMs: config.checkpointMs,
    keep: {
      transitionDays: config.transitionDays,
      transitionsPerMember: config.transitionsPerMember,
      eventDays: config.eventDays,
      uptimeDays: config.uptimeDays,
    },
    probers: makeProbers,
    targetPolicy: await targetPolicyOf(config, place),
    sourceAddresses: config.sourceAddresses,
    probesPerSecondPerAddress: config.probesPerSecondPerAddress,
    ...(config.inFlightPerProject < 0 ? {} : { inFlightPerProject: config.inFlightPerProject }),
    ...(config.tlsDir === undefined ? {} : { tlsDir: config.tlsDir }),
    canaries: config.canaries,
  }
}
