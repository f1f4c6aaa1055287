/**
 * Options of a health monitor in a create and in an update: they win over the plain fields, and giving a field another value
 * clears its option. Which fields were sent is kept, since those win over a preset; what is sent again as it is shown is no
 * change.
 */
import { type MonitorOptions, mergeOptions, type OptionsPatch } from '../../domain/options/monitor-options.ts'
import { assertOptionsFit } from '../../domain/options/option-fit.ts'
import type { OptionSurroundings } from '../../domain/options/row-context.ts'
import { unmaskedOptions } from '../../domain/options/option-secrets.ts'
import { clearedBy, hasOptionOf, sentAfter, shownFields } from '../../domain/options/plain-fields.ts'
import type { HealthMonitor } from '../../domain/health-monitor.ts'
import type { PlainField } from '../../domain/types.ts'
import type { HealthMonitorChange, HealthMonitorDraft } from '../../store/configuration/health-monitors.ts'
import { differences } from './changes.ts'
import type { ApiSettings } from '../http/context.ts'

/** Absent = no change, null = none at all. */
export type SentOptions = OptionsPatch | null | undefined

type Settings = Pick<ApiSettings, 'sourceAddresses' | 'hasTlsFile' | 'patternProblem'>

/** Attributes of a body and the plain fields that they write. */
const FIELD_OF_ATTRIBUTE: Readonly<Record<string, PlainField>> = {
  delay: 'delaySeconds',
  timeout: 'timeoutSeconds',
  max_retries: 'rise',
  max_retries_down: 'fall',
  url_path: 'urlPath',
  http_method: 'httpMethod',
  http_version: 'httpVersion',
  domain_name: 'domainName',
  expected_codes: 'expectedCodes',
}

/** The plain fields of a body, and whether they have a value: null removes it. */
function writtenBy(wire: object): Map<PlainField, boolean> {
  const values = wire as Readonly<Record<string, unknown>>
  const written = Object.entries(FIELD_OF_ATTRIBUTE).flatMap(([attribute, field]): [PlainField, boolean][] =>
    values[attribute] === undefined ? [] : [[field, values[attribute] !== null]],
  )
  return new Map(written)
}

/** A draft with the options and the fields that were sent with it. Throws INVALID_FIELD. */
export function draftWithOptions(
  settings: Settings,
  wire: { readonly options?: SentOptions },
  draft: HealthMonitorDraft,
): HealthMonitorDraft {
  const options = wire.options === undefined ? null : unmasked(mergeOptions(null, wire.options), null)
  const sentFields = sentAfter({ options: null, sentFields: [] }, writtenBy(wire), options)
  const complete = { ...draft, options, sentFields }
  const shown = { ...complete, ...shownFields(complete) }
  if (options !== null) assertOptionsFit(shown, surroundings(settings))
  return shown
}

/** The differences of a change, with its options, from the stored monitor. Throws INVALID_FIELD. */
export function changeWithOptions(
  settings: Settings,
  wire: { readonly options?: SentOptions },
  { stored, change }: { readonly stored: HealthMonitor; readonly change: HealthMonitorChange },
): HealthMonitorChange {
  const sent = writtenBy(wire)
  const written = new Map(
    [...sent].filter(([field, hasValue]) => isWritten(field, hasValue, { stored, change })),
  )
  const kept = clearedBy(stored.options, [...written.keys()])
  const options =
    wire.options === undefined ? kept : unmasked(mergeOptions(kept, wire.options), stored.options)
  // Sent as it was shown, but a new preset would change it: then it counts as a change.
  const complete = { ...stored, ...change, options, sentFields: sentAfter(stored, written, options) }
  const shown = shownFields(complete)
  for (const [field, hasValue] of sent) {
    const isOverruled = field in shown && shown[field] !== complete[field]
    if (hasValue && isOverruled && !hasOptionOf(options, field)) written.set(field, true)
  }
  const sentFields = sentAfter(stored, written, options)
  const wanted = { ...change, options, sentFields }
  const values = differences(stored, { ...wanted, ...shownFields({ ...stored, ...wanted }) })
  if (values.options !== undefined || values.type !== undefined || values.httpMethod !== undefined) {
    assertOptionsFit({ ...stored, ...values }, surroundings(settings))
  }
  return values
}

/** Whether a field is given another value than it shows, or its value is taken away. */
function isWritten(
  field: PlainField,
  hasValue: boolean,
  { stored, change }: { readonly stored: HealthMonitor; readonly change: HealthMonitorChange },
): boolean {
  return hasValue ? change[field] !== undefined : stored[field] !== null
}

function unmasked(sent: MonitorOptions | null, stored: MonitorOptions | null): MonitorOptions | null {
  return sent === null ? null : unmaskedOptions(sent, stored)
}

function surroundings({ sourceAddresses = [], hasTlsFile, patternProblem }: Settings): OptionSurroundings {
  return {
    sourceAddresses,
    ...(hasTlsFile === undefined ? {} : { hasTlsFile }),
    ...(patternProblem === undefined ? {} : { patternProblem }),
  }
}
