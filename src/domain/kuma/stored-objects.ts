/** From stored bodies to objects: what the API stored was checked when it was written, and is taken as it is. */
import type {
  Dataplane,
  HealthCheckConf,
  Inbound,
  Mesh,
  MeshHealthCheck,
  MeshService,
  Meta,
  Outbound,
  ResourceType,
  Tags,
  TargetRef,
} from './objects.ts'
import { probedSideOf } from './probed-side.ts'

/** An object as it is stored: below its name and labels the body that its author sees. */
export interface StoredObject {
  readonly type: ResourceType
  readonly name: string
  readonly labels: Tags
  readonly body: Readonly<Record<string, unknown>>
  readonly createdAt: string
}

export interface DataplaneBody {
  readonly networking: {
    readonly address: string
    readonly inbound?: readonly Inbound[]
    readonly outbound?: readonly Outbound[]
    readonly gateway?: NonNullable<Dataplane['gateway']>
  }
}

interface HealthCheckBody {
  readonly sources: readonly { readonly match: Tags }[]
  readonly destinations: readonly { readonly match: Tags }[]
  readonly conf: HealthCheckConf
}

interface MeshHealthCheckBody {
  readonly spec: { readonly targetRef?: TargetRef; readonly to?: MeshHealthCheck['to'] }
}

interface MeshServiceBody {
  readonly spec: {
    readonly selector: {
      readonly dataplaneTags?: Tags
      readonly dataplaneLabels?: { readonly matchLabels: Tags }
      readonly dataplaneRef?: { readonly name?: string }
    }
    readonly ports?: MeshService['ports']
  }
}

export function dataplaneOf({ name, labels, createdAt, body }: StoredObject): Dataplane {
  const { networking } = body as unknown as DataplaneBody
  return {
    name,
    labels,
    createdAt,
    address: networking.address,
    inbounds: networking.inbound ?? [],
    outbounds: networking.outbound ?? [],
    ...(networking.gateway === undefined ? {} : { gateway: networking.gateway }),
  }
}

export function meshServiceOf({ name, labels, createdAt, body }: StoredObject): MeshService {
  const { selector, ports = [] } = (body as unknown as MeshServiceBody).spec
  const { dataplaneTags, dataplaneLabels, dataplaneRef } = selector
  return {
    name,
    labels,
    createdAt,
    selector: {
      ...(dataplaneTags === undefined ? {} : { dataplaneTags }),
      ...(dataplaneLabels === undefined ? {} : { dataplaneLabels: dataplaneLabels.matchLabels }),
      ...(dataplaneRef === undefined ? {} : { dataplaneRef }),
    },
    // Services of before were stored with the 0 that clients send where a file says nothing.
    ports: ports.map(({ targetPort, ...port }) =>
      targetPort === undefined || targetPort === 0 ? port : { ...port, targetPort },
    ),
  }
}

/** All objects of a mesh; `labels`: those of the mesh itself. */
export function meshOfStored(stored: readonly StoredObject[], labels: Tags): Mesh {
  const of = (type: ResourceType) => stored.filter((object) => object.type === type)
  return {
    probed: probedSideOf(labels) ?? 'proxy',
    dataplanes: of('Dataplane').map(dataplaneOf),
    healthChecks: of('HealthCheck').map((object) => {
      const { sources, destinations, conf } = object.body as unknown as HealthCheckBody
      return {
        ...metaOf(object),
        sources: sources.map(({ match }) => match),
        destinations: destinations.map(({ match }) => match),
        conf,
      }
    }),
    meshHealthChecks: of('MeshHealthCheck').map((object) => {
      const { targetRef, to = [] } = (object.body as unknown as MeshHealthCheckBody).spec
      return { ...metaOf(object), ...(targetRef === undefined ? {} : { targetRef }), to }
    }),
    meshServices: of('MeshService').map(meshServiceOf),
  }
}

function metaOf({ name, labels, createdAt }: StoredObject): Meta {
  return { name, labels, createdAt }
}
