/**
 * Plain fields of a health monitor and the options with the same meaning but more precision. An option wins over its
 * field, which then shows the nearest value that it can; a new value of the field clears the option. A field that was
 * sent wins over the preset; one that was not shows the preset's value, or else the default of the dialect.
 */
import { codesField } from '../target/expected-codes.ts'
import type { MonitorOptions } from './monitor-options.ts'
import { OPTION_ROWS, valueIn } from './table.ts'
import { presetBehaviour } from './presets.ts'
import type { HealthMonitor } from '../health-monitor.ts'
import { PLAIN_FIELDS, type PlainField } from '../types.ts'

export type PlainFields = Pick<HealthMonitor, PlainField>

/** The options that say what a plain field says. */
const FIELD_ROWS = OPTION_ROWS.flatMap((row) =>
  row.option.field === undefined ? [] : [{ row, ...row.option.field }],
)

/**
 * Whether a client sent a field. Where that is not stored (a monitor for a single probe), fields with a value count as
 * sent.
 */
export function isSent(
  { sentFields }: Partial<Pick<HealthMonitor, 'sentFields'>>,
  field: PlainField,
): boolean {
  return sentFields === undefined || sentFields.includes(field)
}

/** Whether options say what the field says. */
export function hasOptionOf(options: MonitorOptions | null, field: PlainField): boolean {
  return FIELD_ROWS.some(({ row, name }) => name === field && valueIn(options, row) !== undefined)
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
  const cleared = FIELD_ROWS.filter(({ name }) => written.includes(name)).map(({ row }) => row.path)
  const { http, ...others } = options
  const keptHttp = Object.entries(http ?? {}).filter(([key]) => !cleared.includes(`http.${key}`))
  const kept = Object.fromEntries([
    ...Object.entries(others).filter(([key]) => !cleared.includes(key)),
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
  const { expectedStatuses } = presetBehaviour(options?.preset ?? profile)
  return {
    ...(isHttp && !isSent(monitor, 'expectedCodes') ? { expectedCodes: codesField(expectedStatuses) } : {}),
    ...fieldsOfOptions(options),
  }
}

/** As the options show in the words of the fields: whole seconds rounded up, at most ten results in a row. */
function fieldsOfOptions(options: MonitorOptions | null): Partial<PlainFields> {
  const shown = FIELD_ROWS.flatMap(({ row, name, shows }) => {
    const given = valueIn(options, row)
    const value = given === undefined ? undefined : shows(given)
    return value === undefined ? [] : [[name, value]]
  })
  return Object.fromEntries(shown) as Partial<PlainFields>
}
