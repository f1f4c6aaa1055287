/** Options of a health monitor in a create and in an update: they win over the plain fields, whose writing clears them. */
import { isDeepStrictEqual } from 'node:util'
import { type MonitorOptions, mergeOptions, type OptionsPatch } from '../domain/monitor-options.ts'
import { assertOptionsFit, type OptionSurroundings } from '../domain/option-fit.ts'
import { unmaskedOptions } from '../domain/option-secrets.ts'
import { clearedBy, type PlainField, shownFields } from '../domain/plain-fields.ts'
import type { HealthMonitor } from '../domain/types.ts'
import type { HealthMonitorChange, HealthMonitorDraft } from '../store/health-monitors.ts'
import type { ApiSettings } from './context.ts'

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

/** The plain fields that a body writes, also those that it sets to null. */
function writtenBy(wire: object): PlainField[] {
  return Object.entries(FIELD_OF_ATTRIBUTE).flatMap(([attribute, field]) =>
    (wire as Readonly<Record<string, unknown>>)[attribute] === undefined ? [] : [field],
  )
}

/** A draft with the options that were sent with it. Throws INVALID_FIELD. */
export function draftWithOptions(
  settings: Settings,
  sent: SentOptions,
  draft: HealthMonitorDraft,
): HealthMonitorDraft {
  const options = sent === undefined ? null : unmasked(mergeOptions(null, sent), null)
  if (options === null) return draft
  const complete = { ...draft, ...shownFields(options), options }
  assertOptionsFit(complete, surroundings(settings))
  return complete
}

/** What of a change, with the options that are sent with it, differs from what is stored. Throws INVALID_FIELD. */
export function changeWithOptions(
  settings: Settings,
  wire: { readonly options?: SentOptions },
  { stored, change }: { readonly stored: HealthMonitor; readonly change: HealthMonitorChange },
): HealthMonitorChange {
  const kept = clearedBy(stored.options, writtenBy(wire))
  const options =
    wire.options === undefined ? kept : unmasked(mergeOptions(kept, wire.options), stored.options)
  const isChanged = !isDeepStrictEqual(options, stored.options)
  const values = withoutUnchanged(stored, { ...change, ...shownFields(options) })
  if (isChanged || values.type !== undefined || values.httpMethod !== undefined) {
    assertOptionsFit({ ...stored, ...values, options }, surroundings(settings))
  }
  return isChanged ? { ...values, options } : values
}

function withoutUnchanged(stored: HealthMonitor, values: HealthMonitorChange): HealthMonitorChange {
  const changed = Object.entries(values).filter(
    ([key, value]) => !isDeepStrictEqual(value, stored[key as keyof HealthMonitor]),
  )
  return Object.fromEntries(changed) as HealthMonitorChange
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
