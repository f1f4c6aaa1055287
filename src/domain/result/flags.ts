/** What a passing target reports about itself, packed into one small number per check. */

export interface Flags {
  readonly degraded: boolean
  readonly warning: boolean
  readonly draining: boolean
}

const DEGRADED = 1
const WARNING = 2
const DRAINING = 4

/** 0..7. */
export function packFlags({ degraded, warning, draining }: Flags): number {
  return (degraded ? DEGRADED : 0) | (warning ? WARNING : 0) | (draining ? DRAINING : 0)
}

/** The reverse of `packFlags`; other bits mean nothing. */
export function unpackFlags(packed: number): Flags {
  return {
    degraded: (packed & DEGRADED) !== 0,
    warning: (packed & WARNING) !== 0,
    draining: (packed & DRAINING) !== 0,
  }
}
