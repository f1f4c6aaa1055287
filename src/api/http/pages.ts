/** Answers of lists: one page of rendered objects, and links to its neighbours, by the rules of the dialect. */
import { PAGE_MAX_BYTES } from '../../domain/limits.ts'
import { isUuid } from '../../domain/uuid.ts'
import { type ListQuery, type Page, UnknownMarkerError } from '../../store/configuration/lists.ts'
import type { VersionedList } from '../../store/configuration/versioned-rows.ts'
import { baseUrl } from './base-url.ts'
import type { ApiContext, ApiDependencies } from './context.ts'
import { JsonItems, jsonOfItem } from './json-body.ts'
import type { ShownPage } from './list-rules.ts'
import { type Parameters, queryOf } from './query.ts'
import { sharerOf } from './sharer.ts'
import { inSlices } from './slices.ts'
import { type RenderedPage, versionedPage } from './versioned-page.ts'

export interface Collection<Item> {
  /** Name of the array: `healthmonitors`. */
  readonly name: string
  /** Name of one object in messages: `healthmonitor`. */
  readonly resource: string
  readonly read: (list: ListQuery) => Promise<Page<Item>>
  /** The same list by versions: its whole rows are rendered once, and kept as text. */
  readonly versioned?: VersionedList<Item>
  /** With `versioned` always the same function. */
  readonly render: (item: Item) => Record<string, unknown>
  /** Of the page and its filters; absent = all of the request. */
  readonly parameters?: Parameters
  /** Filters that the path implies: the members of one pool. */
  readonly within?: ListQuery['filters']
  /** Translates a filter value from the dialect's word. */
  readonly filterValue?: (attribute: string, value: string) => string
}

/** Reads one page and answers it; a list without a limit ends at `pageMax` and then links to the rest. */
export async function answerList<Item extends { readonly id: string }>(
  ctx: ApiContext,
  deps: ApiDependencies,
  collection: Collection<Item>,
): Promise<void> {
  const rules = ctx.state.dialect.lists
  const parameters = collection.parameters ?? queryOf(ctx)
  const { page, fields, filters, ...order } = rules.parse(parameters, collection)
  const limit = Math.min(page.limit ?? deps.settings.pageMax, deps.settings.pageMax)
  if (page.marker !== undefined && !isUuid(page.marker)) {
    throw rules.unknownMarker(collection.resource, page.marker.slice(0, 255))
  }
  const { byId, inLists, authorise } = ctx.state.access
  // Where another project's objects are unknown, its lists are empty.
  if (byId === undefined) {
    for (const filter of filters) if (filter.attribute === 'project_id') filter.values.forEach(authorise)
  }
  const list: ListQuery = {
    ...order,
    ...(inLists === undefined ? {} : { projectId: inLists }),
    filters: [...translated(collection, filters), ...(collection.within ?? [])],
    // One more row than requested shows whether an unlimited list is complete.
    limit: page.limit === undefined ? limit + 1 : limit,
    ...(page.marker === undefined ? {} : { marker: page.marker }),
    reverse: page.reverse,
  }
  const { found, texts, shown, isCut } = await pageOf(ctx, collection, { list, shown: limit, fields })
  const complete = page.limit === undefined && found <= limit && !isCut
  const links = linksOf(ctx, deps, {
    parameters,
    page,
    limit,
    complete,
    isCut,
    ids: shown.map(({ id }) => id),
  })
  ctx.body = {
    [collection.name]: new JsonItems(texts),
    ...(links.length > 0 || rules.alwaysLinks ? { [`${collection.name}_links`]: links } : {}),
  }
}

interface AskedPage {
  readonly list: ListQuery
  /** Of the rows that are found, so many are shown. */
  readonly shown: number
  readonly fields: ReadonlySet<string> | undefined
}

async function pageOf<Item extends { readonly id: string }>(
  ctx: ApiContext,
  { resource, read, versioned, render }: Collection<Item>,
  { list, shown, fields }: AskedPage,
): Promise<RenderedPage<{ readonly id: string }>> {
  try {
    if (versioned !== undefined && fields === undefined)
      return await versionedPage(ctx, { list, shown, source: versioned, render })
    return await renderedPage(ctx, {
      ...list,
      shown,
      read: () => read(list),
      render: (item) => pick(render(item), fields),
    })
  } catch (error) {
    if (!(error instanceof UnknownMarkerError)) throw error
    throw ctx.state.dialect.lists.unknownMarker(resource, list.marker ?? '')
  }
}

export interface PageToRender<Item> {
  /** Rows that are read at most, and of them those that are shown. */
  readonly limit: number
  readonly shown: number
  readonly reverse: boolean
  readonly read: () => Promise<Page<Item>>
  readonly render: (item: Item) => object
}

/** Reads a page and renders it as JSON; a large page waits until few others are being read and rendered. */
export async function renderedPage<Item>(
  ctx: ApiContext,
  { limit, shown: most, reverse, read, render }: PageToRender<Item>,
): Promise<RenderedPage<Item>> {
  const { admission, identity } = ctx.state
  return await admission.page(sharerOf(identity), limit, async () => {
    const rows = await read()
    const page = reverse ? rows.slice(-most) : rows.slice(0, most)
    const { texts, shown } = await rendered(ctx, page, { render, reverse })
    return { found: rows.length, texts, shown, isCut: shown.length < page.length || rows.isCut === true }
  })
}

/** Renders rows as JSON in slices, until they have PAGE_MAX_BYTES: the first object that was read is always shown. */
async function rendered<Item>(
  ctx: ApiContext,
  items: readonly Item[],
  { render, reverse }: { readonly render: (item: Item) => object; readonly reverse: boolean },
): Promise<{ readonly texts: readonly string[]; readonly shown: readonly Item[] }> {
  let room = PAGE_MAX_BYTES
  const texts: string[] = []
  await inSlices(sharerOf(ctx.state.identity), reverse ? items.toReversed() : items, (item) => {
    const text = jsonOfItem(render(item))
    room -= Buffer.byteLength(text) + 1
    if (room < 0 && texts.length > 0) return false
    texts.push(text)
    return true
  })
  if (!reverse) return { texts, shown: items.slice(0, texts.length) }
  return { texts: texts.reverse(), shown: items.slice(items.length - texts.length) }
}

function translated<Item>(
  { filterValue }: Collection<Item>,
  filters: ListQuery['filters'],
): ListQuery['filters'] {
  if (filterValue === undefined) return filters
  return filters.map(({ attribute, values }) => ({
    attribute,
    values: values.map((value) => filterValue(attribute, value)),
  }))
}

/** The object with only the requested fields; unknown names are ignored. */
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

/** Links to the neighbours of a page that the dialect names; everything else of the query stays as it was. */
export function linksOf(ctx: ApiContext, deps: ApiDependencies, shown: ShownPage): Link[] {
  return ctx.state.dialect.lists.neighbours(shown).map(({ rel, marker }) => {
    const parameters = new URLSearchParams(shown.parameters)
    parameters.delete('marker')
    parameters.delete('page_reverse')
    if (shown.page.limit === undefined) parameters.set('limit', String(shown.limit))
    parameters.append('marker', marker)
    if (rel === 'previous') parameters.append('page_reverse', 'True')
    // `sort=name:desc` stays readable.
    const query = parameters.toString().replaceAll('%3A', ':').replaceAll('%2C', ',')
    return { rel, href: `${baseUrl(ctx, deps)}${ctx.state.mount}${ctx.path}?${query}` }
  })
}
