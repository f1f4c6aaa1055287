/**
 * A wide area network (Linux, root): a namespace for the hub and one for each site, and a cable from each site to the hub,
 * on which a test loses packets, swallows all of them, limits the rate, or which it pulls out. Sites reach the hub and
 * nothing else. The hub has one address, 10.78.0.1, on its loopback; site number n has 10.78.n.2, n from 1.
 */
import { spawnSync } from 'node:child_process'
import type { TestContext } from 'node:test'
import { makeNamespace, type Namespace } from './network-namespace.ts'

export interface Wan {
  readonly hub: Namespace
  readonly sites: readonly WanSite[]
}

export interface WanSite {
  readonly namespace: Namespace
  readonly address: string
  /** Loses so many per cent of the packets in each direction, at random; 100 swallows all, 0 heals. */
  lose(percent: number): void
  /** Bits per second towards the hub; undefined = as many as there are. */
  limit(bitsPerSecond: number | undefined): void
  /** Takes the cable away: what is sent fails at once, which is how a site sees its own router die. */
  unplug(): void
  plugIn(): void
}

export const HUB_ADDRESS = '10.78.0.1'
const CABLE = 'wan'
/** Of a network 10.78.n.0/24 for each. */
const SITES_MAX = 250
/** `numgen` counts in these. */
const STEPS = 10_000

/** Undefined, with the test skipped and the reason, where this process may not make it. */
export function makeWan(t: TestContext, siteCount: number): Wan | undefined {
  if (siteCount > SITES_MAX) throw new RangeError(`at most ${SITES_MAX} sites`)
  const { error } = spawnSync('nft', ['--version'])
  if (error !== undefined) {
    t.skip('nft is missing: apt-get install nftables')
    return undefined
  }
  const hub = makeNamespace(t)
  if (hub === undefined) return undefined
  hub.run(`ip addr add ${HUB_ADDRESS}/32 dev lo`)
  const sites: WanSite[] = []
  while (sites.length < siteCount) {
    const namespace = makeNamespace(t)
    if (namespace === undefined) return undefined
    sites.push(joined(hub, namespace, sites.length + 1))
  }
  return { hub, sites }
}

function joined(hub: Namespace, namespace: Namespace, number: number): WanSite {
  const address = `10.78.${number}.2`
  const farAddress = `10.78.${number}.1`
  const farEnd = `${CABLE}${number}`
  hub.run(`ip link add ${farEnd} type veth peer name ${CABLE} netns ${namespace.name}`)
  hub.run(`ip addr add ${farAddress}/24 dev ${farEnd}; ip link set ${farEnd} up`)
  namespace.run(`ip addr add ${address}/24 dev ${CABLE}`)
  // The way to the hub goes with the cable.
  const plugIn = (): void =>
    namespace.run(
      `ip link set ${CABLE} up; ip route replace ${HUB_ADDRESS}/32 via ${farAddress} dev ${CABLE}`,
    )
  plugIn()
  return {
    namespace,
    address,
    lose: (percent) => lose(namespace, percent),
    limit: (bitsPerSecond) => limit(namespace, bitsPerSecond),
    unplug: () => namespace.run(`ip link set ${CABLE} down`),
    plugIn,
  }
}

/** At the end of the site, of what goes out and of what comes in: a packet of neither end knows of it. */
function lose(namespace: Namespace, percent: number): void {
  const some = `numgen random mod ${STEPS} < ${Math.round((percent / 100) * STEPS)}`
  const rule = percent >= 100 ? 'drop' : `${some} drop`
  const chain = (hook: 'input' | 'output', end: 'iifname' | 'oifname'): string =>
    `chain ${hook} {\n type filter hook ${hook} priority 0; policy accept;\n ${end} "${CABLE}" ${rule}\n }\n`
  const table = `table inet wan {\n ${chain('input', 'iifname')} ${chain('output', 'oifname')}}\n`
  const rules = percent === 0 ? '' : table
  namespace.run(`nft -f - <<'RULES'\nflush ruleset\n${rules}RULES`)
}

/** A token bucket, as a narrow line behaves: what does not fit waits, at most 400 ms. */
function limit(namespace: Namespace, bitsPerSecond: number | undefined): void {
  namespace.run(
    bitsPerSecond === undefined
      ? `tc qdisc del dev ${CABLE} root 2>/dev/null || true`
      : `tc qdisc replace dev ${CABLE} root tbf rate ${bitsPerSecond}bit burst 32kb latency 400ms`,
  )
}
