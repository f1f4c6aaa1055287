/** The target policy of this process: the lists of the configuration, and our own listeners. */
import { lookup } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import {
  makeTargetPolicy,
  type TargetPolicy,
  type TargetPolicyOptions,
} from '../../domain/address/target-policy.ts'
import type { Config } from '../../runtime/config/config.ts'
import type { Endpoint } from '../../runtime/config/endpoint.ts'
import { databaseAddress } from './database-place.ts'

/** `databaseUrl` of the server in use; absent for commands that use none. */
export async function targetPolicyOf(config: Config, databaseUrl?: string): Promise<TargetPolicy> {
  return makeTargetPolicy({
    allow: config.probeAllow,
    deny: config.probeDeny,
    ...(await ownAddresses(config, databaseUrl)),
  })
}

/** Which receivers of webhooks may be called. */
export async function webhookPolicyOf(config: Config, databaseUrl: string): Promise<TargetPolicy> {
  return makeTargetPolicy({
    allow: config.webhookAllow,
    deny: config.webhookDeny,
    words: { allow: 'HM_WEBHOOK_ALLOW', deny: 'HM_WEBHOOK_DENY', done: 'called' },
    ...(await ownAddresses(config, databaseUrl)),
  })
}

async function ownAddresses(
  config: Config,
  databaseUrl: string | undefined,
): Promise<Pick<TargetPolicyOptions, 'loopbackAllowed' | 'ownListeners' | 'localAddresses'>> {
  const listeners = [
    config.listen,
    ...Object.values(config.doorListens),
    config.metricsListen,
    ...(await databaseEndpoints(databaseUrl)),
  ]
  return {
    loopbackAllowed: config.auth === 'none',
    ownListeners: listeners
      .filter((listener) => listener !== undefined)
      .map(({ host, port }) => ({ address: host, port })),
    localAddresses: Object.values(networkInterfaces()).flatMap((found) =>
      (found ?? []).map(({ address }) => address.replace(/%.*$/, '')),
    ),
  }
}

/**
 * Where PostgreSQL listens: every address of the URL's host; none when it has no host or the name cannot be resolved.
 */
async function databaseEndpoints(databaseUrl: string | undefined): Promise<readonly Endpoint[]> {
  if (databaseUrl === undefined) return []
  const { hostname, port } = databaseAddress(databaseUrl)
  const found = await lookup(hostname.replace(/^\[|\]$/g, ''), { all: true }).catch(() => [])
  return found.map(({ address }) => ({ host: address, port }))
}
