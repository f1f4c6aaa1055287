/**
 * What a socket error means: a fault of the target (`failed`) or of this host (`inconclusive`). One table, so that the
 * rule can be read and discussed in one place.
 *
 * An errno that is not in the table is inconclusive (PROBER_FAULT), because its cause is not known: a false OFFLINE
 * takes a healthy member out of service, while a check with nothing but inconclusive results becomes stale and is seen.
 *
 * Known doubt: Linux turns ICMPv6 "administratively prohibited", "policy failed" and "reject route" into EACCES
 * (net/ipv6/icmp.c, tab_unreach), which looks the same as EPERM/EACCES of a local firewall; both are PROBER_FORBIDDEN.
 */
import { networkInterfaces } from 'node:os'
import { HOST_ADDRESSES_CACHE_MS } from '../domain/limits.ts'
import type { Reason } from '../domain/result/reasons.ts'

/** Reasons before a connection is established; a probe refines them (a reset after the connect is its RECV_CLOSED). */
const REASON_OF_ERRNO: Readonly<Record<string, Reason>> = {
  // The target, or the network on the way to it, answered. ICMP errors arrive as net/ipv4/icmp.c icmp_err_convert says.
  ECONNREFUSED: 'CONNECT_REFUSED',
  ECONNRESET: 'CONNECT_RESET',
  ECONNABORTED: 'CONNECT_RESET',
  EPIPE: 'CONNECT_RESET',
  ETIMEDOUT: 'CONNECT_TIMEOUT',
  EHOSTUNREACH: 'CONNECT_UNREACHABLE',
  ENETUNREACH: 'CONNECT_UNREACHABLE',
  EHOSTDOWN: 'CONNECT_UNREACHABLE',
  ENONET: 'CONNECT_UNREACHABLE',
  ENOPROTOOPT: 'CONNECT_UNREACHABLE',
  // This host ran out of something.
  EMFILE: 'PROBER_NO_SOCKET',
  ENFILE: 'PROBER_NO_SOCKET',
  ENOBUFS: 'PROBER_NO_SOCKET',
  ENOMEM: 'PROBER_NO_SOCKET',
  EADDRNOTAVAIL: 'PROBER_NO_SOCKET',
  EADDRINUSE: 'PROBER_NO_SOCKET',
  EAGAIN: 'PROBER_NO_SOCKET',
  // This host does not permit it: a firewall on OUTPUT, a seccomp profile, a missing capability.
  EACCES: 'PROBER_FORBIDDEN',
  EPERM: 'PROBER_FORBIDDEN',
  // This host has no network.
  ENETDOWN: 'PROBER_OFFLINE',
  EAFNOSUPPORT: 'PROBER_OFFLINE',
}

/** Errnos that mean PROBER_OFFLINE when this host has no address of the family at all. */
const OFFLINE_WITHOUT_ADDRESS: ReadonlySet<string> = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL'])

type Destination = { readonly address: string; readonly family: 4 | 6 }

/** The reason for a socket error before the connection is established; `hasNetwork`: whether this host has one for a destination. */
export function reasonOfSocketError(
  code: string | undefined,
  destination: Destination,
  hasNetwork: (destination: Destination) => boolean,
): Reason {
  if (code === undefined) return 'PROBER_FAULT'
  if (OFFLINE_WITHOUT_ADDRESS.has(code) && !hasNetwork(destination)) return 'PROBER_OFFLINE'
  return REASON_OF_ERRNO[code] ?? 'PROBER_FAULT'
}

/** The addresses of this host, and what socket errors mean on it. */
export class HostAddresses {
  #seenAt = Number.NEGATIVE_INFINITY
  #families: ReadonlySet<string> = new Set()

  /** The reason for a socket error before the connection is established. */
  reasonOf(code: string | undefined, destination: Destination): Reason {
    return reasonOfSocketError(code, destination, this.#hasNetwork)
  }

  /**
   * Whether an interface that is up and running has an address for this destination: any of the family for loopback
   * targets, else one that is neither loopback nor link-local. Read at most once per `HOST_ADDRESSES_CACHE_MS`, because
   * a host that lost its network asks for every probe. Where it cannot be read (that takes a descriptor), the last
   * reading counts; before the first one there is no network, and the target does not fail for it.
   */
  hasNetworkFor(
    destination: Destination,
    read: typeof networkInterfaces = networkInterfaces,
    nowMs = performance.now(),
  ): boolean {
    if (nowMs - this.#seenAt >= HOST_ADDRESSES_CACHE_MS) {
      this.#seenAt = nowMs
      try {
        this.#families = familiesOf(read())
      } catch {
        // No descriptor left.
      }
    }
    const loopback = destination.address.startsWith('127.') || destination.address === '::1'
    return this.#families.has(loopback ? `${destination.family} loopback` : `${destination.family}`)
  }

  readonly #hasNetwork = (destination: Destination): boolean => this.hasNetworkFor(destination)
}

function familiesOf(interfaces: ReturnType<typeof networkInterfaces>): ReadonlySet<string> {
  const families = new Set<string>()
  for (const addresses of Object.values(interfaces)) {
    for (const { address, family, internal } of addresses ?? []) {
      const version = family === 'IPv6' ? 6 : 4
      families.add(`${version} loopback`)
      const linkLocal = version === 6 ? address.startsWith('fe80:') : address.startsWith('169.254.')
      if (!internal && !linkLocal) families.add(`${version}`)
    }
  }
  return families
}
