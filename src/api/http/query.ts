/** Query strings: bounded, then parsed. The dialect decides how the parameters of pages and sorting are read. */
import type { Context } from 'koa'
import { DomainError } from '../../domain/errors.ts'
import { QUERY_VALUES_MAX } from '../../domain/limits.ts'

/** A query string as pairs; repeated parameters stay repeated. */
export type Parameters = URLSearchParams

/** Parses and bounds the query string. Throws INVALID_QUERY. */
export function queryOf(ctx: Pick<Context, 'querystring'>): Parameters {
  const parameters = new URLSearchParams(ctx.querystring)
  if (parameters.size > QUERY_VALUES_MAX) {
    throw invalidQuery(`A request may have at most ${QUERY_VALUES_MAX} query parameters.`)
  }
  for (const [name, value] of parameters) {
    if (name.includes('\0') || value.includes('\0')) {
      throw invalidQuery('The query string contains a NUL character.')
    }
  }
  return parameters
}

export function invalidQuery(message: string): DomainError {
  return new DomainError('INVALID_QUERY', message)
}

export interface PageRequest {
  /** As it was sent; undefined when absent or 0 ("everything"). */
  readonly limit: number | undefined
  readonly marker: string | undefined
  readonly reverse: boolean
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

/** The `fields` that the client requests of each object; undefined = all. */
export function fieldsOf(parameters: Parameters): ReadonlySet<string> | undefined {
  const fields = parameters.getAll('fields').filter((field) => field !== '')
  return fields.length > 0 ? new Set(fields) : undefined
}
