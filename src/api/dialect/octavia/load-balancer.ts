/** Load balancers between Octavia's words and the domain's (docs/peers/octavia.md 21). */
import { randomUUID } from 'node:crypto'
import type { Echo, LoadBalancer } from '../../../domain/types.ts'
import { shownVipAddress } from '../../../domain/address/vip-range.ts'
import type {
  LoadBalancerChange,
  LoadBalancerDraft,
  LoadBalancerView,
} from '../../../store/configuration/load-balancers.ts'
import { differences, valueAfter } from '../../write/changes.ts'
import type { ApiSettings } from '../../http/context.ts'
import type { Asker, LoadBalancerDialect } from '../../resource/load-balancers.ts'
import { openstackTime, tagWords } from '../openstack-words.ts'
import type { Parameters } from '../../http/query.ts'
import { sharerOf } from '../../http/sharer.ts'
import { assertListBound } from './list-bounds.ts'
import { octaviaTree, renderTree } from './load-balancer-tree.ts'
import { namedIn, ownerOf } from './owner.ts'
import { octaviaPaths } from './paths.ts'
import { assertProviderEnabled, DEFAULT_PROVIDER } from './providers.ts'
import {
  type OctaviaLoadBalancerChange,
  type OctaviaLoadBalancerCreate,
  octaviaLoadBalancerUpdate,
} from './schema/load-balancer.ts'
import { parseWsme, validationFailure, wsmeBooleanOf } from './schema/wsme.ts'
import { newTags, tagsAfter } from './tags.ts'
import { parseTree } from './tree-body.ts'
import { PROVISIONING_WORDS, STATUS_WORDS } from './words.ts'

type Settings = Pick<
  ApiSettings,
  'vipRange' | 'allowPing' | 'udpMinDelaySeconds' | 'sourceAddresses' | 'hasTlsFile' | 'patternProblem'
>

export function octaviaLoadBalancers(settings: Settings): LoadBalancerDialect {
  return {
    paths: octaviaPaths,
    operatingStatus: 'roll-up',
    createsTree: true,
    async parseCreate(body, asker) {
      // Checks the policy before megabytes are read for a client that may not create anything.
      ownerOf(namedIn(body), asker)
      const wire = await parseTree(body, sharerOf(asker.identity))
      return await octaviaTree(settings, wire, draftFor(wire, asker))
    },
    parseUpdate(body) {
      const wire = parseWsme(body, octaviaLoadBalancerUpdate)
      return (stored) => changeFor(wire, stored)
    },
    render: renderOctaviaLoadBalancer,
    // As a read shows it, except that the objects created with it are complete.
    renderCreated: async (loadBalancer, below) => ({
      ...renderOctaviaLoadBalancer(loadBalancer),
      ...(await renderTree(below, loadBalancer.projectId)),
    }),
    isCascade,
  }
}

function isCascade(parameters: Parameters): boolean {
  const sent = parameters.get('cascade')
  return sent !== null && wsmeBooleanOf('cascade', sent)
}

function draftFor(wire: OctaviaLoadBalancerCreate, asker: Asker): LoadBalancerDraft {
  const projectId = ownerOf(wire, asker)
  assertVip(wire)
  if (wire.flavor_id) throw validationFailure('Invalid flavor_id.')
  if (wire.availability_zone) throw validationFailure('Invalid availability zone.')
  const provider = wire.provider ?? DEFAULT_PROVIDER
  assertProviderEnabled(provider)
  return {
    id: randomUUID(),
    projectId,
    name: wire.name ?? '',
    description: wire.description ?? '',
    adminStateUp: valueAfter(wire.admin_state_up, true, false),
    provider,
    vipSubnetId: wire.vip_subnet_id ?? null,
    // Without one it shows its address from HM_VIP_RANGE: clients publish what they read.
    vipAddress: wire.vip_address ?? null,
    vipPortId: wire.vip_port_id ?? randomUUID(),
    tags: newTags(wire.tags),
    echo: echoAfter(wire, {}),
  }
}

function assertVip(wire: OctaviaLoadBalancerCreate): void {
  if (wire.vip_port_id || wire.vip_network_id || wire.vip_subnet_id) return
  throw validationFailure('VIP must contain one of: vip_port_id, vip_network_id, vip_subnet_id.')
}

function changeFor(wire: OctaviaLoadBalancerChange, stored: LoadBalancer): LoadBalancerChange {
  const wanted = {
    name: valueAfter(wire.name, stored.name, ''),
    description: valueAfter(wire.description, stored.description, ''),
    adminStateUp: valueAfter(wire.admin_state_up, stored.adminStateUp, false),
    tags: tagsAfter(wire.tags, stored.tags),
    echo: echoAfter(wire, stored.echo),
  }
  return differences<typeof wanted>(stored, wanted)
}

const ECHOED = ['vip_network_id', 'vip_qos_policy_id', 'vip_sg_ids', 'additional_vips'] as const

/** The sent attributes that are only stored and returned, over the stored ones; null removes. */
function echoAfter(wire: Pick<OctaviaLoadBalancerCreate, (typeof ECHOED)[number]>, stored: Echo): Echo {
  const echo: Record<string, unknown> = { ...stored }
  for (const name of ECHOED) {
    const sent = wire[name]
    assertListBound(name, sent, stored[name])
    if (sent === null) delete echo[name]
    else if (sent !== undefined) echo[name] = sent
  }
  return echo
}

function additionalVips(echo: Echo): unknown {
  const vips = (echo['additional_vips'] ?? []) as OctaviaLoadBalancerCreate['additional_vips']
  return (vips ?? []).map((vip) => ({
    subnet_id: vip.subnet_id,
    ip_address: vip.ip_address ?? null,
    port_id: vip.port_id ?? null,
  }))
}

/** A load balancer with its children as ids. */
export function renderOctaviaLoadBalancer(loadBalancer: LoadBalancerView): Record<string, unknown> {
  const { echo } = loadBalancer
  return {
    id: loadBalancer.id,
    name: loadBalancer.name,
    description: loadBalancer.description,
    provisioning_status: PROVISIONING_WORDS[loadBalancer.provisioningStatus],
    operating_status: STATUS_WORDS[loadBalancer.operatingStatus],
    admin_state_up: loadBalancer.adminStateUp,
    project_id: loadBalancer.projectId,
    created_at: openstackTime(loadBalancer.createdAt),
    updated_at: openstackTime(loadBalancer.updatedAt),
    vip_address: shownVipAddress(loadBalancer),
    vip_port_id: loadBalancer.vipPortId,
    vip_subnet_id: loadBalancer.vipSubnetId,
    vip_network_id: echo['vip_network_id'] ?? null,
    vip_sg_ids: echo['vip_sg_ids'] ?? [],
    additional_vips: additionalVips(echo),
    listeners: loadBalancer.listenerIds.map((id) => ({ id })),
    pools: loadBalancer.poolIds.map((id) => ({ id })),
    provider: loadBalancer.provider,
    flavor_id: null,
    vip_qos_policy_id: echo['vip_qos_policy_id'] ?? null,
    tags: tagWords(loadBalancer.tags),
    availability_zone: null,
    vip_vnic_type: 'normal',
    tenant_id: loadBalancer.projectId,
  }
}
