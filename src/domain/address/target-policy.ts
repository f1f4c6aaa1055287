/**
 * Which addresses may be probed. The first of these rules that applies decides:
 *
 * 1. Never, whatever the lists say: "this network", link-local (the clouds' metadata services live there), the metadata
 *    addresses of clouds that have them elsewhere, multicast, broadcast, the unspecified address, and the service's own
 *    listeners.
 * 2. In the deny list: denied. Deny always wins; to let a part of a denied range through, deny the rest.
 * 3. The allow list is not empty: what is not in it is denied.
 * 4. Loopback: denied, unless `loopbackAllowed` or an entry of the allow list is itself a loopback range. `0.0.0.0/0`
 *    is not: "every network" is not meant to include the host of the prober.
 *
 * An IPv6 address that carries an IPv4 one (see `carried-ipv4.ts`) is denied when either of the two is, and it is in
 * the allow list when it is itself, or when all that it carries is and it leads there and nowhere else.
 */
import { carriedIpv4 } from './carried-ipv4.ts'
import {
  type Cidr,
  type IpAddress,
  isInRange,
  isRangeWithin,
  parseAddress,
  parseCidr,
  wireAddress,
} from './ip-address.ts'

export { type Cidr, type IpAddress, parseAddress, parseCidrList } from './ip-address.ts'

/** Why `address` must not be probed on `port` (0 for PING), as a sentence; undefined when it may. */
export type TargetPolicy = (address: string, port: number) => string | undefined

export interface TargetPolicyOptions {
  readonly allow: readonly Cidr[]
  readonly deny: readonly Cidr[]
  /** HM_AUTH=none: the service serves its own host. */
  readonly loopbackAllowed: boolean
  /** Our API, metrics and PostgreSQL; a wildcard address means every address of this host. */
  readonly ownListeners: readonly { readonly address: string; readonly port: number }[]
  /** Addresses of this host, for listeners on a wildcard address; loopback is always one. */
  readonly localAddresses: readonly string[]
  /** Settings and the verb in sentences; absent = those of probes. */
  readonly words?: PolicyWords
}

export interface PolicyWords {
  readonly allow: string
  readonly deny: string
  /** What is done to an address. */
  readonly done: string
}

const OF_PROBES: PolicyWords = { allow: 'HM_PROBE_ALLOW', deny: 'HM_PROBE_DENY', done: 'probed' }

const NEVER: readonly (readonly [Cidr, string])[] = [
  [parseCidr('0.0.0.0/8'), '"this network" 0.0.0.0/8'],
  [parseCidr('169.254.0.0/16'), 'link-local 169.254.0.0/16'],
  // Of AWS over IPv6, Alibaba Cloud and Oracle Cloud.
  [parseCidr('fd00:ec2::254'), 'the metadata address fd00:ec2::254'],
  [parseCidr('100.100.100.200'), 'the metadata address 100.100.100.200'],
  [parseCidr('192.0.0.192'), 'the metadata address 192.0.0.192'],
  [parseCidr('224.0.0.0/4'), 'multicast 224.0.0.0/4'],
  [parseCidr('255.255.255.255'), 'the broadcast address'],
  [parseCidr('::'), 'the unspecified address'],
  [parseCidr('fe80::/10'), 'link-local fe80::/10'],
  [parseCidr('ff00::/8'), 'multicast ff00::/8'],
]
const LOOPBACK: readonly Cidr[] = [parseCidr('127.0.0.0/8'), parseCidr('::1')]

/** IPv4-mapped addresses are probed as the IPv4 ones that they carry, so a range of them is a range of those. */
function rangeOnTheWire({ address, prefix }: Cidr): Cidr {
  const carried = wireAddress(address)
  return prefix < 96 || carried === address ? { address, prefix } : { address: carried, prefix: prefix - 96 }
}

export function makeTargetPolicy(options: TargetPolicyOptions): TargetPolicy {
  const words = options.words ?? OF_PROBES
  const allow = options.allow.map(rangeOnTheWire)
  const deny = options.deny.map(rangeOnTheWire)
  const loopbackAllowed =
    options.loopbackAllowed ||
    allow.some((range) => LOOPBACK.some((loopback) => isRangeWithin(range, loopback)))
  const own = ownAddresses(options)

  function refusal(address: IpAddress, port: number): string | undefined {
    for (const [range, name] of NEVER) if (isInRange(address, range)) return `${name} is never ${words.done}`
    if (own.some((listener) => listener.port === port && isInRange(address, listener.range))) {
      return `a listener of this service is never ${words.done}`
    }
    if (isInAny(address, deny)) return `the address is in ${words.deny}`
    return undefined
  }

  return (text, port) => {
    const outer = parseAddress(text)
    if (outer === undefined) return 'not an IP address in its plain spelling'
    const carried = carriedIpv4(outer)
    const inner = carried.map(({ address }) => address)
    for (const each of [outer, ...inner]) {
      const denied = refusal(each, port)
      if (denied !== undefined) return denied
    }
    const leadsInto = (ranges: readonly Cidr[]): boolean =>
      carried.length > 0 && carried.every(({ address, isSame }) => isSame && isInAny(address, ranges))
    if (allow.length > 0 && !isInAny(outer, allow) && !leadsInto(allow)) {
      return `the address is not in ${words.allow}`
    }
    if (!loopbackAllowed && [outer, ...inner].some((each) => isInAny(each, LOOPBACK)))
      return `loopback is not ${words.done} unless ${words.allow} names it`
    return undefined
  }
}

function isInAny(address: IpAddress, ranges: readonly Cidr[]): boolean {
  for (const range of ranges) if (isInRange(address, range)) return true
  return false
}

/** The addresses of our own listeners, wildcards expanded: 0.0.0.0 to IPv4, `::` (dual-stack) to both families. */
function ownAddresses(
  options: TargetPolicyOptions,
): readonly { readonly range: Cidr; readonly port: number }[] {
  const local = [...LOOPBACK, ...options.localAddresses.map(parseCidr)]
  return options.ownListeners.flatMap(({ address, port }) => {
    const range = parseCidr(address)
    const { canonical } = range.address
    if (canonical === '::') return local.map((each) => ({ range: each, port }))
    if (canonical !== '0.0.0.0') return [{ range, port }]
    return local.filter((each) => each.address.family === 4).map((each) => ({ range: each, port }))
  })
}
