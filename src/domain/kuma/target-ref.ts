/** What the references of Kuma 2 name, and which of them are the more specific ones (docs/peers/kuma.md 30 to 32). */
import type { Dataplane, MeshService, MeshServicePort, TargetRef } from './objects.ts'
import { hasLabels, selects } from './tags.ts'
import { tagSetsOf } from './health-check-selection.ts'
import { SERVICE_TAG } from './objects.ts'

/** Kinds at the top of a policy, the weakest first. */
export const TOP_KINDS = [
  'Mesh',
  'Dataplane',
  'MeshSubset',
  'MeshGateway',
  'MeshService',
  'MeshServiceSubset',
] as const

/** Kinds of destinations. */
export const TO_KINDS = ['Mesh', 'MeshService', 'MeshExternalService', 'MeshMultiZoneService'] as const

/** Whether a policy with this reference at its top is for a proxy; absent = for all. */
export function reachesProxy(top: TargetRef | undefined, proxy: Dataplane): boolean {
  switch (top?.kind ?? 'Mesh') {
    case 'Mesh':
      return hasProxyType(top, proxy)
    case 'Dataplane':
      return isNamedDataplane(top, proxy)
    case 'MeshSubset':
      return hasProxyType(top, proxy) && tagSetsOf(proxy).some((tags) => selects(top?.tags ?? {}, tags))
    case 'MeshService':
      return tagSetsOf(proxy).some((tags) => tags[SERVICE_TAG] === top?.name)
    case 'MeshServiceSubset':
      return tagSetsOf(proxy).some(
        (tags) => tags[SERVICE_TAG] === top?.name && selects(top?.tags ?? {}, tags),
      )
    default:
      // MeshGateway: builtin gateways, which have no checks of ours.
      return false
  }
}

function hasProxyType(top: TargetRef | undefined, { gateway }: Dataplane): boolean {
  const { proxyTypes = [] } = top ?? {}
  return proxyTypes.length === 0 || proxyTypes.includes(gateway === undefined ? 'Sidecar' : 'Gateway')
}

function isNamedDataplane(top: TargetRef | undefined, proxy: Dataplane): boolean {
  if (top?.name !== undefined) return top.name === proxy.name
  if (top?.labels !== undefined) return hasLabels(proxy.labels, top.labels)
  return proxy.gateway?.type !== 'BUILTIN'
}

/**
 * How specific a top is: its kind, and of Dataplane whether it has labels or a name. The original compares only labels
 * with names, which is no order as soon as a third one has neither; here neither < labels < name.
 */
export function topLevel(top: TargetRef | undefined): number {
  const kind = TOP_KINDS.findIndex((known) => known === (top?.kind ?? 'Mesh'))
  const within = top?.kind !== 'Dataplane' ? 0 : top.name !== undefined ? 2 : top.labels !== undefined ? 1 : 0
  return kind * 3 + within
}

/** The gateways of one kind: those with fewer tags are the weaker ones. */
export function gatewayTags(top: TargetRef | undefined): number {
  return top?.kind === 'MeshGateway' ? Object.keys(top.tags ?? {}).length : 0
}

/** A destination as a consumer knows it: by the tag of its service, or as a MeshService, with or without a port. */
export type Destination =
  | { readonly by: 'tag'; readonly service: string }
  | { readonly by: 'resource'; readonly service?: MeshService; readonly port?: MeshServicePort }

/**
 * How specifically a reference names a destination, the greater the more; undefined: not at all. Of services that are known
 * by their tag only, all are equally specific: the order of the policies decides.
 */
export function toLevel(ref: TargetRef, destination: Destination): number | undefined {
  if (ref.kind === 'Mesh') return 0
  if (ref.kind !== 'MeshService') return undefined
  if (destination.by === 'tag') return ref.name === destination.service ? 0 : undefined
  const { service, port } = destination
  if (service === undefined || !namesService(ref, service)) return undefined
  if (ref.sectionName === undefined) return 1
  return port !== undefined && ref.sectionName === (port.name ?? String(port.port)) ? 2 : undefined
}

function namesService(ref: TargetRef, service: MeshService): boolean {
  if (ref.name !== undefined) return ref.name === service.name
  return ref.labels !== undefined && hasLabels(service.labels, ref.labels)
}
