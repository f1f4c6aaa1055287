/** `allowed_cidrs` of a listener against the addresses of its load balancer (octavia 19.0.0, `_validate_cidr_compatible_with_vip`). */
import type { LoadBalancer } from '../../../domain/types.ts'
import { shownVipAddress } from '../../../domain/address/vip-range.ts'
import type { AdditionalVip } from './schema/load-balancer.ts'
import { pythonRepr } from './schema/python-text.ts'
import { validationFailure } from './schema/wsme.ts'

export type Vips = Pick<LoadBalancer, 'vipAddress' | 'madeVipAddress' | 'echo'>

/** Each network must be of the family of one of the addresses; security groups take their place. Throws INVALID_FIELD. */
export function assertAllowedCidrs(cidrs: readonly string[] | null | undefined, loadBalancer: Vips): void {
  if (!cidrs || cidrs.length === 0) return
  if (((loadBalancer.echo['vip_sg_ids'] ?? []) as readonly string[]).length > 0) {
    throw validationFailure('Allowed CIDRs are not allowed when using custom VIP Security Groups.')
  }
  const vips = addressesOf(loadBalancer)
  if (vips === undefined) return
  const stranger = cidrs.find((cidr) => !vips.some((vip) => isIpv6(vip) === isIpv6(cidr)))
  if (stranger === undefined) return
  throw validationFailure(
    `CIDR ${stranger} IP version incompatible with all VIPs ${pythonRepr(vips)} IP version.`,
  )
}

/** Undefined: one of them is not known, and may be of either family. */
function addressesOf(loadBalancer: Vips): readonly string[] | undefined {
  const additional = (loadBalancer.echo['additional_vips'] ?? []) as readonly AdditionalVip[]
  const addresses = [shownVipAddress(loadBalancer), ...additional.map((vip) => vip.ip_address ?? null)]
  const known = addresses.filter((address) => address !== null)
  return known.length === addresses.length ? known : undefined
}

function isIpv6(text: string): boolean {
  return text.includes(':')
}
