/** Members between Octavia's words and the domain's (docs/peers/octavia.md 19). */
import { randomUUID } from 'node:crypto'
import { shownDependsOn, withDependsOn } from '../../../domain/status/dependencies.ts'
import { DomainError } from '../../../domain/errors.ts'
import { memberWord } from '../../../domain/status/roll-up.ts'
import type { Member, Pool } from '../../../domain/types.ts'
import type { KeptValues } from '../../../store/configuration/member-batch.ts'
import type { MemberChange, MemberDraft, MemberView } from '../../../store/configuration/members.ts'
import { differences, valueAfter } from '../../write/changes.ts'
import { type BatchTargets, type MemberBatchDialect } from '../../resource/member-batch.ts'
import { type MemberDialect, memberExists } from '../../resource/members.ts'
import { openstackTime, tagWords } from '../openstack-words.ts'
import { sharerOf } from '../../http/sharer.ts'
import { mapInSlices } from '../../http/slices.ts'
import { OCTAVIA_BATCH_MAX, OCTAVIA_WEIGHT_DEFAULT } from './limits.ts'
import { octaviaPaths } from './paths.ts'
import {
  type OctaviaMemberChange,
  type OctaviaMemberCreate,
  octaviaMemberCreate,
  octaviaMemberItem,
  octaviaMemberUpdate,
} from './schema/member.ts'
import {
  invalidOption,
  isYes,
  parseWsme,
  parseWsmeObject,
  validationFailure,
  wsmeRoot,
} from './schema/wsme.ts'
import { newTags, tagsAfter } from './tags.ts'
import { PROVISIONING_WORDS, STATUS_WORDS } from './words.ts'

export const octaviaMembers: MemberDialect = {
  paths: octaviaPaths,
  parseCreate(body) {
    const wire = parseWsme(body, octaviaMemberCreate)
    return (pool) => octaviaMemberDraft(wire, pool)
  },
  parseUpdate(body) {
    const wire = parseWsme(body, octaviaMemberUpdate)
    return (stored) => changeFor(wire, stored)
  },
  render: renderOctaviaMember,
}

export const octaviaMemberBatches: MemberBatchDialect = {
  paths: octaviaPaths,
  async parseBatch(body, asker, parameters) {
    const wires = await itemsOf(body, sharerOf(asker))
    return {
      action: 'replace',
      leavesOthers: isYes(parameters.get('additive_only') ?? ''),
      draftFor: wires.map((wire) => (pool) => octaviaMemberDraft(wire, pool)),
      keptValues: (draft, stored, index) => keptValues(draft, stored, wires[index]),
    }
  },
  assertDistinct,
}

async function itemsOf(body: unknown, sharer: string): Promise<OctaviaMemberCreate[]> {
  const items = wsmeRoot(body, octaviaMemberItem)
  if (!Array.isArray(items)) {
    const message = `Invalid input for field/attribute members_. Value not a valid list`
    throw new DomainError('INVALID_FIELD', message, { field: 'members' })
  }
  if (items.length > OCTAVIA_BATCH_MAX) {
    const message = `A batch has at most ${OCTAVIA_BATCH_MAX} members.`
    throw new DomainError('TOO_MANY_ITEMS', message, { max: OCTAVIA_BATCH_MAX, count: items.length })
  }
  return await mapInSlices(sharer, items, (item) => parseWsmeObject(item, octaviaMemberItem, item))
}

/** What is not sent is as at create, but for the name, the tags and depends_on; the subnet of a member never changes. */
function keptValues(
  draft: MemberDraft,
  stored: KeptValues,
  wire: OctaviaMemberCreate | undefined,
): KeptValues {
  const { weight, adminStateUp, backup, monitorAddress, monitorPort } = draft
  return {
    name: valueAfter(wire?.name, stored.name, ''),
    subnetId: stored.subnetId,
    weight,
    adminStateUp,
    backup,
    monitorAddress,
    monitorPort,
    tags: tagsAfter(wire?.tags, stored.tags),
    echo: withDependsOn(stored.echo, wire?.depends_on),
  }
}

function assertDistinct({ repeated, isPresent, poolId }: BatchTargets): void {
  if (repeated === undefined) return
  throw isPresent
    ? validationFailure('Member must be updated only once in the same request.')
    : memberExists(poolId, repeated)
}

/** A new member; `wire` also from a batch or from inside the create of a load balancer. */
export function octaviaMemberDraft(
  wire: OctaviaMemberCreate,
  pool: Pick<Pool, 'id' | 'projectId'>,
): MemberDraft {
  if (wire.address === null) throw invalidOption(null, 'address')
  if (wire.protocol_port === null) throw invalidOption(null, 'protocol_port')
  if (wire.request_sriov === true) {
    throw validationFailure('The load balancer flavor does not allow SR-IOV member ports.')
  }
  return {
    id: randomUUID(),
    projectId: pool.projectId,
    poolId: pool.id,
    address: wire.address,
    protocolPort: wire.protocol_port,
    subnetId: wire.subnet_id ?? null,
    name: wire.name ?? '',
    weight: wire.weight ?? OCTAVIA_WEIGHT_DEFAULT,
    adminStateUp: valueAfter(wire.admin_state_up, true, false),
    backup: wire.backup ?? false,
    monitorAddress: wire.monitor_address ?? null,
    monitorPort: wire.monitor_port ?? null,
    tags: newTags(wire.tags),
    echo: withDependsOn({}, wire.depends_on),
  }
}

function changeFor(wire: OctaviaMemberChange, stored: Member): MemberChange {
  return differences(stored, {
    name: valueAfter(wire.name, stored.name, ''),
    adminStateUp: valueAfter(wire.admin_state_up, stored.adminStateUp, false),
    weight: valueAfter(wire.weight, stored.weight, OCTAVIA_WEIGHT_DEFAULT),
    backup: valueAfter(wire.backup, stored.backup, false),
    monitorAddress: valueAfter(wire.monitor_address, stored.monitorAddress, null),
    monitorPort: valueAfter(wire.monitor_port, stored.monitorPort, null),
    tags: tagsAfter(wire.tags, stored.tags),
    echo: withDependsOn(stored.echo, wire.depends_on),
  })
}

function wordOf({ state, adminStateUp: memberUp, weight, provider }: MemberView): string {
  return STATUS_WORDS[memberWord({ state, memberUp, weight, provider })]
}

export function renderOctaviaMember(member: MemberView): Record<string, unknown> {
  return {
    id: member.id,
    name: member.name,
    operating_status: wordOf(member),
    provisioning_status: PROVISIONING_WORDS[member.provisioningStatus],
    admin_state_up: member.adminStateUp,
    address: member.address,
    protocol_port: member.protocolPort,
    weight: member.weight,
    backup: member.backup,
    subnet_id: member.subnetId,
    project_id: member.projectId,
    created_at: openstackTime(member.createdAt),
    updated_at: openstackTime(member.updatedAt),
    monitor_address: member.monitorAddress,
    monitor_port: member.monitorPort,
    tags: tagWords(member.tags),
    vnic_type: 'normal',
    tenant_id: member.projectId,
    ...shownDependsOn(member.echo),
  }
}
