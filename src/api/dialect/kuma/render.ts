/**
 * Objects as both generations of clients read them (docs/peers/kuma.md 6): an envelope, then the fields, or `spec` and
 * `status`. Proxies show the health that our checks found.
 */
import type { Inbound, ResourceType, Tags } from '../../../domain/kuma/objects.ts'
import { shownHealth, type InboundVerdict } from '../../../domain/kuma/status.ts'
import type { DataplaneBody } from '../../../domain/kuma/stored-objects.ts'
import type { ResourceRow } from '../../../store/kuma/resources.ts'
import { kriOf } from './labels.ts'

export type Shown = Readonly<Record<string, unknown>>

/** What checks say of the inbounds of a mesh, by `dataplane:port`; absent = none decides about it. */
export type Verdicts = ReadonlyMap<string, InboundVerdict>

export function renderResource(row: ResourceRow): Shown {
  const kri = kriOf(row.type, row)
  return { ...envelopeOf(row), ...(kri === undefined ? {} : { kri }), ...row.body }
}

/** What each object begins with. */
export function envelopeOf(row: {
  readonly type: string
  readonly mesh: string
  readonly name: string
  readonly labels: Tags
  readonly createdAt: string
  readonly updatedAt: string
}): Shown {
  return {
    type: row.type,
    mesh: row.mesh,
    name: row.name,
    creationTime: row.createdAt,
    modificationTime: row.updatedAt,
    labels: row.labels,
  }
}

/** A stored proxy with the health of its inbounds as it is now. */
export function withHealth(row: ResourceRow, verdicts: Verdicts): ResourceRow {
  const { networking } = row.body as unknown as DataplaneBody
  if (networking.inbound === undefined) return row
  const inbound = networking.inbound.map((each) => inboundWithHealth(row.name, each, verdicts))
  return { ...row, body: { ...row.body, networking: { ...networking, inbound } } }
}

function inboundWithHealth(dataplane: string, inbound: Inbound, verdicts: Verdicts): Inbound {
  const { health: _, state: __, ...rest } = inbound
  return { ...rest, ...shownHealth(inbound, verdicts.get(`${dataplane}:${inbound.port}`)) }
}

/**
 * A proxy as `inspect` wants it. There is no kuma-dp that could connect: who is registered is online, and says so by a
 * subscription that was opened when it was registered.
 */
export function renderOverview(row: ResourceRow, version: string): Shown {
  return {
    ...envelopeOf({ ...row, type: 'DataplaneOverview' }),
    dataplane: row.body,
    dataplaneInsight: { subscriptions: [subscriptionOf(row, version)] },
  }
}

export function renderDataplaneInsight(row: ResourceRow, version: string): Shown {
  return {
    ...envelopeOf({ ...row, type: 'DataplaneInsight' }),
    subscriptions: [subscriptionOf(row, version)],
  }
}

function subscriptionOf({ name, createdAt, updatedAt }: ResourceRow, version: string): Shown {
  return {
    id: name,
    controlPlaneInstanceId: 'healthmonitor',
    connectTime: createdAt,
    status: {
      lastUpdateTime: updatedAt,
      total: { responsesSent: '1', responsesAcknowledged: '1' },
      cds: {},
      eds: {},
      lds: {},
      rds: {},
    },
    version: { kumaDp: { version }, envoy: { version: 'none' } },
  }
}

/** Types of which only what the clients of a list need is shown beside the objects themselves. */
export type ShownType = ResourceType | 'DataplaneOverview' | 'DataplaneInsight'
