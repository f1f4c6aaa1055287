/** Load balancers between elb's words and the domain's. */
import { randomUUID } from 'node:crypto'
import { shownVipAddress } from '../../../domain/address/vip-range.ts'
import type { LoadBalancerView } from '../../../store/configuration/load-balancers.ts'
import { differences } from '../../write/changes.ts'
import { childless } from '../../resource/load-balancer-tree.ts'
import type { LoadBalancerDialect } from '../../resource/load-balancers.ts'
import { openstackTime, tagWords } from '../openstack-words.ts'
import { parseBody } from '../../schema/attributes.ts'
import { elbPaths } from './paths.ts'
import { assertOwnProject } from './schema/every-object.ts'
import { elbLoadBalancerCreate, elbLoadBalancerUpdate } from './schema/load-balancer.ts'
import { ELB_PROVIDERS, PROVISIONING_WORDS, STATUS_WORDS } from './words.ts'

export const elbLoadBalancers: LoadBalancerDialect = {
  paths: elbPaths,
  operatingStatus: 'switch',
  parseCreate(body, { identity: { projectId } }) {
    const wire = parseBody(body, elbLoadBalancerCreate)
    assertOwnProject(wire, projectId)
    return childless({
      id: randomUUID(),
      projectId,
      name: wire.name ?? '',
      description: wire.description ?? '',
      adminStateUp: wire.admin_state_up ?? true,
      provider: wire.provider ?? ELB_PROVIDERS[0],
      vipSubnetId: wire.vip_subnet_id,
      // Without one it shows its address from HM_VIP_RANGE: clients publish what they read.
      vipAddress: wire.vip_address ?? null,
      vipPortId: randomUUID(),
      tags: [],
      echo: {},
    })
  },
  parseUpdate(body) {
    const wire = parseBody(body, elbLoadBalancerUpdate)
    return (stored) =>
      differences(stored, {
        name: wire.name ?? stored.name,
        description: wire.description ?? stored.description,
        adminStateUp: wire.admin_state_up ?? stored.adminStateUp,
      })
  },
  render: renderElbLoadBalancer,
}

function renderElbLoadBalancer(loadBalancer: LoadBalancerView): Record<string, unknown> {
  return {
    id: loadBalancer.id,
    tenant_id: loadBalancer.projectId,
    project_id: loadBalancer.projectId,
    name: loadBalancer.name,
    description: loadBalancer.description,
    vip_subnet_id: loadBalancer.vipSubnetId,
    vip_port_id: loadBalancer.vipPortId,
    vip_address: shownVipAddress(loadBalancer),
    provider: loadBalancer.provider,
    admin_state_up: loadBalancer.adminStateUp,
    listeners: loadBalancer.listenerIds.map((id) => ({ id })),
    pools: loadBalancer.poolIds.map((id) => ({ id })),
    // Member states do not reach this far up in elb (ELB API reference, load balancer status tree); DISABLED is a word of the status tree only.
    operating_status: STATUS_WORDS[loadBalancer.operatingStatus],
    provisioning_status: PROVISIONING_WORDS[loadBalancer.provisioningStatus],
    tags: tagWords(loadBalancer.tags),
    created_at: openstackTime(loadBalancer.createdAt),
    updated_at: openstackTime(loadBalancer.updatedAt),
  }
}
