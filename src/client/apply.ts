/**
 * Objects of APIs whose objects are not load balancers: those of Kuma, and zones and clusters of Grey Matter. The service says what
 * it would do and what it does; nothing of it is judged here.
 */
import { mistake } from './failure.ts'
import type { Service } from './service.ts'

type Json = Readonly<Record<string, unknown>>

/** What became of one object. */
export interface AppliedObject {
  /** `HealthCheck default/web-to-backend`, `cluster catalog-service`. */
  readonly named: string
  readonly result: 'created' | 'updated'
}

/** What is probed otherwise than before. */
export interface ChangedProbe {
  readonly pool: string
  readonly change: 'added' | 'changed' | 'gone'
  /** HTTP, TCP, … */
  readonly type: string | null
  readonly members: readonly string[]
}

export interface Applied {
  readonly objects: readonly AppliedObject[]
  readonly probes: readonly ChangedProbe[]
  /** What a policy selects and nobody probes, with the reason. */
  readonly unprobed: readonly string[]
  readonly warnings: readonly string[]
}

/** Applies objects in their order; `isDryRun`: nothing is kept. Throws ClientFailure. */
export async function applyObjects(
  service: Service,
  objects: readonly Json[],
  isDryRun: boolean,
): Promise<Applied> {
  const ofKuma = objects.filter(isOfKuma)
  const others = objects.filter((object) => !isOfKuma(object))
  const unknown = others.find((object) => !isOfGreyMatter(object))
  if (unknown !== undefined)
    throw mistake(
      `an object is neither one of Kuma (type, name) nor a cluster or zone of Grey Matter (cluster_key, zone_key): ${JSON.stringify(unknown).slice(0, 100)}`,
    )
  const parts = [
    { part: ofKuma, applyPart: applyToKuma },
    { part: others, applyPart: applyToGreyMatter },
  ].filter(({ part }) => part.length > 0)
  // Each part is a transaction of its own: a mistake in the second one keeps the first out too.
  if (!isDryRun) for (const { part, applyPart } of parts.slice(1)) await applyPart(service, part, true)
  const all: Applied[] = []
  for (const { part, applyPart } of parts) all.push(await applyPart(service, part, isDryRun))
  return {
    objects: all.flatMap((applied) => applied.objects),
    probes: all.flatMap((applied) => applied.probes),
    unprobed: all.flatMap((applied) => applied.unprobed),
    warnings: all.flatMap((applied) => applied.warnings),
  }
}

function isOfKuma(object: Json): boolean {
  return typeof object['type'] === 'string' && typeof object['name'] === 'string'
}

interface KumaAnswer {
  readonly objects: readonly {
    readonly type: string
    readonly mesh: string
    readonly name: string
    readonly result: AppliedObject['result']
  }[]
  readonly probes: readonly ChangedProbe[]
  readonly unprobed: readonly { readonly inbound: string; readonly why: string }[]
  readonly warnings?: readonly string[]
}

/** All of them in one transaction. */
async function applyToKuma(service: Service, objects: readonly Json[], isDryRun: boolean): Promise<Applied> {
  const path = `/kuma/_apply${isDryRun ? '?dry_run=true' : ''}`
  const answer = await service.put<KumaAnswer>(path, { objects })
  return {
    objects: answer.objects.map(({ type, mesh, name, result }) => ({
      named: type === 'Mesh' ? `Mesh ${name}` : `${type} ${mesh}/${name}`,
      result,
    })),
    probes: answer.probes,
    unprobed: answer.unprobed.map(({ inbound, why }) => `${inbound}: ${why}`),
    warnings: answer.warnings ?? [],
  }
}

/** A cluster names its zone too. */
function isOfGreyMatter(object: Json): boolean {
  return ['cluster_key', 'zone_key'].some((key) => typeof object[key] === 'string')
}

interface GreyMatterAnswer {
  readonly result: {
    readonly objects: readonly {
      readonly kind: string
      readonly key: string
      readonly result: AppliedObject['result']
    }[]
    readonly probes: readonly (Omit<ChangedProbe, 'pool'> & { readonly cluster_key: string })[]
    readonly unprobed: readonly {
      readonly cluster_key: string
      readonly instance: string | null
      readonly why: string
    }[]
  }
}

/** All of them in one transaction. */
async function applyToGreyMatter(
  service: Service,
  objects: readonly Json[],
  isDryRun: boolean,
): Promise<Applied> {
  const path = `/greymatter/v1.0/_apply${isDryRun ? '?dry_run=true' : ''}`
  const { result } = await service.put<GreyMatterAnswer>(path, { objects })
  return {
    objects: result.objects.map(({ kind, key, result: became }) => ({
      named: `${kind} ${key}`,
      result: became,
    })),
    probes: result.probes.map(({ cluster_key: key, ...probe }) => ({ pool: `cluster ${key}`, ...probe })),
    unprobed: result.unprobed.map(({ cluster_key: key, instance, why }) =>
      instance === null ? `cluster ${key}: ${why}` : `cluster ${key}, ${instance}: ${why}`,
    ),
    warnings: [],
  }
}
