/** The migrations in their order. Append-only: a name that was released never changes. */
import type { Knex } from 'knex'
import * as configuration from './0001-configuration.ts'
import * as probing from './0002-probing.ts'
import * as rollUp from './0003-roll-up.ts'
import * as quotaKinds from './0004-quota-kinds.ts'
import * as membersOfAPool from './0005-members-of-a-pool.ts'
import * as monitorOptions from './0006-monitor-options.ts'
import * as proberFacts from './0007-prober-facts-and-recent-results.ts'
import * as maintenance from './0008-maintenance.ts'
import * as details from './0009-member-and-pool-detail.ts'
import * as checkpointFlags from './0010-checkpoint-flags.ts'
import * as memberCount from './0011-member-count.ts'
import * as retentionProgress from './0012-retention-progress.ts'
import * as longContact from './0013-long-contact-and-transition-lists.ts'
import * as pending from './0014-pending.ts'
import * as updatedAt from './0015-updated-at.ts'
import * as loadBalancerAddress from './0016-load-balancer-address.ts'
import * as staleMembers from './0017-stale-members.ts'
import * as kumaHttpVersion from './0018-kuma-http-version.ts'
import * as keptStatuses from './0019-kept-statuses.ts'
import * as events from './0020-events.ts'
import * as webhooks from './0021-webhooks.ts'
import * as moreEvents from './0022-more-events.ts'
import * as overview from './0023-overview.ts'
import * as uptime from './0024-uptime.ts'
import * as certificates from './0025-certificates.ts'
import * as probeRequests from './0026-probe-requests.ts'
import * as recurringMaintenance from './0027-recurring-maintenance.ts'
import * as uptimeDays from './0028-uptime-days.ts'
import * as publicPages from './0029-public-pages.ts'
import * as asidesWithoutWaiting from './0031-asides-without-waiting.ts'
import * as cheaperWrites from './0032-cheaper-writes.ts'
import * as membersByVerdict from './0033-members-by-verdict.ts'
import * as doors from './0034-doors.ts'
import * as greymatter from './0034-greymatter.ts'
import * as kuma from './0035-kuma.ts'
import * as boundedUptime from './0037-bounded-uptime.ts'
import * as heldDeliveries from './0038-held-deliveries.ts'
import * as effectiveMembers from './0039-effective-members.ts'
import * as sites from './0040-sites.ts'
import * as votes from './0041-votes.ts'
import * as listedByOneView from './0042-listed-by-one-view.ts'
import * as bytesOfLabels from './0043-bytes-of-labels.ts'
import * as eventsByIndex from './0044-events-by-index.ts'
import * as kumaInbounds from './0045-kuma-inbounds.ts'
import * as whyABreakerHolds from './0046-why-a-breaker-holds.ts'

export interface NamedMigration extends Knex.Migration {
  readonly name: string
}

export const MIGRATIONS: readonly NamedMigration[] = [
  { name: '0001-configuration', ...configuration },
  { name: '0002-probing', ...probing },
  { name: '0003-roll-up', ...rollUp },
  { name: '0004-quota-kinds', ...quotaKinds },
  { name: '0005-members-of-a-pool', ...membersOfAPool },
  { name: '0006-monitor-options', ...monitorOptions },
  { name: '0007-prober-facts-and-recent-results', ...proberFacts },
  { name: '0008-maintenance', ...maintenance },
  { name: '0009-member-and-pool-detail', ...details },
  { name: '0010-checkpoint-flags', ...checkpointFlags },
  { name: '0011-member-count', ...memberCount },
  { name: '0012-retention-progress', ...retentionProgress },
  { name: '0013-long-contact-and-transition-lists', ...longContact },
  { name: '0014-pending', ...pending },
  { name: '0015-updated-at', ...updatedAt },
  { name: '0016-load-balancer-address', ...loadBalancerAddress },
  { name: '0017-stale-members', ...staleMembers },
  { name: '0018-kuma-http-version', ...kumaHttpVersion },
  { name: '0019-kept-statuses', ...keptStatuses },
  { name: '0020-events', ...events },
  { name: '0021-webhooks', ...webhooks },
  { name: '0022-more-events', ...moreEvents },
  { name: '0023-overview', ...overview },
  { name: '0024-uptime', ...uptime },
  { name: '0025-certificates', ...certificates },
  { name: '0026-probe-requests', ...probeRequests },
  { name: '0027-recurring-maintenance', ...recurringMaintenance },
  { name: '0028-uptime-days', ...uptimeDays },
  { name: '0029-public-pages', ...publicPages },
  { name: '0031-asides-without-waiting', ...asidesWithoutWaiting },
  { name: '0032-cheaper-writes', ...cheaperWrites },
  { name: '0033-members-by-verdict', ...membersByVerdict },
  { name: '0034-doors', ...doors },
  { name: '0034-greymatter', ...greymatter },
  { name: '0035-kuma', ...kuma },
  { name: '0037-bounded-uptime', ...boundedUptime },
  { name: '0038-held-deliveries', ...heldDeliveries },
  { name: '0039-effective-members', ...effectiveMembers },
  { name: '0040-sites', ...sites },
  { name: '0041-votes', ...votes },
  { name: '0042-listed-by-one-view', ...listedByOneView },
  { name: '0043-bytes-of-labels', ...bytesOfLabels },
  { name: '0044-events-by-index', ...eventsByIndex },
  { name: '0045-kuma-inbounds', ...kumaInbounds },
  { name: '0046-why-a-breaker-holds', ...whyABreakerHolds },
]

/** The tables in which doors keep their objects, parents first: a dump has them too. */
export const TABLES_OF_DOORS: readonly string[] = [
  ...greymatter.TABLES,
  ...kuma.TABLES,
  ...kumaInbounds.TABLES,
]

/** Tables of doors that triggers make again when the others are restored. */
export const DERIVED_TABLES_OF_DOORS: readonly string[] = kumaInbounds.DERIVED_TABLES
