/** The target policy of this process: the lists of the configuration, and our own listeners. */
import { networkInterfaces } from 'node:os'
import { parseAddress } from '../domain/ip-address.ts'
import { makeTargetPolicy, type TargetPolicy } from '../domain/target-policy.ts'
import type { Config, Endpoint } from '../runtime/config.ts'

/** `databaseUrl` of the server in use; absent for commands that use none. */
export function targetPolicyOf(config: Config, databaseUrl?: string): TargetPolicy {
  const listeners = [config.listen, config.metricsListen, databaseEndpoint(databaseUrl)]
  return makeTargetPolicy({
    allow: config.probeAllow,
    deny: config.probeDeny,
    loopbackAllowed: config.auth === 'none',
    ownListeners: listeners
      .filter((listener) => listener !== undefined)
      .map(({ host, port }) => ({ address: host, port })),
    localAddresses: Object.values(networkInterfaces()).flatMap((found) =>
      (found ?? []).map(({ address }) => address.replace(/%.*$/, '')),
    ),
  })
}

/** Where PostgreSQL listens, as far as the URL says it as an address. */
function databaseEndpoint(databaseUrl: string | undefined): Endpoint | undefined {
  if (databaseUrl === undefined) return undefined
  const { hostname, port } = new URL(databaseUrl)
  const host = hostname === 'localhost' ? '127.0.0.1' : hostname.replace(/^\[|\]$/g, '')
  if (parseAddress(host) === undefined) return undefined
  return { host, port: port === '' ? 5432 : Number(port) }
}
