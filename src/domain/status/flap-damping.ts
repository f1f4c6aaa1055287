/**
 * Flap damping (the idea of Nagios): of the last `window` results, how many differ from the one before? From `high` per
 * cent on the target is flapping, at `low` and below it no longer is, once `holdMs` have passed. A flapping target that
 * is OFFLINE stays OFFLINE until it is steady. Going OFFLINE is never delayed.
 */
export interface FlapDamping {
  /** Results that are looked at: `FLAP_WINDOW`. */
  readonly window: number
  readonly highPercent: number
  readonly lowPercent: number
  /** Milliseconds that flapping lasts at least once it was noticed. */
  readonly holdMs: number
}

export interface FlapState {
  /** One bit per pair of results, the newest lowest: 1 = they differed. */
  readonly changes: number
  readonly lastPassed: boolean
  readonly isFlapping: boolean
  /** When flapping was noticed last, on the clock of the caller; 0 before. */
  readonly sinceMs: number
}

/** The flap state after one more conclusive result; the same object when nothing changed. */
export function flapAfter(
  damping: FlapDamping,
  state: FlapState | undefined,
  passed: boolean,
  atMs: number,
): FlapState {
  if (state === undefined) return { changes: 0, lastPassed: passed, isFlapping: false, sinceMs: 0 }
  const pairs = damping.window - 1
  const isChange = passed !== state.lastPassed
  const changes = ((state.changes << 1) | (isChange ? 1 : 0)) & (2 ** pairs - 1)
  const percent = (100 * countBits(changes)) / pairs
  const isHeld = state.isFlapping && atMs - state.sinceMs < damping.holdMs
  const isFlapping =
    percent >= damping.highPercent || (state.isFlapping && (isHeld || percent > damping.lowPercent))
  if (changes === state.changes && !isChange && isFlapping === state.isFlapping) return state
  return {
    changes,
    lastPassed: passed,
    isFlapping,
    sinceMs: isFlapping && !state.isFlapping ? atMs : state.sinceMs,
  }
}

function countBits(bits: number): number {
  let count = 0
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++
  return count
}
