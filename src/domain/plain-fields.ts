/**
 * Plain fields of a health monitor and the options that say the same more exactly. An option wins over its field, which
 * then shows what comes nearest to it in the field's own words; giving the field another value clears the option. A field
 * that was sent wins over the preset; one that was not shows what the preset says, or else the default of the dialect.
 */
import { EXPECTED_CODES_MAX, RETRIES } from './limits.ts'
import type { MonitorOptions, StatusRange } from './monitor-options.ts'
import { presetManners } from './presets.ts'
import { type HealthMonitor, PLAIN_FIELDS, type PlainField } from './types.ts'

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

/** Whether somebody sent a field. Where that is not kept (a monitor that is made for one probe) all were that have a value. */
export function isSent(
  { sentFields }: Partial<Pick<HealthMonitor, 'sentFields'>>,
  field: PlainField,
): boolean {
  return sentFields === undefined || sentFields.includes(field)
}

/** Whether options say what the field says. */
export function hasOptionOf(options: MonitorOptions | null, field: PlainField): boolean {
  const key = OPTION_OF[field]
  const { http, ...others } = options ?? {}
  return key in others || (http !== undefined && key in http)
}

/**
 * The fields that count as sent after a change: `written` has those that it gives a value (true) or takes it from (false).
 * An option that is removed leaves its field as it was shown, which is as good as sent.
 */
export function sentAfter(
  before: Pick<HealthMonitor, 'options' | 'sentFields'>,
  written: ReadonlyMap<PlainField, boolean>,
  options: MonitorOptions | null,
): readonly PlainField[] {
  return PLAIN_FIELDS.filter((field) => {
    const isOptionGone = hasOptionOf(before.options, field) && !hasOptionOf(options, field)
    return written.get(field) ?? (isOptionGone || before.sentFields.includes(field))
  })
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

/** What the fields show that do not have a value of their own: that of an option, or of the preset. */
export function shownFields(
  monitor: Pick<HealthMonitor, 'type' | 'profile' | 'options' | 'sentFields'>,
): Partial<PlainFields> {
  const { type, profile, options } = monitor
  const isHttp = type === 'HTTP' || type === 'HTTPS'
  const { expectedStatuses } = presetManners(options?.preset ?? profile)
  return {
    ...(isHttp && !isSent(monitor, 'expectedCodes') ? { expectedCodes: codes(expectedStatuses) } : {}),
    ...fieldsOfOptions(options),
  }
}

/** Whole seconds rounded up, at most ten results in a row. */
function fieldsOfOptions(options: MonitorOptions | null): Partial<PlainFields> {
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
