/** Query strings of lists: which page, in which order, of what. What is not known is ignored, as Neutron ignores it. */
import { DomainError } from '../domain/errors.ts'
import { QUERY_VALUES_MAX } from '../domain/limits.ts'
import type { SortKey } from '../store/lists.ts'
import type { ApiContext } from './context.ts'

/** A query string as pairs; repeated parameters stay repeated. */
export type Parameters = URLSearchParams

/** Parses and bounds the query string. Throws INVALID_QUERY. */
export function queryOf(ctx: ApiContext): Parameters {
  const parameters = new URLSearchParams(ctx.querystring)
  if (parameters.size > QUERY_VALUES_MAX) {
    throw new DomainError('INVALID_QUERY', `A request may have at most ${QUERY_VALUES_MAX} query parameters.`)
  }
  for (const [name, value] of parameters) {
    if (name.includes('\0') || value.includes('\0')) {
      throw new DomainError('INVALID_QUERY', 'The query string contains a NUL character.')
    }
  }
  return parameters
}

export interface PageRequest {
  /** As asked; undefined when absent or 0 ("everything"). */
  readonly limit: number | undefined
  readonly marker: string | undefined
  readonly reverse: boolean
}

/** `limit`, `marker`, `page_reverse` by Neutron's rules: marker and direction count only together with a limit. */
export function pageOf(parameters: Parameters): PageRequest {
  const limit = limitOf(parameters)
  if (limit === undefined) return { limit, marker: undefined, reverse: false }
  return {
    limit,
    marker: parameters.get('marker') || undefined,
    reverse: parameters.get('page_reverse')?.toLowerCase() === 'true',
  }
}

function limitOf(parameters: Parameters): number | undefined {
  const text = parameters.get('limit')
  if (text === null || text === '') return undefined
  if (!/^\d{1,15}$/.test(text)) {
    throw new DomainError(
      'INVALID_QUERY',
      `Limit must be an integer 0 or greater and not '${text.slice(0, 64)}'`,
    )
  }
  const limit = Number(text)
  return limit === 0 ? undefined : limit
}

/** `sort_key` and `sort_dir`, repeatable, as many of one as of the other. Throws INVALID_QUERY. */
export function sortOf(parameters: Parameters, sortable: ReadonlySet<string>): SortKey[] {
  const keys = parameters.getAll('sort_key')
  const directions = parameters.getAll('sort_dir')
  if (keys.length !== directions.length) {
    throw new DomainError('INVALID_QUERY', 'The number of sort_keys and sort_dirs must be same')
  }
  const unknown = keys.filter((key) => !sortable.has(key))
  if (unknown.length > 0) {
    const names = unknown.map((key) => `'${key.slice(0, 64)}'`).join(', ')
    throw new DomainError('INVALID_QUERY', `[${names}] is invalid attribute for sort_keys`)
  }
  return keys.map((attribute, i) => {
    const direction = directions[i]?.toLowerCase()
    if (direction !== 'asc' && direction !== 'desc') {
      throw new DomainError('INVALID_QUERY', "Invalid input for sort_dir. Reason: must be 'asc' or 'desc'.")
    }
    return { attribute, direction }
  })
}

/** Filters on known attributes; repeated values are alternatives, empty values do not filter. */
export function filtersOf(
  parameters: Parameters,
  filterable: ReadonlySet<string>,
): { attribute: string; values: string[] }[] {
  const names = [...new Set(parameters.keys())].filter((name) => filterable.has(name))
  return names
    .map((attribute) => ({ attribute, values: parameters.getAll(attribute).filter((value) => value !== '') }))
    .filter((filter) => filter.values.length > 0)
}

/** The `fields` that the client wants of each object; undefined = all. */
export function fieldsOf(parameters: Parameters): ReadonlySet<string> | undefined {
  const fields = parameters.getAll('fields').filter((field) => field !== '')
  return fields.length > 0 ? new Set(fields) : undefined
}
