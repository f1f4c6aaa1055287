/**
 * Maintenance: a time for which a member, a pool or a monitor is worked on. Probing goes on and counts, but no
 * transition is published: the published status stays, and the end publishes the status at that time. Begin and end
 * need no write: readers compare the times with a wall clock.
 */

/** As it is stored and sent: RFC 3339; `end` null = until it is removed. */
export interface Maintenance {
  readonly start: string
  readonly end: string | null
  readonly note: string
}

/** Of what a maintenance of a check is. */
export type MaintainedKind = 'member' | 'pool' | 'healthmonitor'

/** A maintenance that concerns a member, now or later. */
export interface MemberMaintenance extends Maintenance {
  readonly of: MaintainedKind
  /** Whether it lasts at the time at which it was asked for. */
  readonly active: boolean
}

/** Milliseconds of the wall clock; `endMs` is infinite where there is no end. */
export interface MaintenanceWindow {
  readonly startMs: number
  readonly endMs: number
}

export function windowOf({ start, end }: Maintenance): MaintenanceWindow {
  return { startMs: Date.parse(start), endMs: end === null ? Number.POSITIVE_INFINITY : Date.parse(end) }
}

/** Whether one of the windows lasts: from its start up to, not including, its end. */
export function isMaintained(windows: readonly MaintenanceWindow[] | undefined, wallMs: number): boolean {
  if (windows === undefined) return false
  for (const { startMs, endMs } of windows) if (startMs <= wallMs && wallMs < endMs) return true
  return false
}

/** Those that last or are to come, by their start. */
export function maintenanceAt(
  all: Readonly<Partial<Record<MaintainedKind, Maintenance | null>>>,
  wallMs: number,
): readonly MemberMaintenance[] {
  const kinds = ['member', 'pool', 'healthmonitor'] as const
  return kinds
    .flatMap((of) => {
      const maintenance = all[of]
      if (maintenance === undefined || maintenance === null) return []
      const window = windowOf(maintenance)
      return window.endMs <= wallMs ? [] : [{ ...maintenance, of, active: isMaintained([window], wallMs) }]
    })
    .sort((a, b) => Date.parse(a.start) - Date.parse(b.start))
}
