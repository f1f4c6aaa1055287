/**
 * Plain fields of a health monitor and the options that say the same more exactly. An option wins over its field, which
 * then shows what comes nearest to it in the field's own words; writing the field clears the option.
 */
import { EXPECTED_CODES_MAX, RETRIES } from './limits.ts'
import type { MonitorOptions, StatusRange } from './monitor-options.ts'
import type { HealthMonitor } from './types.ts'

export type PlainField =
  | 'delaySeconds'
  | 'timeoutSeconds'
  | 'rise'
  | 'fall'
  | 'urlPath'
  | 'httpMethod'
  | 'httpVersion'
  | 'domainName'
  | 'expectedCodes'

export type PlainFields = Pick<HealthMonitor, PlainField>

/** The option of each field: its key, or the keys of its group and of itself. */
const OPTION_OF: Readonly<
  Record<PlainField, keyof MonitorOptions | keyof NonNullable<MonitorOptions['http']>>
> = {
  delaySeconds: 'interval_ms',
  timeoutSeconds: 'timeout_ms',
  rise: 'rise',
  fall: 'fall',
  urlPath: 'path',
  httpMethod: 'method',
  httpVersion: 'version',
  domainName: 'host',
  expectedCodes: 'expected_statuses',
}

/** The options without those of the fields that are written; null when nothing is left. */
export function clearedBy(
  options: MonitorOptions | null,
  written: readonly PlainField[],
): MonitorOptions | null {
  if (options === null || written.length === 0) return options
  const keys = new Set<string>(written.map((field) => OPTION_OF[field]))
  const { http, ...others } = options
  const keptHttp = http === undefined ? [] : Object.entries(http).filter(([key]) => !keys.has(key))
  const kept = Object.fromEntries([
    ...Object.entries(others).filter(([key]) => !keys.has(key)),
    ...(keptHttp.length === 0 ? [] : [['http', Object.fromEntries(keptHttp)]]),
  ]) as MonitorOptions
  return Object.keys(kept).length === 0 ? null : kept
}

/** What the fields show of the options that win over them: whole seconds rounded up, at most ten results in a row. */
export function shownFields(options: MonitorOptions | null): Partial<PlainFields> {
  if (options === null) return {}
  const { interval_ms, timeout_ms, rise, fall, http = {} } = options
  return {
    ...(interval_ms === undefined ? {} : { delaySeconds: Math.ceil(interval_ms / 1000) }),
    ...(timeout_ms === undefined ? {} : { timeoutSeconds: Math.ceil(timeout_ms / 1000) }),
    ...(rise === undefined ? {} : { rise: Math.min(rise, RETRIES.max) }),
    ...(fall === undefined ? {} : { fall: Math.min(fall, RETRIES.max) }),
    ...(http.path === undefined ? {} : { urlPath: http.path }),
    ...(http.method === undefined ? {} : { httpMethod: http.method }),
    ...(http.version === undefined ? {} : { httpVersion: plainVersion(http.version) }),
    ...(http.host === undefined ? {} : { domainName: http.host }),
    ...((http.expected_statuses ?? []).length === 0
      ? {}
      : { expectedCodes: codes(http.expected_statuses ?? []) }),
  }
}

/** The field knows HTTP/1 only. */
function plainVersion(version: string): PlainFields['httpVersion'] {
  return version === '1.0' || version === '1.1' ? version : null
}

/** As many of the ranges as the field holds; null without any. */
function codes(ranges: readonly StatusRange[]): string | null {
  let shown = ''
  for (const { start, end } of ranges) {
    const last = end - 1
    const next = `${shown}${shown === '' ? '' : ','}${start === last ? start : `${start}-${last}`}`
    if (next.length > EXPECTED_CODES_MAX) break
    shown = next
  }
  return shown === '' ? null : shown
}
