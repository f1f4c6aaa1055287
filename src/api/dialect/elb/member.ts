/** Members between elb's words and the domain's. */
import { randomUUID } from 'node:crypto'
import { shownDependsOn, withDependsOn } from '../../../domain/status/dependencies.ts'
import { operatingStatus } from '../../../domain/status/member-status.ts'
import type { Member, Pool } from '../../../domain/types.ts'
import type { MemberChange, MemberDraft, MemberView } from '../../../store/configuration/members.ts'
import type { AllMembersDialect } from '../../resource/all-members.ts'
import { differences } from '../../write/changes.ts'
import type { MemberDialect } from '../../resource/members.ts'
import { parseBody } from '../../schema/attributes.ts'
import { ELB_WEIGHT_DEFAULT } from './limits.ts'
import { elbPaths } from './paths.ts'
import { assertOwnProject } from './schema/every-object.ts'
import {
  type ElbMemberChange,
  type ElbMemberCreate,
  elbMemberCreate,
  elbMemberUpdate,
} from './schema/member.ts'
import { STATUS_WORDS } from './words.ts'

export const elbMembers: MemberDialect = {
  paths: elbPaths,
  parseCreate(body, projectId) {
    const wire = parseBody(body, elbMemberCreate)
    assertOwnProject(wire, projectId)
    return (pool) => elbMemberDraft(wire, pool)
  },
  parseUpdate(body) {
    const wire = parseBody(body, elbMemberUpdate)
    return (stored) => changeFor(wire, stored)
  },
  render: renderElbMember,
}

/** A new member, from what was sent and elb's defaults. */
export function elbMemberDraft(wire: ElbMemberCreate, pool: Pick<Pool, 'id' | 'projectId'>): MemberDraft {
  return {
    id: randomUUID(),
    projectId: pool.projectId,
    poolId: pool.id,
    address: wire.address,
    protocolPort: wire.protocol_port,
    subnetId: wire.subnet_id,
    name: wire.name ?? '',
    weight: wire.weight ?? ELB_WEIGHT_DEFAULT,
    adminStateUp: wire.admin_state_up ?? true,
    backup: false,
    monitorAddress: null,
    monitorPort: null,
    tags: [],
    echo: withDependsOn({}, wire.depends_on),
  }
}

/** What differs from what is stored; re-sending a value is no change. */
function changeFor(wire: ElbMemberChange, stored: Member): MemberChange {
  return differences(stored, {
    name: wire.name ?? stored.name,
    weight: wire.weight ?? stored.weight,
    adminStateUp: wire.admin_state_up ?? stored.adminStateUp,
    echo: withDependsOn(stored.echo, wire.depends_on),
  })
}

/** elb computes `admin_state_up` from the cloud's servers; we know none and echo what was sent. */
export function renderElbMember(member: MemberView): Record<string, unknown> {
  return {
    id: member.id,
    name: member.name,
    tenant_id: member.projectId,
    project_id: member.projectId,
    address: member.address,
    protocol_port: member.protocolPort,
    subnet_id: member.subnetId,
    admin_state_up: member.adminStateUp,
    weight: member.weight,
    operating_status: STATUS_WORDS[operatingStatus(member.state)],
    ...shownDependsOn(member.echo),
  }
}

/** The global list says where a member belongs; no member of ours is known to be a cloud server. */
export const elbAllMembers: AllMembersDialect = {
  paths: elbPaths,
  renderWithParents: (member) => ({
    ...renderElbMember(member),
    pool_id: member.poolId,
    loadbalancer_id: member.loadBalancerId,
    device_id: '',
    device_owner: '',
  }),
}
