/** Uptimes in words. */

/** Never rounded up to 100 %: what was OFFLINE for a moment was not always ONLINE. */
export function percentOf(share: number, digits = 3): string {
  if (share === 1) return '100 %'
  const unit = 10 ** digits
  return `${(Math.floor(share * 100 * unit + 1e-6) / unit).toFixed(digits)} %`
}

/** Of windows, by their hours. */
export const WINDOW_NAMES: Readonly<Record<number, string>> = {
  24: '24 hours',
  168: '7 days',
  720: '30 days',
  2160: '90 days',
}
