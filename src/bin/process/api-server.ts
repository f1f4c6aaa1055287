/** The API on its listener. The port is bound before anything slow begins, so that a taken port is known at once. */
import { statSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { createApp } from '../../api/app.ts'
import { RETRY_AFTER_SECONDS } from '../../domain/limits.ts'
import type { ApiDependencies } from '../../api/http/context.ts'
import { type VipRange, vipRangeOf } from '../../domain/address/vip-range.ts'
import { rememberingPatternProblems } from '../../probe/http/body-pattern.ts'
import type { Config, Endpoint } from '../../runtime/config.ts'
import type { ListenerTls } from '../../runtime/listener-tls.ts'
import { type Listener, listen } from '../../runtime/listener.ts'
import type { Log } from '../../runtime/log.ts'
import type { Metrics } from '../../runtime/metrics.ts'
import { exportService, ServiceReading } from '../../runtime/service-series.ts'
import { type Database, query } from '../../store/connection/database.ts'
import { giveMissingAddresses } from '../../store/configuration/load-balancer-addresses.ts'
import { readServiceFacts } from '../../store/status/service-facts.ts'
import { type ApiEvents, makeEvents } from './events.ts'
import { identityOf } from './identity.ts'
import { type ApiProbes, makeProbes } from './probe-requests.ts'
import type { Secrets } from './secrets.ts'
import { targetPolicyOf } from './target-policy.ts'
import { testSender, webhookSettingsOf, type WebhookTests } from './webhooks.ts'

export interface ApiServer {
  readonly endpoint: Endpoint
  /** Under which a person on this host reaches it. */
  readonly url: string
  /** From now on requests reach the application. */
  open(parts: ApiParts): Promise<void>
  close(): Promise<void>
}

export interface ApiParts {
  /** With the endpoints that are really bound. */
  readonly config: Config
  /** As it was at the start: where PostgreSQL is does not change. */
  readonly databaseUrl: string
  readonly secrets: Secrets
  readonly db: Database
  readonly log: Log
  readonly metrics: Metrics
}

/** Binds HM_LISTEN; until `open` every answer is 503 with Retry-After. Throws StartRefusal when the port is taken. */
export async function listenForApi(config: Config, tls?: ListenerTls): Promise<ApiServer> {
  let handler: RequestListener = (request, response) => {
    const alive = request.url === '/livez'
    response.writeHead(alive ? 200 : 503, {
      'Content-Type': 'application/json',
      ...(alive ? {} : { 'Retry-After': String(RETRY_AFTER_SECONDS) }),
    })
    response.end(JSON.stringify({ status: alive ? 'ok' : 'starting' }))
  }
  let events: ApiEvents | undefined
  let tests: WebhookTests | undefined
  let probing: ApiProbes | undefined
  const listener: Listener = await listen(
    config.listen,
    'HM_LISTEN',
    (request, response) => handler(request, response),
    tls,
  )
  return {
    endpoint: listener.endpoint,
    url: listener.url,
    open: async (parts) => {
      const { db, metrics } = parts
      const source = { read: () => readServiceFacts(db), ping: () => query(db, 'select 1') }
      exportService(metrics.registry, new ServiceReading(source))
      const url = () => parts.secrets.databaseUrl() ?? parts.databaseUrl
      events = makeEvents(db, url, parts.log)
      const webhooks = await webhookSettingsOf(parts.config, parts.databaseUrl)
      tests = testSender(webhooks)
      probing = makeProbes({
        ...parts,
        databaseUrl: url,
        ended: (outcome) => metrics.probeRequestEnded(outcome),
      })
      const { probes } = probing
      handler = await handlerOf(parts, {
        events,
        probes,
        webhooks: { policy: webhooks.policy, test: tests.send },
      })
      events.start()
      probing.start()
    },
    close: async () => {
      await Promise.all([events?.close(), probing?.close(), tests?.close(), listener.close()])
    },
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

async function handlerOf(
  { config, databaseUrl, db, log, metrics, secrets }: ApiParts,
  own: Pick<ApiDependencies, 'webhooks' | 'probes'> & { readonly events: ApiEvents },
): Promise<RequestListener> {
  const vipRange = vipRangeOf(config.vipRange)
  await giveAddresses(db, vipRange, log)
  const app = createApp({
    db,
    settings: {
      defaultDialect: config.defaultDialect,
      pageMax: config.pageMax,
      quotas: config.quotas,
      rbac: config.rbac,
      vipRange,
      networkReads: config.auth === 'none' || config.networkReads,
      loopbackHostsOnly: config.auth === 'none' && !config.allowInsecureListen,
      trustedProxies: config.trustedProxies,
      allowPing: config.allowPing,
      udpMinDelaySeconds: config.udpMinDelaySeconds,
      probesPerSecondPerProject: config.probesPerSecondPerProject,
      inFlightPerProject: config.inFlightPerProject,
      sourceAddresses: config.sourceAddresses,
      patternProblem: rememberingPatternProblems(),
      ...(config.tlsDir === undefined ? {} : { hasTlsFile: fileIn(config.tlsDir) }),
      ...(config.publicUrl === undefined ? {} : { publicUrl: config.publicUrl }),
    },
    log,
    ...own,
    ...identityOf(config, log, secrets.keystonePassword),
    targetPolicy: await targetPolicyOf(config, databaseUrl),
    observe: (request) => metrics.requestAnswered(request),
  })
  const handle = app.callback()
  return (request, response) => void handle(request, response)
}
