/** Kuma's objects as their authors write them, as far as checks depend on them. Unknown fields are not here. */
import type { ProbedSide } from './probed-side.ts'

export const RESOURCE_TYPES = ['Dataplane', 'HealthCheck', 'MeshHealthCheck', 'MeshService'] as const
export type ResourceType = (typeof RESOURCE_TYPES)[number]

export type Tags = Readonly<Record<string, string>>

/** The tag that names the service of an inbound. */
export const SERVICE_TAG = 'kuma.io/service'
/** `http`, `http2`, `grpc`, `tcp`; absent = tcp. */
export const PROTOCOL_TAG = 'kuma.io/protocol'

/** What each object has. `createdAt`: RFC 3339 in UTC, always of the same length, so that text compares as time. */
export interface Meta {
  readonly name: string
  readonly createdAt: string
  readonly labels: Tags
}

export interface ServiceProbe {
  readonly interval?: string
  readonly timeout?: string
  readonly unhealthyThreshold?: number
  readonly healthyThreshold?: number
}

export interface Inbound {
  readonly port: number
  readonly address?: string
  readonly servicePort?: number
  readonly serviceAddress?: string
  readonly name?: string
  readonly tags: Tags
  /** Present without `ready` = not ready. */
  readonly health?: { readonly ready?: boolean }
  readonly state?: 'Ready' | 'NotReady' | 'Ignored'
  readonly serviceProbe?: ServiceProbe
}

export interface Outbound {
  readonly tags?: Tags
  readonly backendRef?: { readonly kind?: string; readonly name?: string; readonly labels?: Tags }
}

export interface Dataplane extends Meta {
  readonly address: string
  readonly inbounds: readonly Inbound[]
  readonly outbounds: readonly Outbound[]
  readonly gateway?: { readonly type?: 'DELEGATED' | 'BUILTIN'; readonly tags: Tags }
}

/** HealthCheck of Kuma 1. */
export interface HealthCheck extends Meta {
  readonly sources: readonly Tags[]
  readonly destinations: readonly Tags[]
  readonly conf: HealthCheckConf
}

/** Its conf: durations and base64 as text. */
export interface HealthCheckConf {
  readonly interval?: string
  readonly timeout?: string
  readonly unhealthyThreshold?: number
  readonly healthyThreshold?: number
  readonly initialJitter?: string
  readonly intervalJitter?: string
  readonly intervalJitterPercent?: number
  readonly noTrafficInterval?: string
  readonly reuseConnection?: boolean
  readonly tcp?: { readonly send?: string; readonly receive?: readonly string[] }
  readonly http?: {
    readonly path?: string
    readonly requestHeadersToAdd?: readonly {
      readonly append?: boolean
      readonly header?: { readonly key?: string; readonly value?: string }
    }[]
    readonly expectedStatuses?: readonly number[]
  }
}

/** Which objects a policy names. */
export interface TargetRef {
  readonly kind: string
  readonly name?: string
  readonly sectionName?: string
  readonly labels?: Tags
  readonly tags?: Tags
  readonly proxyTypes?: readonly string[]
}

/** MeshHealthCheck of Kuma 2. */
export interface MeshHealthCheck extends Meta {
  readonly targetRef?: TargetRef
  readonly to: readonly { readonly targetRef: TargetRef; readonly default: MeshHealthCheckConf }[]
}

/** Its conf: with an index, because confs of several policies are merged field by field. */
export interface MeshHealthCheckConf {
  readonly interval?: string
  readonly timeout?: string
  readonly unhealthyThreshold?: number
  readonly healthyThreshold?: number
  readonly initialJitter?: string
  readonly intervalJitter?: string
  readonly intervalJitterPercent?: number
  readonly noTrafficInterval?: string
  readonly reuseConnection?: boolean
  readonly tcp?: { readonly disabled?: boolean; readonly send?: string; readonly receive?: readonly string[] }
  readonly http?: {
    readonly disabled?: boolean
    readonly path?: string
    readonly requestHeadersToAdd?: {
      readonly set?: readonly NamedHeader[]
      readonly add?: readonly NamedHeader[]
    }
    readonly expectedStatuses?: readonly number[]
  }
  readonly grpc?: {
    readonly disabled?: boolean
    readonly serviceName?: string
    readonly authority?: string
  }
}

export interface NamedHeader {
  readonly name: string
  readonly value: string
}

export interface MeshServicePort {
  readonly name?: string
  readonly port: number
  readonly targetPort?: number | string
  readonly appProtocol?: string
}

export interface MeshService extends Meta {
  readonly selector: {
    readonly dataplaneTags?: Tags
    readonly dataplaneLabels?: Tags
    readonly dataplaneRef?: { readonly name?: string }
  }
  readonly ports: readonly MeshServicePort[]
}

/** All objects of one mesh, and where its policies probe. */
export interface Mesh {
  readonly probed: ProbedSide
  readonly dataplanes: readonly Dataplane[]
  readonly healthChecks: readonly HealthCheck[]
  readonly meshHealthChecks: readonly MeshHealthCheck[]
  readonly meshServices: readonly MeshService[]
}

/** Compares names as Go compares strings: by the bytes of UTF-8, whatever the locale. */
export function byName(
  { name: a }: { readonly name: string },
  { name: b }: { readonly name: string },
): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [ours, theirs] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (ours === theirs) continue
    // Halves of a character beyond U+FFFF have units below U+E000, and its bytes come after all others.
    const [isOurs, isTheirs] = [isHalf(ours), isHalf(theirs)]
    return isOurs === isTheirs ? ours - theirs : isOurs ? 1 : -1
  }
  return a.length - b.length
}

function isHalf(unit: number): boolean {
  return unit >= 0xd8_00 && unit <= 0xdf_ff
}
