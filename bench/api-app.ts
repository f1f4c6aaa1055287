/** The API alone, in this process, on a database: without identity, quotas and anything that it does by itself. */
import { createApp } from '../src/api/app.ts'
import { EventStreams } from '../src/api/v1/event-streams.ts'
import { feedOf } from '../src/bin/process/events.ts'
import { parseCidr } from '../src/domain/address/ip-address.ts'
import { PAGE_MAX_DEFAULT, VIP_RANGE_DEFAULT } from '../src/domain/limits.ts'
import { makeTargetPolicy } from '../src/domain/address/target-policy.ts'
import { vipRangeOf } from '../src/domain/address/vip-range.ts'
import { noIdentity } from '../src/identity/no-identity.ts'
import type { Database } from '../src/store/connection/database.ts'

const UNLIMITED = { loadbalancer: -1, listener: -1, pool: -1, member: -1, healthmonitor: -1 }

/** A handler for `createServer`; the project is `bench`. */
export function apiOn(db: Database) {
  const app = createApp({
    db,
    settings: {
      defaultDialect: 'elb',
      pageMax: PAGE_MAX_DEFAULT,
      quotas: UNLIMITED,
      rbac: 'both',
      vipRange: vipRangeOf(parseCidr(VIP_RANGE_DEFAULT)),
      loopbackHostsOnly: true,
      trustedProxies: [],
      allowPing: true,
      udpMinDelaySeconds: 3,
      networkReads: true,
    },
    log: { debug: () => undefined, info: () => undefined, error: (fields) => console.error(fields) },
    identify: noIdentity('bench'),
    events: {
      feed: feedOf(db, { info: () => undefined, warn: () => undefined }),
      streams: new EventStreams(),
    },
    probes: {
      answers: { waitFor: () => Promise.resolve(undefined), giveUp: () => undefined, isClosed: false },
      allowance: { take: () => () => undefined },
      ended: () => undefined,
    },
    webhooks: { policy: () => undefined, test: () => Promise.resolve(undefined) },
    targetPolicy: makeTargetPolicy({
      allow: [],
      deny: [],
      loopbackAllowed: true,
      ownListeners: [],
      localAddresses: [],
    }),
    observe: () => undefined,
  })
  const handle = app.callback()
  return (...exchange: Parameters<typeof handle>) => void handle(...exchange)
}
