/** An object of each type of Kuma with every field that its document names: taken as it is. */
import type { Json } from './api.ts'

const CONF = {
  interval: '1s',
  timeout: '1s',
  unhealthyThreshold: 1,
  healthyThreshold: 1,
  initialJitter: '1s',
  intervalJitter: '1s',
  intervalJitterPercent: 10,
  healthyPanicThreshold: 50,
  failTrafficOnPanic: false,
  noTrafficInterval: '1s',
  eventLogPath: '/tmp/events.log',
  alwaysLogHealthCheckFailures: true,
  reuseConnection: true,
  tcp: { send: 'Zm9v', receive: ['YmFy'] },
}

/** By type, without type, mesh and name. */
export const WHOLE_KUMA_OBJECTS: Readonly<Record<string, Json>> = {
  Mesh: { labels: { team: 'a' } },
  Dataplane: {
    labels: { team: 'a' },
    networking: {
      address: '10.0.0.1',
      inbound: [
        {
          port: 8080,
          address: '10.0.0.2',
          servicePort: 9090,
          serviceAddress: '10.0.0.3',
          name: 'http',
          tags: { 'kuma.io/service': 'backend' },
          health: { ready: true },
          state: 'Ready',
          serviceProbe: {
            interval: '1s',
            timeout: '1s',
            unhealthyThreshold: 1,
            healthyThreshold: 1,
            tcp: {},
          },
        },
      ],
      outbound: [
        {
          port: 10_001,
          address: '127.0.0.1',
          tags: { 'kuma.io/service': 'web' },
          backendRef: { kind: 'MeshService', name: 'web' },
        },
      ],
    },
  },
  HealthCheck: {
    labels: { team: 'a' },
    sources: [{ match: { 'kuma.io/service': '*' } }],
    destinations: [{ match: { 'kuma.io/service': 'backend' } }],
    conf: {
      ...CONF,
      http: {
        path: '/',
        requestHeadersToAdd: [{ append: true, header: { key: 'X-Name', value: 'v' } }],
        expectedStatuses: [200],
      },
    },
  },
  MeshHealthCheck: {
    labels: { team: 'a' },
    spec: {
      targetRef: { kind: 'MeshSubset', tags: { version: '1' }, proxyTypes: ['Sidecar'] },
      to: [
        {
          targetRef: { kind: 'MeshService', name: 'backend', sectionName: 'http' },
          default: {
            ...CONF,
            tcp: { ...CONF.tcp, disabled: false },
            http: {
              disabled: false,
              path: '/',
              requestHeadersToAdd: {
                set: [{ name: 'x-a', value: 'v' }],
                add: [{ name: 'x-b', value: 'v' }],
              },
              expectedStatuses: [200],
            },
            grpc: { disabled: false, serviceName: 'a', authority: 'b' },
          },
        },
      ],
    },
  },
  MeshService: {
    labels: { team: 'a' },
    spec: {
      selector: {
        dataplaneTags: { 'kuma.io/service': 'backend' },
        dataplaneLabels: { matchLabels: { team: 'a' } },
        dataplaneRef: { name: 'backend' },
      },
      ports: [{ name: 'http', port: 80, targetPort: 8080, appProtocol: 'http' }],
    },
  },
}
