/**
 * Decides when so many targets fail at once that the prober is the likely cause: when more than half of the unrelated
 * ones fail, that is, of the pools and of the networks (IPv4 /24, IPv6 /64) that were probed within one interval. A
 * pool or a network counts as failing when more than half of its targets fail, so that neither one large pool nor one
 * network with a dead switch looks like a fault of the prober. Pure.
 */
import { parseAddress } from '../address/ip-address.ts'
import { MASS_FAILURE_NETWORKS_MIN, MASS_FAILURE_POOLS_MIN } from '../limits.ts'

/** A target that was probed within one interval. `isFailing`: it failed in it for the first time. */
export interface Observation {
  readonly poolId: string
  readonly network: string
  readonly isFailing: boolean
}

export interface FailureCounts {
  readonly targets: number
  readonly failingTargets: number
  readonly pools: number
  readonly failingPools: number
  readonly networks: number
  readonly failingNetworks: number
}

interface Group {
  targets: number
  failing: number
}

export function countFailures(observations: Iterable<Observation>): FailureCounts {
  const pools = new Map<string, Group>()
  const networks = new Map<string, Group>()
  let targets = 0
  let failingTargets = 0
  for (const { poolId, network, isFailing } of observations) {
    targets++
    if (isFailing) failingTargets++
    add(pools, poolId, isFailing)
    add(networks, network, isFailing)
  }
  return {
    targets,
    failingTargets,
    pools: pools.size,
    failingPools: failingOf(pools),
    networks: networks.size,
    failingNetworks: failingOf(networks),
  }
}

/** Whether there are enough unrelated targets to judge the prober by their failures. */
export function isWide({ pools, networks }: Pick<FailureCounts, 'pools' | 'networks'>): boolean {
  return pools >= MASS_FAILURE_POOLS_MIN && networks >= MASS_FAILURE_NETWORKS_MIN
}

export function isMassFailure(counts: FailureCounts): boolean {
  return (
    isWide(counts) && counts.failingPools * 2 > counts.pools && counts.failingNetworks * 2 > counts.networks
  )
}

/** The network that targets share a switch or a route in: `10.1.2` for a /24, the first eight bytes for a /64. */
export function networkOf(address: string): string {
  const parsed = parseAddress(address)
  if (parsed === undefined) return address
  return parsed.family === 4 ? parsed.bytes.slice(0, 3).join('.') : `6:${parsed.bytes.slice(0, 8).join('.')}`
}

function add(groups: Map<string, Group>, key: string, isFailing: boolean): void {
  let group = groups.get(key)
  if (group === undefined) groups.set(key, (group = { targets: 0, failing: 0 }))
  group.targets++
  if (isFailing) group.failing++
}

function failingOf(groups: ReadonlyMap<string, Group>): number {
  let failing = 0
  for (const group of groups.values()) if (group.failing * 2 > group.targets) failing++
  return failing
}
