/** How many probes may be in flight: every one holds a descriptor, and the prober needs some for itself. */
import { readFileSync } from 'node:fs'
import {
  DESCRIPTOR_RESERVE,
  HALF_OPEN_PORTS,
  IDLE_CONNECTIONS_MAX,
  IN_FLIGHT_MAX,
  IDLE_KERNEL_SOCKETS_MAX,
} from '../../domain/limits.ts'

/** Probes in flight that the soft limit of open files leaves room for beside `idle` connections and sockets, 1..IN_FLIGHT_MAX. */
export function probeBudget(softLimit = descriptorLimit(), idle = 0): number {
  return Math.max(1, Math.min(IN_FLIGHT_MAX, softLimit - DESCRIPTOR_RESERVE - idle))
}

/** Connections that may be idle between probes: what the probes in flight leave, and half of a small limit. */
export function idleConnectionBudget(softLimit = descriptorLimit()): number {
  const usable = Math.max(0, softLimit - DESCRIPTOR_RESERVE)
  return Math.min(IDLE_CONNECTIONS_MAX, Math.max(Math.floor(usable / 2), usable - IN_FLIGHT_MAX))
}

/** Idle sockets of TCP probes: a small part, as they only save time. */
export function idleSocketBudget(softLimit = descriptorLimit()): number {
  return Math.min(IDLE_KERNEL_SOCKETS_MAX, Math.floor(Math.max(0, softLimit - DESCRIPTOR_RESERVE) / 8))
}

/** Whether the source ports of half-open probes may have their descriptors: a quarter of what probes have, at most. */
export function hasRoomForPorts(softLimit = descriptorLimit()): boolean {
  return softLimit - DESCRIPTOR_RESERVE >= 4 * HALF_OPEN_PORTS
}

/** The soft limit of open files of this process; where it cannot be read (not Linux), macOS's default of 256. */
export function descriptorLimit(): number {
  try {
    const line = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    const wanted = IN_FLIGHT_MAX + IDLE_CONNECTIONS_MAX + DESCRIPTOR_RESERVE
    return line === 'unlimited' ? wanted : Number(line ?? 256)
  } catch {
    return 256
  }
}
