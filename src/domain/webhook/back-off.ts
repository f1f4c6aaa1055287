/** When a delivery that failed is tried again. */
import type { Range } from '../limits.ts'

/**
 * Milliseconds until the next try after `failures` (from 1) in a row: the pause doubles from `min` to `max`, and
 * `random` (0 to 1) subtracts up to half of it, so that many webhooks are not tried at the same moment.
 */
export function backOffMs(failures: number, { min, max }: Range, random: number): number {
  const whole = Math.min(max, min * 2 ** Math.min(failures - 1, 30))
  return Math.round(whole * (1 - random / 2))
}
