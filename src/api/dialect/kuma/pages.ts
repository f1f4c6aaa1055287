/** Lists as Kuma's (docs/peers/kuma.md 3): `total`, `items`, and `next`, a URL with the offset of the next page. */
import { PAGE_MAX_BYTES } from '../../../domain/limits.ts'
import { PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from '../../../domain/kuma/limits.ts'
import type { Tags } from '../../../domain/kuma/objects.ts'
import { baseUrl } from '../../http/base-url.ts'
import type { ApiContext, ApiDependencies } from '../../http/context.ts'
import { JsonItems } from '../../http/json-body.ts'
import { queryOf } from '../../http/query.ts'
import { sharerOf } from '../../http/sharer.ts'
import { inSlices } from '../../http/slices.ts'
import { type Finding, NOT_VALID, refusal } from './findings.ts'
import type { Shown } from './render.ts'

export interface PageRequest {
  readonly offset: number
  /** Undefined = everything. */
  readonly size: number | undefined
}

export interface Filters {
  readonly name?: string
  readonly labels: Tags
}

const TITLE = 'Could not retrieve resources'

/** How the two generations say that a query is wrong. */
export interface PageWords {
  readonly format: string
  readonly tooLarge: (size: number) => string
  readonly offset: (sent: string) => { readonly details: string; readonly findings: readonly Finding[] }
}

export const OLD_WORDS: PageWords = {
  format: 'Invalid format',
  tooLarge: (size) => `Invalid page size of ${size}. Maximum page size is ${PAGE_SIZE_MAX}`,
  offset: () => ({
    details: 'Invalid offset',
    findings: [{ field: 'offset', message: 'Invalid format' }],
  }),
}

export const NEW_WORDS: PageWords = {
  format: 'invalid format',
  tooLarge: (size) => `invalid page size of ${size}. Maximum page size is ${PAGE_SIZE_MAX}`,
  offset: (sent) => ({
    details: `invalid: invalid offset: strconv.Atoi: parsing ${JSON.stringify(sent)}: invalid syntax`,
    findings: [],
  }),
}

/** The page that a query asks for. Throws INVALID_QUERY. */
export function pageOf(ctx: ApiContext, words: PageWords = OLD_WORDS): PageRequest {
  const parameters = queryOf(ctx)
  const size = parameters.get('size') ?? String(PAGE_SIZE_DEFAULT)
  const offset = parameters.get('offset') ?? '0'
  if (!NUMBER.test(size)) throw badSize(words.format)
  if (!NUMBER.test(offset))
    throw refusal('INVALID_QUERY', { title: TITLE, ...words.offset(offset.slice(0, 64)) })
  if (Number(size) > PAGE_SIZE_MAX) throw badSize(words.tooLarge(Number(size)))
  return { offset: Number(offset), size: Number(size) === 0 ? undefined : Number(size) }
}

const NUMBER = /^\d{1,9}$/

function badSize(message: string) {
  const findings = [{ field: 'size', message }]
  return refusal('INVALID_QUERY', { title: TITLE, details: 'Invalid page size', findings })
}

/** The filters of a query: a part of the name, and labels. `path` is the pattern of the route, for the refusal. */
export function filtersOf(ctx: ApiContext, path: string): Filters {
  const parameters = queryOf(ctx)
  // Not an object: a label may be called as what every object has.
  const labels = new Map<string, string>()
  const findings: Finding[] = []
  for (const [name, value] of parameters) {
    const label = /^filter\[labels\.(.+)\]$/s.exec(name)?.[1]
    if (label !== undefined) labels.set(label, value)
    else if (name.startsWith('filter['))
      findings.push({ field: `${path}.${name}`, message: 'filters are only supported on labels' })
  }
  if (findings.length > 0) throw refusal('INVALID_QUERY', { title: TITLE, details: NOT_VALID, findings })
  const part = parameters.get('name')
  return { labels: Object.fromEntries(labels), ...(part === null || part === '' ? {} : { name: part }) }
}

/** A page of rows: how many there are in all, and from which on these are. */
export interface RowsOfPage<Row> {
  readonly total: number
  readonly offset: number
  readonly rows: readonly Row[]
  readonly render: (row: Row) => Shown
}

/** Answers a page. One of too many bytes ends earlier, and its `next` begins there. */
export async function answerPage<Row>(
  ctx: ApiContext,
  deps: ApiDependencies,
  { total, offset, rows, render }: RowsOfPage<Row>,
): Promise<void> {
  const texts: string[] = []
  let room = PAGE_MAX_BYTES
  await inSlices(sharerOf(ctx.state.identity), rows, (row) => {
    const text = JSON.stringify(render(row))
    room -= Buffer.byteLength(text) + 1
    if (room < 0 && texts.length > 0) return false
    texts.push(text)
    return true
  })
  const end = offset + texts.length
  ctx.body = {
    total,
    items: new JsonItems(texts),
    next: end < total && texts.length > 0 ? nextUrl(ctx, deps, { offset: end, size: texts.length }) : null,
  }
}

function nextUrl(
  ctx: ApiContext,
  deps: ApiDependencies,
  { offset, size }: { readonly offset: number; readonly size: number },
): string {
  const parameters = new URLSearchParams(ctx.querystring)
  parameters.set('offset', String(offset))
  const asked = Number(parameters.get('size') ?? PAGE_SIZE_DEFAULT)
  parameters.set('size', String(asked === 0 ? size : asked))
  parameters.sort()
  return `${baseUrl(ctx, deps)}${ctx.state.mount}${ctx.path}?${parameters.toString()}`
}

/** A page of what is in memory. */
export function sliceOf<Row>(all: readonly Row[], { offset, size }: PageRequest): readonly Row[] {
  return all.slice(offset, size === undefined ? undefined : offset + size)
}
