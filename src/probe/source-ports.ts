/** Which ports the kernel takes for connections that name none. */
import { readFileSync } from 'node:fs'
import { SOURCE_PORTS_CACHE_MS } from '../domain/limits.ts'

/** Ports below this are never chosen, whatever the sysctl says (net/ipv4/inet_connection_sock.c takes no reserved ports). */
const FIRST_UNPRIVILEGED_PORT = 1024

let readAt = Number.NEGATIVE_INFINITY
let first = FIRST_UNPRIVILEGED_PORT
let last = 65_535

/**
 * Whether the kernel may choose `port` as the source port of a connection: only then can a connection to it be one to
 * itself. Read again every SOURCE_PORTS_CACHE_MS; all unprivileged ports where it cannot be read (not Linux).
 */
export function mayBeSourcePort(port: number, nowMs = performance.now()): boolean {
  if (nowMs - readAt >= SOURCE_PORTS_CACHE_MS) {
    readAt = nowMs
    ;[first, last] = readRange()
  }
  return port >= first && port <= last
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
