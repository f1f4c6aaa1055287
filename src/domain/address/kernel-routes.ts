/** The routing table of a Linux host, as /proc/net/route and /proc/net/ipv6_route write it. Pure. */
import type { IpAddress } from './ip-address.ts'

export interface Route {
  readonly family: 4 | 6
  readonly network: readonly number[]
  readonly prefix: number
  readonly device: string
}

const UP = 0x1
const REJECT = 0x200

/** Routes that are up and lead somewhere; `text` is /proc/net/route. */
export function parseRoutes4(text: string): Route[] {
  const routes: Route[] = []
  for (const line of text.split('\n').slice(1)) {
    const [device, destination = '', , flags = '', , , , mask = ''] = line.trim().split(/\s+/)
    if (device === undefined || mask.length !== 8) continue
    if (!leadsSomewhere(flags)) continue
    // Written as a number in the order of this host, little-endian: the last byte comes first.
    const network = bytesOf(destination).toReversed()
    routes.push({ family: 4, network, prefix: bitsOf(bytesOf(mask)), device })
  }
  return routes
}

/** The same of /proc/net/ipv6_route. */
export function parseRoutes6(text: string): Route[] {
  const routes: Route[] = []
  for (const line of text.split('\n')) {
    const [destination = '', prefix = '', , , , , , , flags = '', device] = line.trim().split(/\s+/)
    if (device === undefined || destination.length !== 32 || !leadsSomewhere(flags)) continue
    routes.push({ family: 6, network: bytesOf(destination), prefix: Number.parseInt(prefix, 16), device })
  }
  return routes
}

/** The devices of the most specific routes to an address; empty = there is no route. */
export function devicesTowards(address: IpAddress, routes: readonly Route[]): readonly string[] {
  const matching = routes.filter((route) => route.family === address.family && covers(route, address.bytes))
  const longest = Math.max(...matching.map(({ prefix }) => prefix))
  return matching.filter(({ prefix }) => prefix === longest).map(({ device }) => device)
}

function leadsSomewhere(flags: string): boolean {
  const bits = Number.parseInt(flags, 16)
  return (bits & UP) !== 0 && (bits & REJECT) === 0
}

function bytesOf(hex: string): number[] {
  return (hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))
}

function bitsOf(bytes: readonly number[]): number {
  return bytes.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)
}

function covers({ network, prefix }: Route, bytes: readonly number[]): boolean {
  return bytes.every((byte, i) => {
    const bits = Math.min(8, Math.max(0, prefix - 8 * i))
    const mask = (0xff << (8 - bits)) & 0xff
    return (byte & mask) === ((network[i] ?? 0) & mask)
  })
}
