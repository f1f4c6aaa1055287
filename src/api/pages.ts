/** Answers of lists: one page of rendered objects, and links in Neutron's manner. */
import { notFound } from '../domain/errors.ts'
import { type ListQuery, UnknownMarkerError } from '../store/lists.ts'
import type { ApiContext, ApiDependencies } from './context.ts'
import { fieldsOf, filtersOf, type PageRequest, type Parameters, pageOf, queryOf, sortOf } from './query.ts'

export interface Collection<Item> {
  /** Name of the array: `healthmonitors`. */
  readonly name: string
  /** Name of one object in messages: `healthmonitor`. */
  readonly resource: string
  /** Attributes to filter by, and to sort by unless `sortable` says which. */
  readonly attributes: ReadonlySet<string>
  readonly sortable?: ReadonlySet<string>
  readonly read: (list: ListQuery) => Promise<Item[]>
  readonly render: (item: Item) => Record<string, unknown>
  /** Filters that the path implies: the members of one pool. */
  readonly within?: ListQuery['filters']
  /** Translates a filter value from the dialect's word. */
  readonly filterValue?: (attribute: string, value: string) => string
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Reads one page and answers it; a list without a limit ends at `pageMax` and then links to the rest. */
export async function answerList<Item extends { readonly id: string }>(
  ctx: ApiContext,
  deps: ApiDependencies,
  collection: Collection<Item>,
): Promise<void> {
  const parameters = queryOf(ctx)
  const page = pageOf(parameters)
  const limit = Math.min(page.limit ?? deps.settings.pageMax, deps.settings.pageMax)
  if (page.marker !== undefined && !UUID.test(page.marker))
    throw notFound(collection.resource, page.marker.slice(0, 255))
  const items = await readPage(collection, {
    projectId: ctx.state.identity.projectId,
    filters: [...translated(collection, parameters), ...(collection.within ?? [])],
    sort: sortOf(parameters, collection.sortable ?? collection.attributes),
    // One more than asked tells whether an unlimited list is complete.
    limit: page.limit === undefined ? limit + 1 : limit,
    ...(page.marker === undefined ? {} : { marker: page.marker }),
    reverse: page.reverse,
  })
  const shown = items.slice(0, limit)
  const complete = page.limit === undefined && items.length <= limit
  const links = complete
    ? []
    : linksOf(ctx, deps, { parameters, page, limit, ids: shown.map((item) => item.id) })
  const fields = fieldsOf(parameters)
  ctx.body = {
    [collection.name]: shown.map((item) => pick(collection.render(item), fields)),
    ...(links.length > 0 ? { [`${collection.name}_links`]: links } : {}),
  }
}

async function readPage<Item>(collection: Collection<Item>, list: ListQuery): Promise<Item[]> {
  try {
    return await collection.read(list)
  } catch (error) {
    if (error instanceof UnknownMarkerError) throw notFound(collection.resource, list.marker ?? '')
    throw error
  }
}

function translated<Item>(collection: Collection<Item>, parameters: Parameters): ListQuery['filters'] {
  const filters = filtersOf(parameters, collection.attributes)
  const { filterValue } = collection
  if (filterValue === undefined) return filters
  return filters.map(({ attribute, values }) => ({
    attribute,
    values: values.map((value) => filterValue(attribute, value)),
  }))
}

/** The object with only the wanted fields; unknown names are ignored. */
export function pick(
  object: Record<string, unknown>,
  fields: ReadonlySet<string> | undefined,
): Record<string, unknown> {
  if (fields === undefined) return object
  return Object.fromEntries(Object.entries(object).filter(([key]) => fields.has(key)))
}

export interface Link {
  readonly rel: 'next' | 'previous'
  readonly href: string
}

export interface ShownPage {
  readonly parameters: Parameters
  readonly page: PageRequest
  readonly limit: number
  readonly ids: readonly string[]
}

/**
 * Neutron's links (elb-api 1.0): `next` unless the page is short going forward, `previous` unless it is short going
 * back; so the first page has a `previous` and a full last page a `next` that leads to an empty page.
 */
export function linksOf(ctx: ApiContext, deps: ApiDependencies, shown: ShownPage): Link[] {
  const first = shown.ids[0]
  const last = shown.ids.at(-1)
  if (first === undefined || last === undefined) return []
  const short = shown.ids.length < shown.limit
  const links: Link[] = []
  if (!short || shown.page.reverse)
    links.push({ rel: 'next', href: href(ctx, deps, { shown, marker: last }) })
  if (shown.page.limit !== undefined && (!short || !shown.page.reverse)) {
    links.push({ rel: 'previous', href: href(ctx, deps, { shown, marker: first, reverse: true }) })
  }
  return links
}

function href(
  ctx: ApiContext,
  deps: ApiDependencies,
  to: { readonly shown: ShownPage; readonly marker: string; readonly reverse?: boolean },
): string {
  const parameters = new URLSearchParams(to.shown.parameters)
  parameters.delete('marker')
  parameters.delete('page_reverse')
  if (to.shown.page.limit === undefined) parameters.set('limit', String(to.shown.limit))
  parameters.append('marker', to.marker)
  if (to.reverse === true) parameters.append('page_reverse', 'True')
  return `${baseUrl(ctx, deps)}${ctx.state.mount}${ctx.path}?${parameters.toString()}`
}

/** Scheme and authority of links: HM_PUBLIC_URL, else what the client called. */
export function baseUrl(ctx: ApiContext, deps: ApiDependencies): string {
  return deps.settings.publicUrl ?? `${ctx.protocol}://${ctx.host}`
}
