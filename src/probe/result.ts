/** Builds results: the outcome comes from the reason's row, the detail is bounded and printable, times are relative. */
import { MAX_DETAIL_BYTES } from '../domain/limits.ts'
import { REASONS, type Reason } from '../domain/result/reasons.ts'
import type { Phases, ProbeResult } from '../domain/result/probe-result.ts'

/** A result for `reason`. `detail` is cut to `MAX_DETAIL_BYTES` of UTF-8 and loses its control characters. */
export function result(reason: Reason, detail: string, phases: Phases): ProbeResult {
  return { outcome: REASONS[reason].outcome, reason, detail: boundedDetail(detail), phases }
}

/** Milliseconds since `startedAt` (performance.now()), rounded to microseconds. */
export function millisecondsSince(startedAt: number): number {
  return Math.round((performance.now() - startedAt) * 1000) / 1000
}

const PLAIN = /^[\x20-\x7e]*$/
const CONTROLS = /[\p{Cc}\p{Cs}]/gu

/** `text` without control characters and lone surrogates, cut at a character boundary. */
export function boundedDetail(text: string): string {
  if (text.length <= MAX_DETAIL_BYTES && PLAIN.test(text)) return text
  const printable = text.replace(CONTROLS, '?')
  let bytes = 0
  let bounded = ''
  for (const character of printable) {
    bytes += Buffer.byteLength(character)
    if (bytes > MAX_DETAIL_BYTES) break
    bounded += character
  }
  return bounded
}
