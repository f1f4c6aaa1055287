/** How many probes may be in flight: every one holds a descriptor, and the prober needs some for itself. */
import { readFileSync } from 'node:fs'
import { DESCRIPTOR_RESERVE, IN_FLIGHT_MAX } from '../domain/limits.ts'

/** Probes in flight that the soft limit of open files leaves room for, 1..IN_FLIGHT_MAX. */
export function probeBudget(softLimit = descriptorLimit()): number {
  return Math.max(1, Math.min(IN_FLIGHT_MAX, softLimit - DESCRIPTOR_RESERVE))
}

/** The soft limit of open files of this process; where it cannot be read (not Linux), macOS's default of 256. */
export function descriptorLimit(): number {
  try {
    const line = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return line === 'unlimited' ? IN_FLIGHT_MAX + DESCRIPTOR_RESERVE : Number(line ?? 256)
  } catch {
    return 256
  }
}
