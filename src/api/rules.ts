/** Rules that need the database or the configuration, shared by the resources. */
import { DomainError } from '../domain/errors.ts'
import type { Resource } from '../domain/types.ts'
import type { Tx } from '../store/database.ts'
import { fitsQuota } from '../store/quotas.ts'
import type { ApiDependencies } from './context.ts'

/** Throws QUOTA_EXCEEDED. */
export async function assertQuota(
  tx: Tx,
  deps: ApiDependencies,
  claim: { readonly projectId: string; readonly resource: Resource; readonly count: number },
): Promise<void> {
  if (await fitsQuota(tx, { ...claim, defaults: deps.settings.quotas })) return
  throw new DomainError('QUOTA_EXCEEDED', `Quota exceeded for resources:['${claim.resource}'].`, {
    resource: claim.resource,
  })
}

/** Throws TARGET_DENIED when a member would be probed where the target policy forbids it. */
export function assertTargetAllowed(
  deps: ApiDependencies,
  target: { readonly address: string; readonly port: number; readonly field: string },
): void {
  const reason = deps.targetPolicy(target.address, target.port)
  if (reason === undefined) return
  throw new DomainError('TARGET_DENIED', `Invalid input for ${target.field}. Reason: ${reason}.`, {
    field: target.field,
    reason,
  })
}

/** Throws IN_USE, in Neutron's sentence, when one of the lists of users names somebody. */
export function assertUnused(
  resource: Resource,
  users: Readonly<Partial<Record<Resource, readonly string[]>>>,
): void {
  for (const [kind, ids] of Object.entries(users)) {
    const id = ids[0]
    if (id === undefined) continue
    throw new DomainError('IN_USE', `${kind} ${id} is using this ${resource}`, { resource, kind, id })
  }
}
