/**
 * Connections that are connected to themselves: the kernel chose the target's own port as the source port of a connection
 * to one of its own addresses where nobody listens (TCP simultaneous open, RFC 9293 section 3.5; a datagram comes back to
 * its sender). About one in 28 000 probes of a closed local port in the ephemeral range would otherwise pass.
 */
import { readFileSync } from 'node:fs'
import { SOURCE_PORTS_CACHE_MS } from '../domain/limits.ts'

/** Detail of a probe whose connection is connected to itself. */
export const CONNECTED_TO_ITSELF = 'nobody listens: connected to itself'

/** The two ends of a connection; a `net.Socket` has them. */
export interface Ends {
  readonly localPort?: number | undefined
  readonly localAddress?: string | undefined
  readonly remoteAddress?: string | undefined
}

/** Whether the connection to `port` is one to itself. Addresses are read only where the ports are the same: that costs calls. */
export function isConnectedToItself(port: number, ends: Ends): boolean {
  return ends.localPort === port && ends.localAddress === ends.remoteAddress
}

/** Ports below this are never chosen, whatever the sysctl says (net/ipv4/inet_connection_sock.c takes no reserved ports). */
const FIRST_UNPRIVILEGED_PORT = 1024

/** Which ports the kernel takes for connections that name none. */
export class SourcePorts {
  #readAt = Number.NEGATIVE_INFINITY
  #first = FIRST_UNPRIVILEGED_PORT
  #last = 65_535

  /**
   * Whether the kernel may choose `port`: only then can a connection to it be connected to itself. Read again every
   * SOURCE_PORTS_CACHE_MS; all unprivileged ports where it cannot be read (not Linux).
   */
  includes(port: number, nowMs = performance.now()): boolean {
    const [first, last] = this.range(nowMs)
    return port >= first && port <= last
  }

  /** The first and the last of them; read again as above. */
  range(nowMs = performance.now()): readonly [first: number, last: number] {
    if (nowMs - this.#readAt >= SOURCE_PORTS_CACHE_MS) {
      this.#readAt = nowMs
      ;[this.#first, this.#last] = readRange()
    }
    return [this.#first, this.#last]
  }
}

function readRange(): readonly [number, number] {
  try {
    const text = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    const [from, to] = text.trim().split(/\s+/).map(Number)
    if (from !== undefined && to !== undefined && from > 0 && to >= from) return [from, to]
  } catch {
    // Not Linux, or no /proc.
  }
  return [FIRST_UNPRIVILEGED_PORT, 65_535]
}
