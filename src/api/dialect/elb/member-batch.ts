/** Batches of members in elb's words: `{"members": […], "action": "add" | "delete" | "replace"}`. */
import { withDependsOn } from '../../../domain/status/dependencies.ts'
import { DomainError } from '../../../domain/errors.ts'
import type { KeptValues } from '../../../store/configuration/member-batch.ts'
import type { MemberDraft } from '../../../store/configuration/members.ts'
import type { BatchTargets, MemberBatchDialect } from '../../resource/member-batch.ts'
import { type BodyRules, invalidField, isObject, parseAttributes } from '../../schema/attributes.ts'
import { sharerOf } from '../../http/sharer.ts'
import { mapInSlices } from '../../http/slices.ts'
import { ELB_BATCH_MAX } from './limits.ts'
import { elbMemberDraft } from './member.ts'
import { elbPaths } from './paths.ts'
import { assertOwnProject } from './schema/every-object.ts'
import { type ElbMemberCreate, elbMemberBatch, elbMemberCreate, elbMemberRemoval } from './schema/member.ts'

export const elbMemberBatches: MemberBatchDialect = {
  paths: elbPaths,
  assertDistinct: assertElbDistinct,
  async parseBatch(body, asker) {
    const items = itemsOf(body)
    const { action = 'replace' } = parseAttributes(body, elbMemberBatch)
    if (action === 'delete') {
      // One id may stand there twice: docs/peers/elb.md 12.
      const ids = items.map((item) => parsedItem(item, elbMemberRemoval).id)
      return { action, ids: [...new Set(ids)] }
    }
    const wires = await mapInSlices(sharerOf(asker), items, (item) => {
      const wire = parsedItem(item, elbMemberCreate)
      assertOwnProject(wire, asker.projectId)
      return wire
    })
    return {
      action,
      draftFor: wires.map((wire) => (pool) => elbMemberDraft(wire, pool)),
      keptValues: (draft, stored, index) => keptValues(draft, stored, wires[index]),
    }
  },
}

/** "Replaced with those in the request body" (ELB reference); what elb has no word for stays, and so does depends_on unless it is sent. */
function keptValues(draft: MemberDraft, stored: KeptValues, wire: ElbMemberCreate | undefined): KeptValues {
  const { name, subnetId, weight, adminStateUp } = draft
  const echo = withDependsOn(stored.echo, wire?.depends_on)
  return { ...stored, name, subnetId, weight, adminStateUp, echo }
}

function itemsOf(body: unknown): readonly unknown[] {
  const items = isObject(body) ? body['members'] : undefined
  if (!Array.isArray(items)) {
    throw new DomainError('MISSING_ENVELOPE', `Unable to find 'members' in request body`, {
      resource: 'members',
    })
  }
  if (items.length > ELB_BATCH_MAX) {
    const message = `A maximum of ${ELB_BATCH_MAX} members can be modified at a time.`
    throw new DomainError('TOO_MANY_ITEMS', message, { max: ELB_BATCH_MAX, count: items.length })
  }
  return items
}

/** One item; a value that is not an object has none of the required attributes. */
function parsedItem<Attributes>(item: unknown, rules: BodyRules<Attributes>): Attributes {
  if (isObject(item)) return parseAttributes(item, rules)
  throw new DomainError('MISSING_ENVELOPE', 'an item of the batch is not an object', { resource: 'member' })
}

/** A target is in a list once, in whatever spelling. */
function assertElbDistinct({ repeated }: BatchTargets): void {
  if (repeated === undefined) return
  const { address, protocolPort } = repeated
  throw invalidField(
    'members',
    `address '${address}' with protocol_port '${protocolPort}' is in the list more than once`,
  )
}
