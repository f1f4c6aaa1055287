/** Bodies of Octavia's load balancers (docs/peers/octavia.md 21). The declared order is the order of refusals. */
import { DESCRIPTION_MAX } from '../../../../domain/limits.ts'
import { OCTAVIA_ADDITIONAL_VIPS_MAX, OCTAVIA_PROVIDER_MAX, OCTAVIA_ZONE_MAX } from '../limits.ts'
import { type Common, NAMED, OWNED, TAGGED } from './every-object.ts'
import { INNER_OBJECTS, type InnerListener, type InnerPool } from './load-balancer-tree.ts'
import { wsmeObjects, wsmeUuids } from './wsme-collections.ts'
import { mandatory, wsmeAddress, wsmeRules, wsmeText, wsmeUuid } from './wsme.ts'

export interface AdditionalVip {
  readonly subnet_id: string
  readonly ip_address?: string | null
  readonly port_id?: string | null
}

export interface OctaviaLoadBalancerChange extends Common {
  readonly description?: string | null
  readonly vip_qos_policy_id?: string | null
  readonly vip_sg_ids?: readonly string[] | null
}

export interface OctaviaLoadBalancerCreate extends OctaviaLoadBalancerChange {
  readonly vip_address?: string | null
  readonly vip_port_id?: string | null
  readonly vip_subnet_id?: string | null
  readonly vip_network_id?: string | null
  readonly additional_vips?: readonly AdditionalVip[] | null
  readonly listeners?: readonly InnerListener[] | null
  readonly pools?: readonly InnerPool[] | null
  readonly project_id?: string | null
  readonly tenant_id?: string | null
  readonly provider?: string | null
  readonly flavor_id?: string | null
  readonly availability_zone?: string | null
}

const DESCRIBED = {
  name: NAMED.name,
  description: wsmeText({ max: DESCRIPTION_MAX }),
  admin_state_up: NAMED.admin_state_up,
}

export const octaviaLoadBalancerCreate = wsmeRules<OctaviaLoadBalancerCreate>(
  'load_balancer',
  'loadbalancer',
  {
    ...DESCRIBED,
    vip_address: wsmeAddress(),
    vip_port_id: wsmeUuid(),
    vip_subnet_id: wsmeUuid(),
    vip_network_id: wsmeUuid(),
    vip_qos_policy_id: wsmeUuid(),
    additional_vips: wsmeObjects(
      { subnet_id: mandatory(wsmeUuid()), ip_address: wsmeAddress(), port_id: wsmeUuid() },
      OCTAVIA_ADDITIONAL_VIPS_MAX,
    ),
    ...OWNED,
    ...INNER_OBJECTS,
    provider: wsmeText({ max: OCTAVIA_PROVIDER_MAX }),
    ...TAGGED,
    flavor_id: wsmeUuid(),
    availability_zone: wsmeText({ max: OCTAVIA_ZONE_MAX }),
    vip_sg_ids: wsmeUuids(),
  },
)

export const octaviaLoadBalancerUpdate = wsmeRules<OctaviaLoadBalancerChange>(
  'load_balancer',
  'loadbalancer',
  {
    ...DESCRIBED,
    vip_qos_policy_id: wsmeUuid(),
    ...TAGGED,
    vip_sg_ids: wsmeUuids(),
  },
)
