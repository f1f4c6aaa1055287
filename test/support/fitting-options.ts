/** Options that fit a monitor of a type: what the schema allows, made to agree with each other. */
import fc from 'fast-check'
import type { MonitorOptions } from '../../src/domain/options/monitor-options.ts'
import { assertOptionsFit } from '../../src/domain/options/option-fit.ts'
import type { OptionSurroundings } from '../../src/domain/options/row-context.ts'
import { TOP_ROWS } from '../../src/domain/options/table.ts'
import type { MonitorType } from '../../src/domain/types.ts'
import { patternProblem } from '../../src/probe/http/body-pattern.ts'
import { allowed } from './openapi-requests.ts'
import { optionsSchema } from '../../src/api/schema/option-schemas.ts'

export const SURROUNDINGS: OptionSurroundings = {
  sourceAddresses: ['127.0.0.2', '::1'],
  hasTlsFile: () => true,
  patternProblem,
}

type Loose = Record<string, unknown>

/** Every key of `options`, without null; secrets are masked only where their names say so. */
export function fittingOptions(type: MonitorType): fc.Arbitrary<MonitorOptions> {
  const hints = { source_address: fc.constantFrom('127.0.0.2', '::1') }
  return allowed(optionsSchema('patch'), hints)
    .map((sent) => fitted(type, withoutNulls(sent ?? {}) as Loose))
    .filter((options) => fits(type, options))
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]: [string, unknown]) => [key, withoutNulls(inner)]),
  )
}

function fitted(type: MonitorType, options: Loose): MonitorOptions {
  const result: Loose = { ...options }
  for (const row of TOP_ROWS) {
    if (!('rows' in row)) continue
    if (row.group.types?.includes(type) === false) delete result[row.name]
    const taken = row.rows.filter(({ types }) => types?.includes(type) !== false).map(({ key }) => key)
    keep(result, row.name, (key) => taken.includes(key))
  }
  if (result['grpc'] !== undefined) delete result['http']
  keep(result, 'udp', (each) => each !== 'min_reply_length')
  keep(result, 'flap', (key) => key === 'hold_ms')
  const { certificate, key } = (result['tls'] ?? {}) as Loose
  if (certificate === undefined || key === undefined) {
    keep(result, 'tls', (each) => each !== 'certificate' && each !== 'key')
  }
  if (result['http'] !== undefined) result['http'] = fittedHttp(type, result['http'] as Loose)
  const isHttp2 = result['grpc'] !== undefined || (result['http'] as Loose | undefined)?.['version'] === 'h2'
  if (isHttp2) keep(result, 'tls', (each) => each !== 'alpn')
  return result
}

function keep(options: Loose, group: string, isKept: (key: string) => boolean): void {
  if (options[group] === undefined) return
  options[group] = Object.fromEntries(Object.entries(options[group] as Loose).filter(([key]) => isKept(key)))
}

function fittedHttp(type: MonitorType, { body, ...http }: Loose): Loose {
  const ranges = Object.entries(http).filter(([key]) => key.endsWith('_statuses'))
  const ordered = ranges.map(([key, value]) => [
    key,
    (value as { start: number; end: number }[]).map(({ start, end }) => ({
      start,
      end: Math.max(start + 1, end),
    })),
  ])
  const { version, searched_body_bytes: _, ...rest } = { ...http, ...Object.fromEntries(ordered) } as Loose
  const isFitting = version !== (type === 'HTTP' ? 'h2' : 'h2c')
  return {
    ...rest,
    ...(isFitting && version !== undefined ? { version } : {}),
    ...(body === undefined ? {} : { body, method: 'POST' }),
  }
}

function fits(type: MonitorType, options: MonitorOptions): boolean {
  try {
    assertOptionsFit({ type, httpMethod: null, options }, SURROUNDINGS)
    return true
  } catch {
    return false
  }
}
