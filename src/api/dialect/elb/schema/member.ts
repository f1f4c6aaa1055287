/** Bodies of elb members (ELB API reference, backend servers). */
import { parseAddress } from '../../../../domain/address/ip-address.ts'
import { DEPENDS_ON_MAX, PORT } from '../../../../domain/limits.ts'
import {
  bodyRules,
  ignored,
  integer,
  listOf,
  oneOf,
  readOnly,
  text,
  uuid,
} from '../../../schema/attributes.ts'
import { ELB_ADDRESS_MAX, ELB_WEIGHT } from '../limits.ts'
import { FIXED, NAMED, OWNED, type Owned } from './every-object.ts'

export interface ElbMemberChange {
  readonly name?: string
  readonly weight?: number
  readonly admin_state_up?: boolean
  readonly depends_on?: readonly string[]
}

export interface ElbMemberCreate extends Owned, ElbMemberChange {
  readonly address: string
  readonly protocol_port: number
  readonly subnet_id: string
}

const OPTIONS = { ...NAMED, weight: integer(ELB_WEIGHT), depends_on: listOf(uuid(), DEPENDS_ON_MAX) }

const address = text(ELB_ADDRESS_MAX).custom((value: string, helpers) =>
  parseAddress(value) === undefined
    ? helpers.error('attribute.refused', { reason: `'${value}' is not a valid IP address` })
    : value,
)

export const elbMemberCreate = bodyRules<ElbMemberCreate>('member', {
  ...OPTIONS,
  ...OWNED,
  id: readOnly(),
  address: address.required(),
  protocol_port: integer(PORT).required(),
  subnet_id: uuid().required(),
})

export const elbMemberUpdate = bodyRules<ElbMemberChange>('member', {
  ...OPTIONS,
  ...FIXED,
  address: readOnly(),
  protocol_port: readOnly(),
  subnet_id: readOnly(),
  pool_id: readOnly(),
  operating_status: readOnly(),
})

export const ELB_BATCH_ACTIONS = ['add', 'delete', 'replace'] as const

/** The envelope of a batch, without its items. */
export interface ElbMemberBatch {
  readonly members?: unknown
  readonly action?: (typeof ELB_BATCH_ACTIONS)[number]
}

export const elbMemberBatch = bodyRules<ElbMemberBatch>('members', {
  members: ignored(),
  action: oneOf(ELB_BATCH_ACTIONS),
})

/** An item of a batch that deletes. */
export const elbMemberRemoval = bodyRules<{ readonly id: string }>('member', { id: uuid().required() })
