/** Rules that need the database or the configuration, shared by the resources. */
import { DomainError } from '../../domain/errors.ts'
import type { ConfigurationObject, Resource } from '../../domain/types.ts'
import type { Tx } from '../../store/connection/database.ts'
import { fitsQuota, type QuotaClaim } from '../../store/configuration/quotas.ts'
import type { ApiContext, ApiDependencies } from '../http/context.ts'

/** Throws QUOTA_EXCEEDED. */
export async function assertQuota(
  tx: Tx,
  deps: ApiDependencies,
  claim: Omit<QuotaClaim, 'defaults'>,
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
    address: target.address,
    reason,
  })
}

/**
 * Throws IN_USE, in Neutron's sentence, when one of the lists of users is not empty. `used` is the id of the object in
 * use.
 */
export function assertUnused(
  resource: Resource,
  users: Readonly<Partial<Record<Resource, readonly string[]>>>,
  used = '',
): void {
  for (const [kind, ids] of Object.entries(users)) {
    const id = ids[0]
    if (id === undefined) continue
    throw new DomainError('IN_USE', `${kind} ${id} is using this ${resource}`, { resource, kind, id, used })
  }
}

/** A pool and its load balancer, or a load balancer alone. */
export type Parents = Readonly<
  Partial<Record<'pool' | 'loadBalancer', Pick<ConfigurationObject, 'id' | 'provisioningStatus'>>>
>

/** Throws IMMUTABLE when the dialect writes below ACTIVE parents only and one is not: the nearest is named. */
export function assertParentsActive(ctx: ApiContext, parents: Parents): void {
  if (!ctx.state.dialect.writes.needsActiveParents) return
  const named = [
    ['pool', parents.pool],
    ['loadbalancer', parents.loadBalancer],
  ] as const
  for (const [resource, parent] of named) {
    if (parent === undefined || parent.provisioningStatus === 'ACTIVE') continue
    const { id } = parent
    throw new DomainError('IMMUTABLE', `${resource} ${id} is ${parent.provisioningStatus}`, { resource, id })
  }
}

/**
 * Notes what an update with these values changes, for the line of audit. Returns whether to write it: one that changes
 * nothing only when the dialect says so. `shown` renders the object as it is stored; absent, the caller notes that itself
 * (`state.before`).
 */
export function noteChanges(
  ctx: ApiContext,
  values: object,
  shown?: () => Readonly<Record<string, unknown>>,
): boolean {
  // Values are those that differ from what is stored.
  ctx.state.changed = Object.keys(values)
  if (shown !== undefined && ctx.state.changed.length > 0) ctx.state.before = shown()
  return ctx.state.dialect.writes.writesUnchanged || Object.keys(values).length > 0
}
