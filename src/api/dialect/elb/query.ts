/** Which page of a list, and in which order, as Neutron reads query strings. What is not known is ignored. */
import { DomainError } from '../../../domain/errors.ts'
import type { SortKey } from '../../../store/configuration/lists.ts'
import type { PageRequest, Parameters } from '../../http/query.ts'

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
