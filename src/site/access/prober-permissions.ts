/**
 * What the probers of a site may do in the site's account: read the configuration, share the shards, write results. They
 * make and delete nothing that is kept; the relay does. Probers and the leaf node of their site have these rights.
 */
import type { Permissions } from './nats-jwt.ts'

export function proberPermissions(): Permissions {
  return {
    publish: ['hm.result.>', '$JS.hub.API.STREAM.INFO.hm-config', '$JS.API.STREAM.INFO.hm-config'],
    subscribe: ['_INBOX_prober.>'],
  }
}
