/**
 * The conf of a destination from all MeshHealthChecks that reach it (docs/peers/kuma.md 31 to 35): sorted from the weakest
 * to the strongest, then merged field by field.
 */
import { MERGES_OF_STEP } from './limits.ts'
import { byName, type MeshHealthCheck, type MeshHealthCheckConf } from './objects.ts'
import { type Destination, gatewayTags, toLevel, topLevel } from './target-ref.ts'

/** One entry of `to[]` that reaches the destination. */
export interface Contribution {
  readonly policy: MeshHealthCheck
  /** Its place in `to[]`. */
  readonly index: number
  readonly conf: MeshHealthCheckConf
}

/** What these policies say of a destination, the weakest first. */
export function contributionsTo(
  policies: readonly MeshHealthCheck[],
  destination: Destination,
): readonly Contribution[] {
  const ranked = policies.flatMap((policy) =>
    policy.to.flatMap(({ targetRef, default: conf }, index) => {
      const level = toLevel(targetRef, destination)
      return level === undefined ? [] : [{ policy, index, conf, level }]
    }),
  )
  // The top of a policy counts more than its destination; entries of one policy stay in their order.
  return ranked.toSorted(
    (a, b) =>
      topLevel(a.policy.targetRef) - topLevel(b.policy.targetRef) ||
      a.level - b.level ||
      compareTies(a.policy, b.policy) ||
      a.index - b.index,
  )
}

/** Policies in the order in which they are merged, the weakest first, as far as their tops decide. */
export function comparePolicies(a: MeshHealthCheck, b: MeshHealthCheck): number {
  return topLevel(a.targetRef) - topLevel(b.targetRef) || compareTies(a, b)
}

/** Origin, tags of a gateway, role, then names: the smallest name is the strongest. */
function compareTies(a: MeshHealthCheck, b: MeshHealthCheck): number {
  return (
    originOf(a) - originOf(b) ||
    gatewayTags(a.targetRef) - gatewayTags(b.targetRef) ||
    roleOf(a) - roleOf(b) ||
    byName(b, a)
  )
}

/** What a zone made is stronger than what came from the global control plane. */
function originOf({ labels }: MeshHealthCheck): number {
  return labels['kuma.io/origin'] === 'global' ? 0 : 1
}

const ROLES = ['system', 'producer', 'consumer', 'workload-owner']

function roleOf({ labels }: MeshHealthCheck): number {
  return ROLES.indexOf(labels['kuma.io/policy-role'] ?? 'system')
}

/** A merged conf, and for each field (`http.path`) the policy that it comes from. */
export interface MergedConf {
  readonly conf: MeshHealthCheckConf
  readonly from: Readonly<Record<string, string>>
}

/** Later ones win, field by field: objects are merged, lists are replaced. */
export function mergeConfs(contributions: readonly Contribution[]): MergedConf {
  const steps = mergeSteps(contributions)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** The same in steps of some policies each: there may be many for one destination. */
export function* mergeSteps(contributions: readonly Contribution[]): Generator<undefined, MergedConf> {
  const from: Record<string, string> = {}
  const conf: Record<string, unknown> = {}
  for (const [i, { policy, conf: added }] of contributions.entries()) {
    if (i % MERGES_OF_STEP === MERGES_OF_STEP - 1) yield
    merge(conf, added as Fields, (field) => {
      from[field] = policy.name
    })
  }
  return { conf: conf as MeshHealthCheckConf, from }
}

type Fields = Readonly<Record<string, unknown>>

/** Changes `base`, of which each object is its own: a copy for each policy would make merging as slow as the conf is long. */
function merge(base: Record<string, unknown>, added: Fields, note: (field: string) => void, path = ''): void {
  for (const [key, value] of Object.entries(added)) {
    const field = `${path}${key}`
    if (isFields(value)) {
      const below = Object.hasOwn(base, key) ? base[key] : undefined
      if (Object.keys(value).length === 0) note(field)
      const into: Record<string, unknown> = isFields(below) ? below : {}
      base[key] = into
      merge(into, value, note, `${field}.`)
    } else {
      note(field)
      base[key] = value
    }
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
