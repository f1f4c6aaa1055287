/** Rules of `depends_on`: its objects exist, in the same project, and there is no cycle. */
import { dependsOn } from '../../domain/status/dependencies.ts'
import { DomainError } from '../../domain/errors.ts'
import { DEPENDENCY_DEPTH_MAX } from '../../domain/limits.ts'
import type { Echo } from '../../domain/types.ts'
import type { Tx } from '../../store/connection/database.ts'
import { knownParents, lockDependencies, parentsOf } from '../../store/probing/dependencies.ts'

/** A member (`poolId` is its pool) or a pool (`id` and `poolId` are the same). */
export interface Dependent {
  readonly id: string
  readonly poolId: string
  readonly projectId: string
  readonly echo: Echo
}

/** Checks the new `depends_on` of an object; `before`: the stored one. Throws INVALID_FIELD. */
export async function assertDependencies(tx: Tx, object: Dependent, before: Echo = {}): Promise<void> {
  const wanted = dependsOn(object.echo)
  const kept = new Set(dependsOn(before))
  const added = wanted.filter((id) => !kept.has(id))
  if (added.length === 0) return
  await lockDependencies(tx, object.projectId)
  await assertKnown(tx, object.projectId, added)
  await assertNoCycle(tx, object, added)
}

/** Walks up, level by level. A dependency on a pool is a dependency on every member of it. */
async function assertNoCycle(tx: Tx, { id, poolId }: Dependent, from: readonly string[]): Promise<void> {
  let level = from
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > DEPENDENCY_DEPTH_MAX) {
      throw refused(`'${from[0]}' is more than ${DEPENDENCY_DEPTH_MAX} dependencies deep`)
    }
    const { parents, pools } = await parentsOf(tx, level)
    const isPool = id === poolId
    const meets = (each: string): boolean => each === id || each === poolId
    if (level.some(meets) || (isPool && pools.includes(poolId))) {
      throw refused(`'${id}' would depend on itself`)
    }
    level = parents
  }
}

/**
 * The same for many objects of a project, in as many statements as for one. The objects are written already, so a cycle
 * can be found. Throws INVALID_FIELD.
 */
export async function assertWrittenDependencies(
  tx: Tx,
  projectId: string,
  ids: Iterable<string>,
): Promise<void> {
  const named = [...new Set(ids)]
  if (named.length === 0) return
  await lockDependencies(tx, projectId)
  await assertKnown(tx, projectId, named)
  let level: readonly string[] = named
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > DEPENDENCY_DEPTH_MAX) {
      throw refused(`it would be more than ${DEPENDENCY_DEPTH_MAX} dependencies deep, or depend on itself`)
    }
    level = (await parentsOf(tx, level)).parents
  }
}

async function assertKnown(tx: Tx, projectId: string, ids: readonly string[]): Promise<void> {
  const known = await knownParents(tx, projectId, ids)
  const unknown = ids.find((id) => !known.has(id))
  if (unknown !== undefined) throw refused(`'${unknown}' is no member and no pool of the project`)
}

function refused(reason: string): DomainError {
  return new DomainError('INVALID_FIELD', `Invalid input for depends_on. Reason: ${reason}.`, {
    field: 'depends_on',
    reason,
  })
}
