/** Bodies of elb load balancers (ELB API reference, loadbalancers). */
import { DESCRIPTION_MAX } from '../../../../domain/limits.ts'
import { bodyRules, ipAddress, nullable, oneOf, readOnly, text, uuid } from '../../../schema/attributes.ts'
import { ELB_ADDRESS_MAX } from '../limits.ts'
import { ELB_PROVIDERS } from '../words.ts'
import { FIXED, NAMED, OWNED, type Owned } from './every-object.ts'

export interface ElbLoadBalancerChange {
  readonly name?: string
  readonly description?: string
  readonly admin_state_up?: boolean
}

export interface ElbLoadBalancerCreate extends Owned, ElbLoadBalancerChange {
  readonly vip_subnet_id: string
  readonly vip_address?: string | null
  readonly provider?: string | null
}

const OPTIONS = { ...NAMED, description: text(DESCRIPTION_MAX) }

export const elbLoadBalancerCreate = bodyRules<ElbLoadBalancerCreate>('loadbalancer', {
  ...OPTIONS,
  ...OWNED,
  id: readOnly(),
  vip_subnet_id: uuid().required(),
  vip_address: nullable(ipAddress(ELB_ADDRESS_MAX)),
  provider: nullable(oneOf(ELB_PROVIDERS)),
})

export const elbLoadBalancerUpdate = bodyRules<ElbLoadBalancerChange>('loadbalancer', {
  ...OPTIONS,
  ...FIXED,
  vip_subnet_id: readOnly(),
  vip_address: readOnly(),
  vip_port_id: readOnly(),
  provider: readOnly(),
})
