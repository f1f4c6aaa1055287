/** Durations as Kuma reads and shows them (docs/peers/kuma.md 10): Go's text in, Go's or protobuf's text out. */

const NANOS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}
const SECOND = 1_000_000_000n
/** Of an int64. */
const MAX_NANOS = 2n ** 63n - 1n
const DURATION = /^([+-]?)((?:\d{1,19}(?:\.\d{0,19})?|\.\d{1,19})(?:ns|us|µs|μs|ms|s|m|h))+$/u
const PART = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/gu
/** Longer text is no duration: one of an int64 has less than 40 characters. */
const TEXT_MAX = 64

/** Nanoseconds of a duration such as `1m30s`, `1500ms`, `-1s` or `0`; undefined when it is none. */
export function parseDuration(text: string): bigint | undefined {
  if (text.length > TEXT_MAX) return undefined
  if (/^[+-]?0$/.test(text)) return 0n
  if (!DURATION.test(text)) return undefined
  let nanos = 0n
  for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(PART)) {
    const scale = NANOS[unit] ?? 0n
    nanos += BigInt(whole === '' ? '0' : whole) * scale
    if (fraction !== '') nanos += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length)
  }
  if (nanos > MAX_NANOS) return undefined
  return text.startsWith('-') ? -nanos : nanos
}

/** Milliseconds of a duration, rounded up; undefined when it is none. */
export function durationMs(text: string | undefined): number | undefined {
  const nanos = text === undefined ? undefined : parseDuration(text)
  if (nanos === undefined) return undefined
  const whole = nanos / 1_000_000n
  return Number(nanos > 0n && nanos % 1_000_000n !== 0n ? whole + 1n : whole)
}

/** As protobuf's JSON shows it: seconds with 0, 3, 6 or 9 digits, `1.500s`. */
export function protobufDuration(nanos: bigint): string {
  const sign = nanos < 0n ? '-' : ''
  const all = nanos < 0n ? -nanos : nanos
  const digits = String(all % SECOND).padStart(9, '0')
  const shown = digits.replace(/^(\d{3}(?:\d{3})??(?:\d{3})??)0*$/, (_, kept: string) => kept)
  const fraction = /^0*$/.test(digits) ? '' : `.${shown}`
  return `${sign}${all / SECOND}${fraction}s`
}

/** As Go shows it: `1m30s`, `1.5s`, `100ms`, `0s`. */
export function goDuration(nanos: bigint): string {
  if (nanos === 0n) return '0s'
  const sign = nanos < 0n ? '-' : ''
  const all = nanos < 0n ? -nanos : nanos
  if (all < SECOND) {
    const unit = all < 1_000n ? 'ns' : all < 1_000_000n ? 'µs' : 'ms'
    return `${sign}${decimal(all, NANOS[unit] ?? 1n)}${unit}`
  }
  const hours = all / 3_600_000_000_000n
  const minutes = (all / 60_000_000_000n) % 60n
  const seconds = `${decimal(all % 60_000_000_000n, SECOND)}s`
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}`
  return minutes > 0n ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`
}

/** A quotient by a power of ten, without zeros at its end. */
function decimal(nanos: bigint, unit: bigint): string {
  const digits = String(unit).length - 1
  const fraction =
    digits === 0
      ? ''
      : String(nanos % unit)
          .padStart(digits, '0')
          .replace(/0+$/, '')
  return `${nanos / unit}${fraction === '' ? '' : `.${fraction}`}`
}
