/**
 * Is it our own network that is down? Asked of failures that a dead network of ours would look like: silence, and "no
 * route". The way to the target is down when no route leads there, or when the device of the route is not up and running
 * (switched off, or without carrier). A failure counts for nothing when its way was seen down at or after the start of
 * its probe. Where the routes cannot be read (not Linux, or a very large table), only the devices are asked.
 */
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { type IpAddress, parseAddress } from '../domain/ip-address.ts'
import { OWN_NETWORK_LOOK_EVERY_MS, OWN_ROUTES_MAX } from '../domain/limits.ts'
import { REASONS } from '../domain/reasons.ts'
import type { ProbeResult } from '../domain/results.ts'
import { devicesTowards, parseRoutes4, parseRoutes6, type Route } from '../domain/routes.ts'
import type { Check } from './check.ts'

/** What this host has: devices that are up and running, with their addresses, and its routes when they can be read. */
export interface HostNetwork {
  readonly devices: ReadonlyMap<string, Device>
  readonly routes: readonly Route[] | undefined
}

/** A check, as far as it is asked for: what it aims at, and when its last probe began. */
type Probed = Pick<Check, 'startedMs'> & {
  readonly config: { readonly target: { readonly address: string } }
}

interface Device {
  readonly isLoopback: boolean
  readonly addresses: readonly string[]
}

export class OwnNetwork {
  readonly #read: () => HostNetwork
  #network: HostNetwork | undefined
  #readMs = Number.NEGATIVE_INFINITY
  /** Ways (a /24 or /64, by its text) that were seen down, and when last. */
  readonly #downMs = new Map<string, number>()

  constructor(read: () => HostNetwork = readHostNetwork) {
    this.#read = read
  }

  /** The result, or in the place of a failure that our own network may have caused: PROBER_OFFLINE. */
  weigh(check: Probed, result: ProbeResult, nowMs: number): ProbeResult {
    if (result.outcome !== 'failed' || !isSilence(result)) return result
    const address = parseAddress(check.config.target.address)
    if (address === undefined) return result
    if (nowMs - this.#readMs >= OWN_NETWORK_LOOK_EVERY_MS) {
      this.#network = this.#read()
      this.#readMs = nowMs
    }
    if (this.#network !== undefined && isDown(address, this.#network)) this.#downMs.set(wayOf(address), nowMs)
    const downMs = this.#downMs.get(wayOf(address))
    if (downMs === undefined || downMs < check.startedMs) return result
    return {
      ...result,
      outcome: 'inconclusive',
      reason: 'PROBER_OFFLINE',
      detail: REASONS.PROBER_OFFLINE.sentence,
    }
  }
}

/** Whether a dead network of ours could have given it: nothing came back, or there was no way. */
function isSilence({ reason }: ProbeResult): boolean {
  return reason === 'CONNECT_UNREACHABLE' || ('kind' in REASONS[reason] && REASONS[reason].kind === 'timeout')
}

function wayOf({ family, bytes }: IpAddress): string {
  return bytes.slice(0, family === 4 ? 3 : 8).join('.')
}

/** Whether packets to this address cannot leave this host. */
export function isDown(address: IpAddress, { devices, routes }: HostNetwork): boolean {
  const running = [...devices.values()]
  const isOwn = running.some(({ addresses }) => addresses.includes(address.canonical))
  const isLoopback = address.family === 4 ? address.bytes[0] === 127 : address.canonical === '::1'
  if (isLoopback || isOwn) return !running.some((device) => device.isLoopback)
  if (routes === undefined) return !running.some((device) => !device.isLoopback)
  return !devicesTowards(address, routes).some((device) => devices.has(device))
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

/** Of a device without an address of its own; true where nobody can say. */
function hasCarrier(device: string): boolean {
  try {
    return readFileSync(`/sys/class/net/${device}/carrier`, 'latin1').trim() !== '0'
  } catch {
    return true
  }
}

function readRoutes(): readonly Route[] | undefined {
  try {
    const routes = [
      ...parseRoutes4(readFileSync('/proc/net/route', 'latin1')),
      ...parseRoutes6(readFileSync('/proc/net/ipv6_route', 'latin1')),
    ]
    return routes.length <= OWN_ROUTES_MAX ? routes : undefined
  } catch {
    return undefined
  }
}
