/** Labels that the control plane adds, and the KRI of an object (docs/peers/kuma.md 6). There is one zone, of the name `default`. */
import type { ResourceType, Tags } from '../../../domain/kuma/objects.ts'
import { collectionOf } from './collections.ts'
import type { Finding } from './findings.ts'

export const ZONE = 'default'
export const ZONE_TAG = 'kuma.io/zone'
const ORIGIN = 'kuma.io/origin'

/** The labels of an object: those of its author, and those that say where it is from. `isBuiltin`: a gateway of the control plane. */
export function labelsOf(
  type: ResourceType,
  mesh: string,
  { labels, isBuiltin = false }: { readonly labels: Tags; readonly isBuiltin?: boolean },
): Tags {
  const withMesh = { ...labels, 'kuma.io/mesh': mesh }
  // HealthCheck is older than origins; what comes from elsewhere keeps its own.
  if (type === 'HealthCheck' || originOf(labels) !== 'zone') return withMesh
  return {
    ...withMesh,
    'kuma.io/env': 'universal',
    [ORIGIN]: 'zone',
    'kuma.io/zone': ZONE,
    ...(type === 'Dataplane' ? { 'kuma.io/proxy-type': isBuiltin ? 'gateway' : 'sidecar' } : {}),
  }
}

function originOf(labels: Tags): string {
  return labels[ORIGIN] ?? 'zone'
}

/** The origin of an object cannot change. */
export function originFindings(before: Tags | undefined, after: Tags): readonly Finding[] {
  if (before?.[ORIGIN] === undefined || before[ORIGIN] === originOf(after)) return []
  const message = `is immutable, cannot be changed from ${JSON.stringify(before[ORIGIN])} to ${JSON.stringify(originOf(after))}`
  return [{ field: `labels[${JSON.stringify(ORIGIN)}]`, message }]
}

/** The name of an object in all of Kuma; types that have none give undefined. */
export function kriOf(
  type: ResourceType,
  { mesh, name, labels }: { readonly mesh: string; readonly name: string; readonly labels: Tags },
): string | undefined {
  const { kri } = collectionOf(type)
  if (kri === undefined) return undefined
  return `kri_${kri}_${mesh}_${labels['kuma.io/zone'] ?? ''}__${name}_`
}
