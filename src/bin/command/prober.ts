/** `healthmonitor prober`: one prober process, alone on its host or as a child of `serve`. */
import { PROBER_CONNECTIONS } from '../../domain/limits.ts'
import { makeProbers } from '../../probe/probers.ts'
import { type Config, parseConfig } from '../../runtime/config/config.ts'
import { type Command, parseFlags, UsageError } from '../command-line.ts'
import { withBoundEndpoints } from '../process/bound-endpoints.ts'
import { serveChildMetrics } from '../process/child-metrics.ts'
import { assertSchemaCurrent, neededDatabaseUrl, openProcessDatabase } from '../process/database.ts'
import { announceEcho } from '../process/echo.ts'
import { hostProcess } from '../process/host-process.ts'
import { urlOf } from '../process/metrics-listener.ts'
import { type ProberDeps, startProber } from '../process/prober.ts'
import { targetPolicyOf } from '../process/target-policy.ts'
import { CHECK_CONFIG, checkConfig, THE_ENVIRONMENT } from './process-command.ts'

const FLAGS = {
  name: {
    type: 'string',
    default: 'prober',
    value: 'NAME',
    what: 'the name of this process in logs and metrics',
  },
  site: {
    type: 'string',
    value: 'SITE',
    what: 'where it is: it shares the work of this site with its other probers (else HM_SITE)',
  },
  ...CHECK_CONFIG,
} as const

export const proberCommand: Command = {
  summary: 'a prober alone (needs DATABASE_URL)',
  about: ['Probes its share of the members that its site probes.', THE_ENVIRONMENT],
  flags: FLAGS,
  run: async (args, environment) => {
    const { values } = parseFlags(args, FLAGS)
    // An empty variable counts as not set; an empty flag would hide which site that is.
    if (values.site === '') throw new UsageError('--site is empty')
    const settled = values.site === undefined ? environment : { ...environment, HM_SITE: values.site }
    if (values['check-config'] === true) return checkConfig(settled, 'prober')
    await prober(values.name, settled)
    return undefined
  },
}

/** Resolves when it probes. `name`: of its logs and metrics. Throws StartRefusal. */
async function prober(name: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const given = parseConfig(environment)
  const databaseUrl = neededDatabaseUrl(given, 'prober')
  const host = hostProcess(name, given, environment)
  const { metrics, log, ending } = host
  const listener = await serveChildMetrics(given, environment, host)
  // Its own listener is never probed, on any address.
  const config = parseConfig(withBoundEndpoints(environment, { HM_METRICS_LISTEN: listener?.endpoint }))
  const { db, url } = await openProcessDatabase(host, databaseUrl, PROBER_CONNECTIONS)
  await assertSchemaCurrent(db)
  const settings = await settingsOf(config, databaseUrl)
  const running = startProber({ ...settings, databaseUrl: url, metrics, log })
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
  databaseUrl: string,
): Promise<Omit<ProberDeps, 'databaseUrl' | 'metrics' | 'log'>> {
  return {
    site: config.site,
    leaseMs: config.shardLeaseMs,
    checkpointMs: config.checkpointMs,
    keep: {
      transitionDays: config.transitionDays,
      transitionsPerMember: config.transitionsPerMember,
      eventDays: config.eventDays,
      uptimeDays: config.uptimeDays,
    },
    probers: makeProbers,
    targetPolicy: await targetPolicyOf(config, databaseUrl),
    sourceAddresses: config.sourceAddresses,
    probesPerSecondPerAddress: config.probesPerSecondPerAddress,
    ...(config.inFlightPerProject < 0 ? {} : { inFlightPerProject: config.inFlightPerProject }),
    ...(config.tlsDir === undefined ? {} : { tlsDir: config.tlsDir }),
    canaries: config.canaries,
  }
}
