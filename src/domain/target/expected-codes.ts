/**
 * `expected_codes`: `200`, `200,202`, `200-204`, and lists of both (docs/peers/elb.md 4; Octavia allows a subset).
 * Codes are 100..599 (RFC 9110 section 15); white space around commas is allowed, as Neutron's expression allowed it.
 */
import { EXPECTED_CODES_MAX, HTTP_STATUS } from '../limits.ts'

export interface CodeRange {
  readonly from: number
  readonly to: number
}
export type CodeSet = readonly CodeRange[]

/** Codes `start` up to and excluding `end`, as Envoy writes ranges. */
export interface StatusRange {
  readonly start: number
  readonly end: number
}

const ITEM = /^(\d{3})(?:-(\d{3}))?$/

/** Parses an expression; undefined when it is not one, when a code is outside 100..599 or a range runs backwards. */
export function parseExpectedCodes(text: string): CodeSet | undefined {
  const ranges: CodeRange[] = []
  for (const item of text.split(',')) {
    const match = ITEM.exec(item.trim())
    if (match === null) return undefined
    const from = Number(match[1])
    const to = match[2] === undefined ? from : Number(match[2])
    if (from < HTTP_STATUS.min || to > HTTP_STATUS.max || to < from) return undefined
    ranges.push({ from, to })
  }
  return ranges
}

export function isExpectedCode(codes: CodeSet, status: number): boolean {
  for (const range of codes) if (status >= range.from && status <= range.to) return true
  return false
}

/** As people write it: `200,202-204`. */
export function renderCodes(codes: CodeSet): string {
  return codes.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(',')
}

/** As many of the ranges of an option as the plain field holds; null without any. */
export function codesField(ranges: readonly StatusRange[]): string | null {
  let shown = ''
  for (const { start, end } of ranges) {
    const last = end - 1
    const next = `${shown}${shown === '' ? '' : ','}${start === last ? start : `${start}-${last}`}`
    if (next.length > EXPECTED_CODES_MAX) break
    shown = next
  }
  return shown === '' ? null : shown
}
