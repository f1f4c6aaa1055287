/** Statuses in Kuma's words (docs/peers/kuma.md 50 to 53). A proxy is online from its registration to its deletion. */
import { type Inbound, type MeshService, SERVICE_TAG, type Tags } from './objects.ts'

/** What the checks that decide say of an inbound: as the states of members; undecided = no verdict yet. */
export type InboundVerdict = 'ONLINE' | 'OFFLINE' | 'undecided'

/** Several checks decide together: one that is OFFLINE is enough, and one that is ONLINE when none is. */
export function togetherVerdict(verdicts: readonly InboundVerdict[]): InboundVerdict {
  if (verdicts.includes('OFFLINE')) return 'OFFLINE'
  return verdicts.includes('ONLINE') ? 'ONLINE' : 'undecided'
}

/** The health that an inbound shows: ours when there is a verdict; else as it was stored. */
export function shownHealth(
  { health, state }: Pick<Inbound, 'health' | 'state'>,
  verdict: InboundVerdict | undefined,
): Pick<Inbound, 'health' | 'state'> {
  if (verdict === undefined || verdict === 'undecided')
    return { ...(health === undefined ? {} : { health }), ...(state === undefined ? {} : { state }) }
  if (verdict === 'ONLINE')
    return { health: { ready: true }, ...(state === undefined ? {} : { state: 'Ready' }) }
  return { health: {}, state: 'NotReady' }
}

/** Zeros are left out where counts are shown. */
export interface ProxyCounts {
  readonly total: number
  readonly online: number
  readonly offline: number
  readonly partiallyDegraded: number
}

/** How many proxies have which status, as answers show it. */
export function shownProxyCounts({ total, online, offline, partiallyDegraded }: ProxyCounts): {
  readonly [Key in keyof ProxyCounts]?: number
} {
  return {
    ...shown('total', total),
    ...shown('online', online),
    ...shown('offline', offline),
    ...shown('partiallyDegraded', partiallyDegraded),
  }
}

export function sumOfCounts(counts: readonly ProxyCounts[]): ProxyCounts {
  const of = (key: keyof ProxyCounts) => counts.reduce((sum, each) => sum + each[key], 0)
  return {
    total: of('total'),
    online: of('online'),
    offline: of('offline'),
    partiallyDegraded: of('partiallyDegraded'),
  }
}

/** The inbounds and gateways of one service: each inbound counts by its own health, a gateway as online. */
export interface ServiceCount {
  readonly service: string
  readonly hasInbounds: boolean
  /** What its gateways are; null = it has none. */
  readonly gateway: 'gateway_builtin' | 'gateway_delegated' | null
  readonly total: number
  readonly online: number
}

export interface ServiceInsight {
  readonly type: 'internal' | 'gateway_delegated' | 'gateway_builtin'
  readonly status: 'online' | 'offline' | 'partially_degraded'
  /** As answers show them. */
  readonly dataplanes: { readonly total: number; readonly online?: number; readonly offline?: number }
}

/** A service that has both inbounds and gateways is one of inbounds. */
export function serviceInsight({ hasInbounds, gateway, total, online }: ServiceCount): ServiceInsight {
  return {
    type: hasInbounds || gateway === null ? 'internal' : gateway,
    status: online === 0 ? 'offline' : online === total ? 'online' : 'partially_degraded',
    dataplanes: { total, ...shown('online', online), ...shown('offline', total - online) },
  }
}

/** Which inbounds are behind a MeshService, in a form in which they are looked up. */
export interface InboundSelection {
  /** The name of the proxy, tags of the inbound with the service among them, other tags, labels of the proxy; or nothing. */
  readonly by: 'name' | 'service' | 'tags' | 'labels' | 'nothing'
  /** Of the proxy or the service. */
  readonly name: string | null
  /** Tags or labels with their values. */
  readonly exact: Tags
  /** Tags of any value. */
  readonly present: readonly string[]
  /** Numbers and names of the inbounds to which its ports lead. */
  readonly ports: readonly number[]
  readonly names: readonly string[]
}

/** As `isBehind` decides it (destinations.ts): the name of a proxy before labels, labels before tags. */
export function inboundSelection({ selector, ports }: MeshService): InboundSelection {
  const targets = ports.map(({ port, targetPort = port }) => targetPort)
  const ofPorts = {
    ports: targets.filter((target) => typeof target === 'number'),
    names: targets.filter((target) => typeof target === 'string'),
  }
  const { dataplaneRef, dataplaneLabels, dataplaneTags } = selector
  const nothing = { name: null, exact: {}, present: [], ...ofPorts }
  if (dataplaneRef?.name !== undefined) return { ...nothing, by: 'name', name: dataplaneRef.name }
  if (dataplaneLabels !== undefined) return { ...nothing, by: 'labels', exact: dataplaneLabels }
  if (dataplaneTags === undefined) return { ...nothing, by: 'nothing' }
  const tags = Object.entries(dataplaneTags)
  const exact = Object.fromEntries(tags.filter(([, value]) => value !== '*'))
  const present = tags.filter(([, value]) => value === '*').map(([key]) => key)
  const service = Object.hasOwn(exact, SERVICE_TAG) ? exact[SERVICE_TAG] : undefined
  return { ...nothing, by: service === undefined ? 'tags' : 'service', name: service ?? null, exact, present }
}

/** Of the proxies behind a MeshService. */
export interface MeshServiceCounts {
  readonly total: number
  /** Proxies of which each inbound behind the service is ready. */
  readonly healthy: number
  /** The service tags of the proxies, sorted by their bytes. */
  readonly identities: readonly string[]
}

/** `status.dataplaneProxies`. Who is registered is connected. */
export function shownMeshServiceCounts({ total, healthy }: MeshServiceCounts): {
  readonly total?: number
  readonly connected?: number
  readonly healthy?: number
} {
  return { ...shown('total', total), ...shown('connected', total), ...shown('healthy', healthy) }
}

function shown<Key extends string>(key: Key, count: number): { readonly [K in Key]?: number } {
  if (count === 0) return {}
  return { [key]: count } as { readonly [K in Key]: number }
}
