/** What the control plane says of itself: the first thing that each command of kumactl asks (docs/peers/kuma.md 1). */
import { hostname } from 'node:os'
import type { Identity } from '../../../identity/identity.ts'
import { COLLECTIONS } from './collections.ts'
import type { ApiContext, ApiDependencies, Route } from '../../http/context.ts'

/** Answers `GET /` with the words of both generations: `tagline` and `product`. */
export function controlPlaneRoutes({ settings }: ApiDependencies): Route[] {
  const version = kumaVersion(settings)
  const answer = (body: object) => (ctx: ApiContext) => {
    ctx.body = body
    return Promise.resolve()
  }
  return [
    {
      method: 'get',
      paths: ['/'],
      open: true,
      handler: answer({
        hostname: hostname(),
        tagline: 'Kuma',
        product: 'Kuma',
        version,
        instanceId: `${hostname()}-healthmonitor`,
        clusterId: '',
        gui: '/gui',
      }),
    },
    {
      method: 'get',
      paths: ['/policies'],
      handler: answer({
        policies: COLLECTIONS.filter(({ type }) => type.endsWith('HealthCheck')).map(
          ({ type, path, hasSpec }) => ({
            name: type,
            readOnly: false,
            path,
            singularDisplayName: type,
            pluralDisplayName: `${type}s`,
            isExperimental: false,
            isTargetRefBased: hasSpec,
            isInbound: false,
            isOutbound: true,
          }),
        ),
      }),
    },
    {
      method: 'get',
      paths: ['/who-am-i'],
      handler: (ctx) => {
        ctx.body = selfOf(ctx.state.identity)
        return Promise.resolve()
      },
    },
    {
      method: 'get',
      paths: ['/config'],
      handler: answer({ environment: 'universal', mode: 'zone', store: { type: 'postgres' } }),
    },
    { method: 'get', paths: ['/versions'], handler: answer({ kumaDp: { [version]: { envoy: '*' } } }) },
  ]
}

/** As Kuma says it of whoever asks on its own host, where no token is asked for; else the user with project and roles. */
function selfOf({ confined, userId, projectId, roles }: Identity): object {
  if (confined)
    return { name: 'mesh-system:admin', groups: ['mesh-system:admin', 'mesh-system:authenticated'] }
  return { name: userId ?? projectId, groups: ['mesh-system:authenticated', projectId, ...roles] }
}

/** HM_KUMA_VERSION: clients of another version warn. */
export function kumaVersion({ doorVersions }: ApiDependencies['settings']): string {
  return doorVersions?.['kuma'] ?? DEFAULT_VERSION
}

/** Where nothing is set: the last version whose client was recorded. */
const DEFAULT_VERSION = '2.13.10'
