/** Objects of Kuma for tests: what a test does not say has a plain value. */
import type {
  Dataplane,
  HealthCheck,
  Inbound,
  Mesh,
  MeshHealthCheck,
  MeshService,
  Tags,
} from '../../../../src/domain/kuma/objects.ts'

const META = { createdAt: '2026-11-30T00:00:00.000000Z', labels: {} }

export function dataplane(name: string, given: Partial<Dataplane> = {}): Dataplane {
  return { ...META, name, address: '10.0.0.1', inbounds: [], outbounds: [], ...given }
}

export function inbound(service: string, given: Partial<Inbound> = {}): Inbound {
  return { port: 8080, tags: { 'kuma.io/service': service }, ...given }
}

export function outbound(service: string): { readonly tags: Tags } {
  return { tags: { 'kuma.io/service': service } }
}

/** From a service to a service; the conf is a connection every second. */
export function healthCheck(
  name: string,
  [source, destination]: readonly [string, string],
  given: Partial<HealthCheck> = {},
): HealthCheck {
  return {
    ...META,
    name,
    sources: [{ 'kuma.io/service': source }],
    destinations: [{ 'kuma.io/service': destination }],
    conf: { interval: '1s', timeout: '1s', unhealthyThreshold: 1, healthyThreshold: 1 },
    ...given,
  }
}

export function meshHealthCheck(name: string, given: Partial<MeshHealthCheck> = {}): MeshHealthCheck {
  return { ...META, name, to: [{ targetRef: { kind: 'Mesh' }, default: { tcp: {} } }], ...given }
}

export function meshService(name: string, given: Partial<MeshService> = {}): MeshService {
  return {
    ...META,
    name,
    labels: { 'kuma.io/display-name': name },
    selector: { dataplaneTags: { 'kuma.io/service': name } },
    ports: [{ port: 80, targetPort: 8080 }],
    ...given,
  }
}

export function meshOf(given: Partial<Mesh>): Mesh {
  return {
    probed: 'proxy',
    dataplanes: [],
    healthChecks: [],
    meshHealthChecks: [],
    meshServices: [],
    ...given,
  }
}
