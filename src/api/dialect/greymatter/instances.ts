/**
 * `/v1.0/cluster/{cluster_key}/instance`: one instance is added, or put in the place of the one with its host and port, or
 * removed. The answer is the whole cluster (docs/peers/greymatter.md 2).
 */
import type { Cluster, Instance } from '../../../domain/greymatter/cluster.ts'
import { INSTANCES_MAX } from '../../../domain/greymatter/limits.ts'
import { isNamed, readInstance } from '../../../domain/greymatter/read-cluster.ts'
import { instanceKey } from '../../../domain/greymatter/cluster.ts'
import type { ApiContext, ApiDependencies, Route } from '../../http/context.ts'
import { writeCluster } from './clusters.ts'
import { ControlRefusal, invalidObject } from './refusal.ts'
import { keyOf, readObject, sentChecksum } from './requests.ts'

const PATHS = ['instance', 'instances'].map((word) => `/v1.0/cluster/:cluster_key/${word}`)

export function instanceRoutes(deps: ApiDependencies): Route[] {
  return [
    { method: 'post', paths: PATHS, handler: (ctx) => add(ctx, deps) },
    {
      method: 'delete',
      paths: PATHS.map((path) => `${path}/:instance`),
      handler: (ctx) => remove(ctx, deps),
    },
  ]
}

async function add(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const read = readInstance(await readObject(ctx))
  if ('problems' in read) throw invalidObject('cluster', read.problems)
  const { value: added } = read
  const place = (instances: readonly Instance[]): readonly Instance[] => {
    const at = instances.findIndex((each) => isNamed(each, instanceKey(added)))
    return at < 0 ? [...instances, added] : instances.with(at, added)
  }
  await change(ctx, deps, place)
}

async function remove(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const named = keyOf(ctx, 'instance', 'instance')
  await change(ctx, deps, (instances) => {
    const left = instances.filter((each) => !isNamed(each, named))
    if (left.length < instances.length) return left
    throw new ControlRefusal('NOT_FOUND', { code: 'NotFound', message: 'no such instance' })
  })
}

async function change(
  ctx: ApiContext,
  deps: ApiDependencies,
  to: (instances: readonly Instance[]) => readonly Instance[],
): Promise<void> {
  await writeCluster(ctx, deps, {
    clusterKey: keyOf(ctx, 'cluster_key', 'cluster'),
    checksum: sentChecksum(ctx),
    next: (before: Cluster) => {
      const instances = to(before.instances)
      if (instances.length > INSTANCES_MAX && instances.length > before.instances.length)
        throw invalidObject('cluster', [
          { attribute: 'cluster.instances', msg: `must have at most ${INSTANCES_MAX} items` },
        ])
      return { ...before, instances }
    },
  })
}
