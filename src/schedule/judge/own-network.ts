/**
 * Whether our own network is down. It matters for results that a failure of our own network would also give: silence,
 * even where it passes, and "no route". The way to the target is down when the device of its route is not up and
 * running (switched off, or without carrier), and when the route is gone. A failure does not count if its way was seen
 * down, or was first seen up again, at or after the start of its probe. Where the routes cannot be read (not Linux, or
 * a very large table), only the devices are checked.
 *
 * Reading takes a descriptor, and a prober may have none left: then the last reading still counts, and before the first
 * reading nothing is known to be down.
 *
 * Only the main table of routes is read. With policy routing a route may be in another table, and never in this one. So
 * a missing route counts as lost only if this process has seen it before, or if the kernel reports "no route" too.
 */
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { formatAddress, type IpAddress, parseAddress } from '../../domain/address/ip-address.ts'
import {
  OWN_NETWORK_LEARN_EVERY_MS,
  OWN_NETWORK_LOOK_EVERY_MS,
  OWN_NETWORK_LOOK_SHARE,
  OWN_ROUTES_MAX,
  OWN_WAYS_DOWN_MAX,
} from '../../domain/limits.ts'
import { REASONS } from '../../domain/result/reasons.ts'
import type { ProbeResult } from '../../domain/result/probe-result.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { devicesTowards, parseRoutes4, parseRoutes6, type Route } from '../../domain/address/kernel-routes.ts'
import type { CheckState, StatePolicy } from '../../domain/status/state-machine.ts'
import type { Check } from '../loop/check.ts'

/** What this host has: devices that are up and running, with their addresses, and its routes when they can be read. */
export interface HostNetwork {
  readonly devices: ReadonlyMap<string, Device>
  readonly routes: readonly Route[] | undefined
}

/** The part of a check that is needed: its target, its status, and when its last probe began. */
type Probed = Pick<Check, 'startedMs'> & {
  readonly config: {
    readonly target: Pick<ProbeTarget, 'type' | 'address'>
    readonly policy: Pick<StatePolicy, 'invert'>
  }
  readonly state: Pick<CheckState, 'status' | 'decided'>
}

interface Device {
  readonly isLoopback: boolean
  readonly addresses: readonly string[]
}

/** What is wrong with the way to an address. */
export type Fault = 'no route' | 'device down'

interface Down {
  readonly fault: Fault
  /** When it was last seen down, or, once it is up, when that was first seen. */
  readonly atMs: number
  readonly isOver: boolean
}

export class OwnNetwork {
  readonly #read: () => HostNetwork
  readonly #clock: () => number
  #network: HostNetwork | undefined
  #readMs = Number.NEGATIVE_INFINITY
  #tookMs = 0
  /** Routes that this process has seen, by their text. */
  readonly #known = new Map<string, Route>()
  /** Ways (a /24 or /64, by its text) that were seen down, and when last; the newest are last. */
  readonly #downs = new Map<string, Down>()

  /** `read` may throw; `clock`: monotonic milliseconds, by which it is measured. */
  constructor(read: () => HostNetwork = readHostNetwork, clock: () => number = () => performance.now()) {
    this.#read = read
    this.#clock = clock
    this.#learn()
  }

  /** The result, or PROBER_OFFLINE in place of one that our own network may have caused. */
  reconsider(check: Probed, result: ProbeResult, nowMs: number): ProbeResult {
    const isSuspect = result.outcome === 'failed' ? isSilence(result) : isWelcomeSilence(check, result)
    this.look(nowMs, isSuspect ? this.#soonestMs(check.startedMs) : OWN_NETWORK_LEARN_EVERY_MS)
    const address = isSuspect ? parseAddress(check.config.target.address) : undefined
    if (address === undefined) return result
    const way = wayOf(address)
    const fault = this.#network && faultTowards(address, this.#network)
    if (fault === 'device down' || (fault === 'no route' && (saysNoRoute(result) || this.#hadRoute(address))))
      this.#note(way, { fault, atMs: nowMs, isOver: false })
    else this.#end(way)
    const down = this.#downs.get(way)
    if (down === undefined || down.atMs < check.startedMs) return result
    return {
      ...result,
      outcome: 'inconclusive',
      reason: 'PROBER_OFFLINE',
      detail: `${DETAILS[down.fault]} ${networkOf(address)}`,
    }
  }

  /** Reads anew where the last reading is older. Also while nothing fails, so that a route is known before it is lost. */
  look(nowMs: number, everyMs = OWN_NETWORK_LEARN_EVERY_MS): void {
    if (nowMs - this.#readMs < everyMs) return
    this.#learn()
    this.#readMs = nowMs
  }

  /** A route may have been lost since the last look and before a probe that failed at once. */
  #soonestMs(startedMs: number): number {
    if (startedMs <= this.#readMs) return OWN_NETWORK_LOOK_EVERY_MS
    return Math.min(OWN_NETWORK_LOOK_EVERY_MS, this.#tookMs * OWN_NETWORK_LOOK_SHARE)
  }

  #learn(): void {
    const beganMs = this.#clock()
    try {
      this.#network = this.#read()
    } catch {
      return
    } finally {
      this.#tookMs = this.#clock() - beganMs
    }
    for (const route of this.#network.routes ?? []) {
      this.#known.set(`${route.network.join('.')}/${route.prefix} ${route.device}`, route)
    }
    forgetOldest(this.#known, OWN_ROUTES_MAX)
  }

  #hadRoute(address: IpAddress): boolean {
    return devicesTowards(address, [...this.#known.values()]).length > 0
  }

  /** It ended at some time between two looks: until the second look, probes may still have been lost. */
  #end(way: string): void {
    const down = this.#downs.get(way)
    if (down?.isOver === false) this.#note(way, { ...down, atMs: this.#readMs, isOver: true })
  }

  #note(way: string, down: Down): void {
    this.#downs.delete(way)
    this.#downs.set(way, down)
    forgetOldest(this.#downs, OWN_WAYS_DOWN_MAX)
  }
}

/** A tenant must not see the devices of the host. */
const DETAILS: Readonly<Record<Fault, string>> = {
  'no route': 'this prober has lost its route to',
  'device down': 'this prober has no running device towards',
}

function forgetOldest(map: Map<string, unknown>, max: number): void {
  for (const key of map.keys()) {
    if (map.size <= max) return
    map.delete(key)
  }
}

/**
 * Whether a failure of our own network could give this result: no answer came, or there was no route. Our own kernel
 * also reports "unreachable" when a device without carrier cannot find a neighbour.
 */
function isSilence({ reason }: ProbeResult): boolean {
  if (reason === 'CONNECT_UNREACHABLE' || reason === 'ICMP_UNREACHABLE') return true
  return 'kind' in REASONS[reason] && REASONS[reason].kind === 'timeout'
}

/**
 * Whether this is the silence of a UDP target, which passes, and would change its status: a failure of our own network
 * must not make a member ONLINE. For a target that is ONLINE already, its silence is not checked.
 */
function isWelcomeSilence({ config, state }: Probed, { outcome, phases }: ProbeResult): boolean {
  if (config.target.type !== 'UDP-CONNECT' || outcome !== 'passed' || phases.firstByteMs !== undefined)
    return false
  return state.status !== 'ONLINE' || !state.decided || config.policy.invert === true
}

/**
 * Whether the kernel, which uses all routing tables, found no route. The detail of a socket error ends in its errno.
 */
function saysNoRoute({ reason, detail }: ProbeResult): boolean {
  return reason === 'CONNECT_UNREACHABLE' && detail.endsWith('ENETUNREACH')
}

function wayBytes({ family, bytes }: IpAddress): readonly number[] {
  return bytes.slice(0, family === 4 ? 3 : 8)
}

function wayOf(address: IpAddress): string {
  return wayBytes(address).join('.')
}

/** The /24 or /64 of an address, as people write it. */
function networkOf(address: IpAddress): string {
  const bytes = [...wayBytes(address), ...address.bytes.map(() => 0)].slice(0, address.bytes.length)
  return `${formatAddress(bytes)}/${address.family === 4 ? 24 : 64}`
}

/**
 * Why packets to this address cannot leave this host, judged by its devices and its main table; undefined = they can.
 */
export function faultTowards(address: IpAddress, { devices, routes }: HostNetwork): Fault | undefined {
  const running = [...devices.values()]
  const isOwn = running.some(({ addresses }) => addresses.includes(address.canonical))
  const isLoopback = address.family === 4 ? address.bytes[0] === 127 : address.canonical === '::1'
  if (isLoopback || isOwn) return running.some((device) => device.isLoopback) ? undefined : 'device down'
  if (!running.some((device) => !device.isLoopback)) return 'device down'
  if (routes === undefined) return undefined
  const towards = devicesTowards(address, routes)
  if (towards.length === 0) return 'no route'
  return towards.some((device) => devices.has(device)) ? undefined : 'device down'
}

function readHostNetwork(): HostNetwork {
  const devices = new Map<string, Device>()
  // Only devices that are up and running, and have an address, are listed.
  for (const [name, addresses = []] of Object.entries(networkInterfaces())) {
    const isLoopback = addresses.some(({ internal }) => internal)
    devices.set(name, { isLoopback, addresses: addresses.map(({ address }) => address) })
  }
  const routes = readRoutes()
  for (const name of new Set(routes?.map(({ device }) => device))) {
    if (!devices.has(name) && hasCarrier(name)) devices.set(name, { isLoopback: false, addresses: [] })
  }
  return { devices, routes }
}

/** For a device without an address of its own; true where it is unknown. */
function hasCarrier(device: string): boolean {
  try {
    return readFileSync(`/sys/class/net/${device}/carrier`, 'latin1').trim() !== '0'
  } catch {
    return true
  }
}

/** Why a file cannot be read just now, though it is there. */
const OUT_OF_SOMETHING: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM'])

function readRoutes(): readonly Route[] | undefined {
  try {
    const routes = [
      ...parseRoutes4(readFileSync('/proc/net/route', 'latin1')),
      ...parseRoutes6(readFileSync('/proc/net/ipv6_route', 'latin1')),
    ]
    return routes.length <= OWN_ROUTES_MAX ? routes : undefined
  } catch (error) {
    if (OUT_OF_SOMETHING.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    return undefined
  }
}
