/** Parameters that several resources of our own API have, with one meaning and one refusal each. */
import type { Range } from '../../domain/limits/range.ts'
import { isUuid } from '../../domain/uuid.ts'
import type { ApiContext } from '../http/context.ts'
import { invalidQuery, type Parameters, queryOf } from '../http/query.ts'

/**
 * The parameters of a request: only these, each of them once, and those of `repeatable` any number of times. Throws
 * INVALID_QUERY.
 */
export function knownParameters(
  ctx: Pick<ApiContext, 'querystring'>,
  once: readonly string[],
  repeatable: readonly string[] = [],
): Parameters {
  const parameters = queryOf(ctx)
  for (const name of parameters.keys()) {
    if (repeatable.includes(name)) continue
    if (!once.includes(name)) throw invalidQuery(`There is no parameter ${name.slice(0, 64)} here.`)
    if (parameters.getAll(name).length > 1) throw invalidQuery(`${name} may be sent once.`)
  }
  return parameters
}

/** The refusal of a marker whose object was deleted, or may not be seen. An empty page would say that there is no more. */
export function markerIsGone(): Error {
  return invalidQuery('There is nothing with the id of the marker: begin at the first page.')
}

/** The project in `project_id`, else the one of the identity; undefined = all, for administrators. Throws FORBIDDEN. */
export function projectOf(ctx: ApiContext, parameters: Parameters): string | undefined {
  const { inLists, authorise } = ctx.state.access
  const requested = parameters.get('project_id') ?? undefined
  if (requested !== undefined) authorise(requested)
  return requested ?? inLists
}

/** The id in a parameter, as the database spells it; undefined when it was not sent. Throws INVALID_QUERY. */
export function idOf(parameters: Parameters, name: string): string | undefined {
  const id = parameters.get(name)
  if (id === null) return undefined
  if (!isUuid(id)) throw invalidQuery(`${name} must be a UUID.`)
  return id.toLowerCase()
}

/** A whole number in a parameter; undefined when it was not sent. Throws INVALID_QUERY. */
export function numberOf(parameters: Parameters, name: string): number | undefined {
  const text = parameters.get(name)
  if (text === null) return undefined
  if (!/^\d{1,15}$/.test(text)) throw invalidQuery(`${name} must be a whole number from 0.`)
  return Number(text)
}

/** The value, when it is within its range. Throws INVALID_QUERY. */
export function inRange(value: number, name: string, { min, max }: Range): number {
  if (value < min || value > max) throw invalidQuery(`${name} must be from ${min} to ${max}.`)
  return value
}
