/** Times and counts in words for people. */

const UNITS = [
  { ms: 86_400_000, name: 'd' },
  { ms: 3_600_000, name: 'h' },
  { ms: 60_000, name: 'min' },
  { ms: 1000, name: 's' },
] as const

/** `4 min`; the largest unit of which there is one, and the next smaller one below ten of it: `1 h 20 min`. */
export function duration(ms: number): string {
  const at = UNITS.findIndex((unit) => ms >= unit.ms)
  const unit = UNITS[at]
  if (unit === undefined) return '0 s'
  const count = Math.floor(ms / unit.ms)
  const smaller = UNITS[at + 1]
  const rest = smaller === undefined ? 0 : Math.floor((ms % unit.ms) / smaller.ms)
  return count >= 10 || rest === 0 || smaller === undefined
    ? `${count} ${unit.name}`
    : `${count} ${unit.name} ${rest} ${smaller.name}`
}

/** `3 min ago`; clocks of two hosts may differ a little. */
export function ago(time: string | null, nowMs: number): string {
  return time === null ? '' : `${duration(Math.max(0, nowMs - Date.parse(time)))} ago`
}

/** `2026-11-30 15:04:05` in the zone of this host. */
export function localTime(time: string | number): string {
  const date = new Date(time)
  const two = (n: number) => String(n).padStart(2, '0')
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** `1 pool`, `2 pools`. */
export function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`
}

/** When a maintenance ends. */
export function endOf(end: string | null): string {
  return end === null ? 'until it is ended' : `until ${localTime(end)}`
}
