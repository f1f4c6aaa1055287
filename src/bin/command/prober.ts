/** `healthmonitor prober`: one prober process, alone on its host or as a child of `serve`. */
import { join } from 'node:path'
import { LOCAL_SITE, PROBER_CONNECTIONS } from '../../domain/limits.ts'
import { makeProbers } from '../../probe/probers.ts'
import { type Config, type NatsConfig, parseConfig } from '../../runtime/config/config.ts'
import { StartRefusal } from '../../runtime/start-refusal.ts'
import { type Command, parseFlags, UsageError } from '../command-line.ts'
import { withBoundEndpoints } from '../process/bound-endpoints.ts'
import { serveChildMetrics } from '../process/child-metrics.ts'
import { assertSchemaCurrent, neededDatabaseUrl, openProcessDatabase } from '../process/database.ts'
import { announceEcho } from '../process/echo.ts'
import { type HostProcess, hostProcess } from '../process/host-process.ts'
import { urlOf } from '../process/metrics-listener.ts'
import { type NatsProberDeps, type ProberDeps, startNatsProber, startProber } from '../process/prober.ts'
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
  summary: 'a prober alone (needs DATABASE_URL, or HM_NATS_URL for another site)',
  about: ['Probes its share of the members that its site probes.', THE_ENVIRONMENT],
  flags: FLAGS,
  run: async (args, environment) => {
    const { values } = parseFlags(args, FLAGS)
    // An empty variable counts as not set; an empty flag would hide which site that is.
    if (values.site === '') throw new UsageError('--site is empty')
    const settled = values.site === undefined ? environment : { ...environment, HM_SITE: values.site }
    if (values['check-config'] === true) {
      const isByNats = reachesByNats(parseConfig(settled))
      return checkConfig(settled, isByNats ? undefined : 'prober')
    }
    await prober(values.name, settled)
    return undefined
  },
}

/** Resolves when it probes. `name`: of its logs and metrics. Throws StartRefusal. */
async function prober(name: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const given = parseConfig(environment)
  const nats = reachesByNats(given) ? given.nats : undefined
  const databaseUrl = nats === undefined ? neededDatabaseUrl(given, 'prober') : undefined
  const host = hostProcess(name, given, environment)
  const { metrics, log, ending } = host
  const listener = await serveChildMetrics(given, environment, host)
  // Its own listener is never probed, on any address.
  const config = parseConfig(withBoundEndpoints(environment, { HM_METRICS_LISTEN: listener?.endpoint }))
  const settings = await settingsOf(config, databaseUrl)
  const running =
    databaseUrl === undefined
      ? startNatsProber({ ...settings, ...natsSettings(nats, config.site), metrics, log })
      : startProber({ ...settings, databaseUrl: await openedDatabase(host, databaseUrl), metrics, log })
  announceEcho((family) => running.runtime.echoChannels.of(family), log, metrics)
  ending.add(
    'prober',
    () => running.close(),
    () => running.destroy(),
  )
  log.info(urlOf(listener), 'ready')
}

/** Whether it reaches the service over NATS, without a database. Throws StartRefusal where that is not clear, or cannot be. */
function reachesByNats({ databaseUrl, nats, site }: Config): boolean {
  if (nats === undefined) return false
  if (databaseUrl !== undefined)
    throw new StartRefusal(
      'prober: DATABASE_URL and HM_NATS_URL are both set: keep the one by which this prober reaches the service',
    )
  if (site === LOCAL_SITE)
    throw new StartRefusal(
      'prober: the site local has the database: name another one with --site or HM_SITE, or set DATABASE_URL instead of HM_NATS_URL',
    )
  return true
}

function natsSettings(
  nats: NatsConfig | undefined,
  site: string,
): Pick<NatsProberDeps, 'nats' | 'heldFolder'> {
  if (nats === undefined) throw new Error('there is a database, or NATS')
  const { url, credentials, caFile, domain, heldDir } = nats
  return {
    nats: { url, credentials, caFile, domain },
    heldFolder: heldDir === undefined ? undefined : join(heldDir, site),
  }
}

async function openedDatabase(host: HostProcess, databaseUrl: string): Promise<() => string> {
  const { db, url } = await openProcessDatabase(host, databaseUrl, PROBER_CONNECTIONS)
  await assertSchemaCurrent(db)
  return url
}

async function settingsOf(
  config: Config,
  databaseUrl: string | undefined,
): Promise<Omit<ProberDeps, 'databaseUrl' | 'metrics' | 'log'> & { readonly site: string }> {
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
