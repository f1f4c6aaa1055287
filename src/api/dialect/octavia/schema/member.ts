/** Bodies of Octavia's members (docs/peers/octavia.md 19). The declared order is the order of refusals. */
import { DEPENDS_ON_MAX, PORT } from '../../../../domain/limits.ts'
import { OCTAVIA_WEIGHT } from '../limits.ts'
import { type Common, NAMED, OWNED, TAGGED } from './every-object.ts'
import { mandatory, wsmeAddress, wsmeBoolean, wsmeInteger, wsmeRules, wsmeUuid, wsmeUuids } from './wsme.ts'

export interface OctaviaMemberChange extends Common {
  readonly weight?: number | null
  readonly backup?: boolean | null
  readonly monitor_address?: string | null
  readonly monitor_port?: number | null
  /** Ours; in batches of new members only. */
  readonly depends_on?: readonly string[] | null
}

export interface OctaviaMemberCreate extends OctaviaMemberChange {
  readonly address: string | null
  readonly protocol_port: number | null
  readonly subnet_id?: string | null
  readonly request_sriov?: boolean | null
}

const WEIGHED = { weight: wsmeInteger(OCTAVIA_WEIGHT), backup: wsmeBoolean() }

const TARGET = {
  ...NAMED,
  address: mandatory(wsmeAddress()),
  protocol_port: mandatory(wsmeInteger(PORT)),
  ...WEIGHED,
  subnet_id: wsmeUuid(),
}
const LATER = {
  monitor_port: wsmeInteger(PORT),
  monitor_address: wsmeAddress(),
  ...TAGGED,
  request_sriov: wsmeBoolean(),
}

const DEPENDENT = { depends_on: wsmeUuids(DEPENDS_ON_MAX) }

const CREATE = { ...TARGET, ...OWNED, ...LATER, ...DEPENDENT }

/** What a member has inside the create of a load balancer. */
export const OCTAVIA_INNER_MEMBER = { ...TARGET, ...LATER, ...DEPENDENT }

export const octaviaMemberCreate = wsmeRules<OctaviaMemberCreate>('member_', 'member', CREATE)

/** An item of a batch is a create. */
export const octaviaMemberItem = wsmeRules<OctaviaMemberCreate>('members_', 'members', CREATE)

export const octaviaMemberUpdate = wsmeRules<OctaviaMemberChange>('member_', 'member', {
  ...NAMED,
  ...WEIGHED,
  monitor_port: wsmeInteger({ ...PORT, clearedByZero: true }),
  monitor_address: wsmeAddress({ clearedByEmpty: true }),
  ...TAGGED,
  ...DEPENDENT,
})
