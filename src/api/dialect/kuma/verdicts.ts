/** What checks say of the inbounds of some proxies: several checks of one inbound decide together. */
import { togetherVerdict } from '../../../domain/kuma/status.ts'
import { inboundKey } from '../../../domain/kuma/wanted-pools.ts'
import type { Db } from '../../../store/connection/database.ts'
import { type ProxyName, readVerdicts } from '../../../store/kuma/verdicts.ts'
import type { Verdicts } from './render.ts'

/** By mesh, then by `dataplane:port`; inbounds that nothing checks are not there. */
export async function readVerdictsOf(
  db: Db,
  projectId: string,
  proxies: readonly ProxyName[],
): Promise<ReadonlyMap<string, Verdicts>> {
  const meshes = new Map<string, Map<string, ReturnType<typeof togetherVerdict>>>()
  for (const { mesh, dataplane, port, verdict } of await readVerdicts(db, projectId, proxies)) {
    const verdicts = meshes.get(mesh) ?? new Map()
    meshes.set(mesh, verdicts)
    const key = inboundKey(dataplane, port)
    const known = verdicts.get(key)
    verdicts.set(key, known === undefined ? verdict : togetherVerdict([known, verdict]))
  }
  return meshes
}
