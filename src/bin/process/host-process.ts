/** What every process of the service that stays has before anything else: metrics, log, signals, certificate. */
import { type Config, parseConfig } from '../../runtime/config/config.ts'
import { Ending } from '../../runtime/process/ending.ts'
import { ListenerTls } from '../../runtime/listener/listener-tls.ts'
import { createLog, type Log } from '../../runtime/output/log.ts'
import { createMetrics, type Metrics } from '../../runtime/metrics/metrics.ts'
import { hasParent } from '../../runtime/process/parent-channel.ts'
import { processMetrics } from '../../runtime/metrics/process-metrics.ts'
import { hasControllingTerminal, Reload } from '../../runtime/process/reload.ts'
import { version } from '../version.ts'
import { followedSecrets, type Secrets } from './secrets.ts'

export interface HostProcess {
  /** `api`, `prober-1`: shown in logs, metrics and PostgreSQL's list of sessions. */
  readonly name: string
  readonly metrics: Metrics
  readonly log: Log
  readonly ending: Ending
  readonly reload: Reload
  readonly secrets: Secrets
  /** Of the listeners; absent without HM_TLS_CERT, and in a child, which has none. */
  readonly tls: ListenerTls | undefined
}

/** Throws StartRefusal for a certificate that cannot be used. */
export function hostProcess(name: string, config: Config, environment: NodeJS.ProcessEnv): HostProcess {
  const tls = config.tls === undefined || hasParent() ? undefined : new ListenerTls(config.tls)
  const metrics = createMetrics(name)
  const log = createLog({ level: config.logLevel, process: name, onDropped: metrics.logLinesDropped })
  const { reloaded } = processMetrics(metrics.registry, {
    name,
    version,
    ...(tls === undefined ? {} : { identity: () => tls.identity }),
  })
  const reload = new Reload(log, reloaded)
  followLogLevel(log, environment['HM_LOG_LEVEL_FILE'], reload)
  if (tls !== undefined) reload.add('certificate', () => tls.read())
  const secrets = followedSecrets(config, environment, reload)
  const ending = new Ending(log)
  if (hasControllingTerminal()) ending.listenForSignals()
  else ending.listenForSignals(() => reload.run())
  return { name, metrics, log, ending, reload, secrets, tls }
}

function followLogLevel(log: Log, file: string | undefined, reload: Reload): void {
  if (file === undefined || file === '') return
  reload.add('log level', () => {
    log.level = parseConfig({ HM_LOG_LEVEL_FILE: file }).logLevel
    return { level: log.level }
  })
}
