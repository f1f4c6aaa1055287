/** HM_VIP_RANGE: addresses by index, from 0 to `size` - 1. */
import { type Cidr, formatAddress } from './ip-address.ts'
import { VIP_RANGE_SIZE_MAX } from '../limits.ts'

export interface VipRange {
  /** As it was written. */
  readonly text: string
  readonly family: 4 | 6
  /** Addresses that may be given: without the network's own and, of IPv4, its broadcast. */
  readonly size: number
  readonly addressAt: (place: number) => string
}

export function vipRangeOf({ address, prefix }: Cidr): VipRange {
  const { family, bytes } = address
  const width = (family === 4 ? 32 : 128) - prefix
  const all = Math.min(2 ** width, VIP_RANGE_SIZE_MAX + 1)
  // Two addresses and one are a link and a host (RFC 3021, RFC 6164): all of them are usable.
  const first = width < 2 ? 0 : 1
  const last = family === 4 && width >= 2 ? 1 : 0
  return {
    text: `${address.canonical}/${prefix}`,
    family,
    size: all - first - last,
    addressAt: (place) => formatAddress(plus(bytes, first + place)),
  }
}

/** `bytes` as one number, plus a whole number of less than 2^33. */
function plus(bytes: readonly number[], added: number): readonly number[] {
  const sum = [...bytes]
  let carry = added
  for (let i = sum.length - 1; i >= 0 && carry > 0; i -= 1) {
    const total = (sum[i] ?? 0) + (carry % 256)
    sum[i] = total % 256
    carry = Math.floor(carry / 256) + Math.floor(total / 256)
  }
  return sum
}

/** The address that a load balancer shows: the one that a client chose, else the one from HM_VIP_RANGE. */
export function shownVipAddress(of: {
  readonly vipAddress: string | null
  readonly madeVipAddress: string | null
}): string | null {
  return of.vipAddress ?? of.madeVipAddress
}
