/** Times in words. */

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const

/** The two largest units of a duration: `3 min 20 s`, `2 d 4 h`. */
export function durationOf(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const at = UNITS.findIndex(([, size]) => whole >= size)
  if (at < 0) return '0 s'
  const [unit, size] = UNITS[at] ?? ['s', 1]
  const next = UNITS[at + 1]
  const rest = next === undefined ? 0 : Math.floor((whole % size) / next[1])
  return `${Math.floor(whole / size)} ${unit}${next === undefined || rest === 0 ? '' : ` ${rest} ${next[0]}`}`
}

/** How long ago, to the largest unit: `3 min`. */
export function agoOf(at: string, nowMs: number): string {
  return durationOf((nowMs - Date.parse(at)) / 1000).replace(/^(\d+ \w+).*/, '$1')
}

/** Milliseconds, with three digits at most. */
export function millisecondsOf(ms: number): string {
  // Bounds are where rounding gives one digit more.
  if (ms >= 999.5) return `${(ms / 1000).toPrecision(3)} s`
  if (ms >= 99.95) return `${Math.round(ms)} ms`
  return `${ms < 9.995 ? ms.toFixed(2) : ms.toFixed(1)} ms`
}

const SECONDS = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

/** In the reader's zone and manner. */
export const dateOf = (at: string): string => SECONDS.format(Date.parse(at))

/** Numbers with their thousands apart. */
export const numberOf = (value: number): string => value.toLocaleString()
