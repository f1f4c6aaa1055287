/** The application of the API, put together: what answers requests, and what works beside it in this process. */
import { statSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { createApp } from '../../api/app.ts'
import type { ApiSettings } from '../../api/http/context.ts'
import { type VipRange, vipRangeOf } from '../../domain/address/vip-range.ts'
import { rememberingPatternProblems } from '../../probe/http/body-pattern.ts'
import type { Config } from '../../runtime/config/config.ts'
import { exportService, ServiceReading } from '../../runtime/metrics/service-series.ts'
import type { Log } from '../../runtime/output/log.ts'
import { giveMissingAddresses } from '../../store/configuration/load-balancer-addresses.ts'
import { type Database, query } from '../../store/connection/database.ts'
import { readServiceFacts } from '../../store/status/service-facts.ts'
import type { ProcessDatabase } from './database.ts'
import { makeEvents } from './events.ts'
import type { HostProcess } from './host-process.ts'
import { identityOf } from './identity.ts'
import { makeProbes } from './probe-requests.ts'
import { targetPolicyOf } from './target-policy.ts'
import { testSender, webhookSettingsOf } from './webhooks.ts'

export interface ApiParts {
  /** With the endpoints that are really bound. */
  readonly config: Config
  readonly database: ProcessDatabase
  readonly host: Pick<HostProcess, 'log' | 'metrics' | 'secrets'>
}

export interface ApiApplication {
  readonly handle: RequestListener
  close(): Promise<void>
}

/** Starts what works beside the requests: events, answers of probers. */
export async function startApplication({ config, database, host }: ApiParts): Promise<ApiApplication> {
  const { db, url } = database
  const { log, metrics, secrets } = host
  const source = { read: () => readServiceFacts(db), ping: () => query(db, 'select 1') }
  exportService(metrics.registry, new ServiceReading(source))
  const vipRange = vipRangeOf(config.vipRange)
  await giveAddresses(db, vipRange, log)
  const webhooks = await webhookSettingsOf(config, url())
  const targetPolicy = await targetPolicyOf(config, url())

  const events = makeEvents(db, url, log)
  const probing = makeProbes({
    db,
    databaseUrl: url,
    log,
    ended: (outcome) => metrics.probeRequestEnded(outcome),
  })
  const tests = testSender(webhooks)
  const app = createApp({
    db,
    settings: settingsOf(config, vipRange),
    log,
    events,
    probes: probing.probes,
    webhooks: { policy: webhooks.policy, test: tests.send },
    ...identityOf(config, log, secrets.keystonePassword),
    targetPolicy,
    observe: (request) => metrics.requestAnswered(request),
  })
  events.start()
  probing.start()
  const handle = app.callback()
  return {
    handle: (request, response) => void handle(request, response),
    close: async () => {
      await Promise.all([events.close(), probing.close(), tests.close()])
    },
  }
}

function settingsOf(config: Config, vipRange: VipRange): ApiSettings {
  return {
    defaultDialect: config.defaultDialect,
    pageMax: config.pageMax,
    quotas: config.quotas,
    rbac: config.rbac,
    vipRange,
    networkReads: config.auth === 'none' || config.networkReads,
    loopbackHostsOnly: config.auth === 'none' && !config.allowInsecureListen,
    trustedProxies: config.trustedProxies,
    allowPing: config.allowPing,
    doorVersions: config.doorVersions,
    udpMinDelaySeconds: config.udpMinDelaySeconds,
    probesPerSecondPerProject: config.probesPerSecondPerProject,
    inFlightPerProject: config.inFlightPerProject,
    sourceAddresses: config.sourceAddresses,
    patternProblem: rememberingPatternProblems(),
    ...(config.tlsDir === undefined ? {} : { hasTlsFile: fileIn(config.tlsDir) }),
    ...(config.publicUrl === undefined ? {} : { publicUrl: config.publicUrl }),
  }
}

/** Whether a folder has a file of this name, which the API has checked to be a plain one; one out of reach is none. */
function fileIn(folder: string): (name: string) => boolean {
  return (name) => {
    try {
      return statSync(join(folder, name)).isFile()
    } catch {
      return false
    }
  }
}

/** Load balancers that were made before there was HM_VIP_RANGE, or by a binary that did not know it. */
async function giveAddresses(db: Database, range: VipRange, log: Log): Promise<void> {
  const { given, without } = await giveMissingAddresses(db, range)
  if (given > 0) log.info({ given }, 'load balancers without an address were given one out of HM_VIP_RANGE')
  if (without > 0)
    log.warn({ without }, 'HM_VIP_RANGE has no address for some load balancers: they show none')
}
