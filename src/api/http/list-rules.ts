/** The rules of a dialect for lists: how a query is read, and which pages are linked. */
import type { DomainError } from '../../domain/errors.ts'
import type { ListQuery } from '../../store/configuration/lists.ts'
import type { PageRequest, Parameters } from './query.ts'

/** The list that a query string requests. */
export interface ListRequest extends Pick<ListQuery, 'filters' | 'sort' | 'nulls' | 'tagFilters'> {
  readonly page: PageRequest
  readonly fields: ReadonlySet<string> | undefined
}

/** The rules of one dialect. */
export interface ListRules {
  /** Throws INVALID_QUERY. */
  readonly parse: (parameters: Parameters, collection: { readonly name: string }) => ListRequest
  /** The same of a list without filters, whose order is given. Throws INVALID_QUERY. */
  readonly parsePage: (parameters: Parameters) => Pick<ListRequest, 'page' | 'fields'>
  /** The refusal of a marker that is no object of the list. */
  readonly unknownMarker: (resource: string, marker: string) => DomainError
  /** Which neighbours of a page are linked, in this order. */
  readonly neighbours: (shown: ShownPage) => readonly Neighbour[]
  /** Lists without links say so with an empty array. */
  readonly alwaysLinks: boolean
}

export interface Neighbour {
  readonly rel: 'next' | 'previous'
  /** Id of the last object before the neighbour, the first after it when `previous`. */
  readonly marker: string
}

export interface ShownPage {
  readonly parameters: Parameters
  readonly page: PageRequest
  readonly limit: number
  /** The query leaves nothing out, and the page has everything. */
  readonly complete: boolean
  /** The page ended before its limit, by its bytes: there is more in the direction in which it was read. */
  readonly isCut?: boolean
  readonly ids: readonly string[]
}
