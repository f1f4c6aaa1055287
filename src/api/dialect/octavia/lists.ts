/** Lists as Octavia answers them (docs/peers/octavia.md 24): attributes and tags filter, unknown keys are refused. */
import { DomainError } from '../../../domain/errors.ts'
import type { SortKey, TagFilter } from '../../../store/configuration/lists.ts'
import type { ListRequest, ListRules, Neighbour, ShownPage } from '../../http/list-rules.ts'
import { fieldsOf, type PageRequest, type Parameters } from '../../http/query.ts'
import { isYes } from './schema/wsme.ts'

const COMMON = [
  'id',
  'name',
  'project_id',
  'admin_state_up',
  'provisioning_status',
  'operating_status',
  'created_at',
  'updated_at',
]

/** Attributes that lists filter and sort by, by the name of the list. */
export const OCTAVIA_LIST_ATTRIBUTES: Readonly<Record<string, ReadonlySet<string>>> = {
  loadbalancers: new Set([
    ...COMMON,
    'description',
    'provider',
    'vip_address',
    'vip_port_id',
    'vip_subnet_id',
    'vip_network_id',
    'flavor_id',
    'availability_zone',
  ]),
  listeners: new Set([
    ...COMMON,
    'description',
    'loadbalancer_id',
    'default_pool_id',
    'protocol',
    'protocol_port',
    'connection_limit',
  ]),
  pools: new Set([
    ...COMMON,
    'description',
    'loadbalancer_id',
    'healthmonitor_id',
    'protocol',
    'lb_algorithm',
  ]),
  members: new Set([
    ...COMMON,
    'address',
    'protocol_port',
    'weight',
    'backup',
    'subnet_id',
    'monitor_address',
    'monitor_port',
    // Ours, not Octavia's.
    'stale',
  ]),
  healthmonitors: new Set([
    ...COMMON,
    'type',
    'delay',
    'timeout',
    'max_retries',
    'max_retries_down',
    'http_method',
    'url_path',
    'expected_codes',
    'http_version',
    'domain_name',
    'pool_id',
  ]),
}

const BOOLEANS: ReadonlySet<string> = new Set(['admin_state_up', 'backup', 'stale'])

/** Attributes that the store knows by another name, because another dialect means something else by this one. */
const OWN_WORDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  members: { operating_status: 'rolled_up_status' },
}

const TAG_PARAMETERS: Readonly<Record<string, TagFilter['has']>> = {
  tags: 'all',
  'tags-any': 'any',
  'not-tags': 'not all',
  'not-tags-any': 'not any',
}

/** The last sort key of every list: objects of one transaction have the same time. */
const TIE_BREAKERS: readonly SortKey[] = [
  { attribute: 'created_at', direction: 'asc' },
  { attribute: 'id', direction: 'asc' },
]

const PAGING: ReadonlySet<string> = new Set([
  'limit',
  'marker',
  'page_reverse',
  'fields',
  'sort',
  'sort_key',
  'sort_dir',
])

export const octaviaLists: ListRules = {
  parse: (parameters, { name }) => parse(parameters, name),
  parsePage,
  unknownMarker: (_, marker) =>
    new DomainError('INVALID_QUERY', `Supplied pagination marker '${marker}' is not valid.`),
  neighbours,
  alwaysLinks: true,
}

function parse(parameters: Parameters, list: string): ListRequest {
  const attributes = OCTAVIA_LIST_ATTRIBUTES[list] ?? new Set(COMMON)
  const own = (attribute: string): string => OWN_WORDS[list]?.[attribute] ?? attribute
  return {
    filters: filtersOf(parameters, attributes).map(({ attribute, values }) => ({
      attribute: own(attribute),
      values,
    })),
    tagFilters: tagFiltersOf(parameters),
    sort: sortOf(parameters, attributes).map((key) => ({ ...key, attribute: own(key.attribute) })),
    // As MySQL and SQLite sort.
    nulls: 'first',
    page: pageOf(parameters),
    fields: fieldsOf(parameters),
  }
}

const PAGE_ONLY: ReadonlySet<string> = new Set(['limit', 'marker', 'page_reverse', 'fields'])

function parsePage(parameters: Parameters): Pick<ListRequest, 'page' | 'fields'> {
  if ([...parameters.keys()].some((name) => !PAGE_ONLY.has(name))) throw invalidArguments()
  return { page: pageOf(parameters), fields: fieldsOf(parameters) }
}

function invalidArguments(): DomainError {
  return new DomainError('INVALID_QUERY', 'One or more arguments are either duplicate or invalid')
}

/** Equality with one value per attribute. Throws INVALID_QUERY for what is unknown or given twice. */
function filtersOf(
  parameters: Parameters,
  attributes: ReadonlySet<string>,
): { attribute: string; values: string[] }[] {
  const names = [...new Set(parameters.keys())].filter(
    (name) => !PAGING.has(name) && !(name in TAG_PARAMETERS),
  )
  return names.map((attribute) => {
    const values = parameters.getAll(attribute)
    if (!attributes.has(attribute) || values.length > 1) {
      throw invalidArguments()
    }
    return {
      attribute,
      values: BOOLEANS.has(attribute) ? values.map((value) => String(isYes(value))) : values,
    }
  })
}

function tagFiltersOf(parameters: Parameters): TagFilter[] {
  return Object.entries(TAG_PARAMETERS)
    .map(([name, has]) => ({ has, tags: parameters.getAll(name).flatMap((value) => value.split(',')) }))
    .filter(({ tags }) => tags.length > 0)
}

function pageOf(parameters: Parameters): PageRequest {
  return {
    limit: limitOf(parameters.get('limit')),
    marker: parameters.get('marker') || undefined,
    reverse: parameters.get('page_reverse') === 'True',
  }
}

/** 0, a negative number and `infinite` are no limit. Throws INVALID_QUERY. */
function limitOf(text: string | null): number | undefined {
  if (text === null || text === '' || text === 'infinite') return undefined
  if (!/^\s*[+-]?\d{1,15}\s*$/.test(text)) {
    throw new DomainError('INVALID_QUERY', `Supplied pagination limit '${text.slice(0, 64)}' is not valid.`)
  }
  const limit = Number(text)
  return limit > 0 ? limit : undefined
}

/** `sort=k:dir,…` wins over `sort_key=a,b&sort_dir=asc,desc`; a direction that is missing is asc. Throws INVALID_QUERY. */
function sortOf(parameters: Parameters, attributes: ReadonlySet<string>): SortKey[] {
  const sort = listOf(parameters.getAll('sort'))
  const directions = listOf(parameters.getAll('sort_dir'))
  const words =
    sort.length > 0
      ? sort.map(keyAndDirection)
      : listOf(parameters.getAll('sort_key')).map((key, i): [string, string] => [key, directions[i] ?? 'asc'])
  const keys = words.map(([attribute, word]) => sortKey(attribute, word, attributes))
  const named = new Set(keys.map((key) => key.attribute))
  return [...keys, ...TIE_BREAKERS.filter(({ attribute }) => !named.has(attribute))]
}

function listOf(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(',')).filter((part) => part !== '')
}

function keyAndDirection(text: string): [string, string] {
  const parts = text.split(':')
  if (parts.length > 2) {
    const shown = parts.map((part) => `'${part.slice(0, 64)}'`).join(', ')
    throw new DomainError('INVALID_QUERY', `Supplied sort key '[${shown}]' is not valid.`)
  }
  return [parts[0] ?? '', parts[1] ?? 'asc']
}

function sortKey(attribute: string, word: string, attributes: ReadonlySet<string>): SortKey {
  const direction = word.toLowerCase()
  if (direction !== 'asc' && direction !== 'desc') {
    throw new DomainError('INVALID_QUERY', `Supplied sort direction '${word.slice(0, 64)}' is not valid.`)
  }
  if (!attributes.has(attribute)) {
    throw new DomainError('INVALID_QUERY', `Supplied sort key '${attribute.slice(0, 64)}' is not valid.`)
  }
  return { attribute, direction }
}

/** `previous` whenever a marker was given, `next` whenever the page is full, of objects or of bytes, even if it was the last. */
function neighbours({ ids, limit, page, complete, isCut }: ShownPage): Neighbour[] {
  const first = ids[0]
  const last = ids.at(-1)
  if (first === undefined || last === undefined) return []
  const links: Neighbour[] = []
  if (page.marker !== undefined) links.push({ rel: 'previous', marker: first })
  if (!complete && (ids.length === limit || isCut === true)) links.push({ rel: 'next', marker: last })
  return links
}
