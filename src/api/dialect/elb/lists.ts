/** Lists in Neutron's manner (docs/peers/elb.md 2 and 3). */
import { notFound } from '../../../domain/errors.ts'
import type { ListRules, Neighbour, ShownPage } from '../../pages.ts'
import { fieldsOf, filtersOf, pageOf, sortOf } from '../../query.ts'

export const elbLists: ListRules = {
  parse: (parameters, { attributes, sortable }) => ({
    page: pageOf(parameters),
    filters: filtersOf(parameters, attributes),
    sort: sortOf(parameters, sortable ?? attributes),
    fields: fieldsOf(parameters),
  }),
  parsePage: (parameters) => ({ page: pageOf(parameters), fields: fieldsOf(parameters) }),
  unknownMarker: notFound,
  neighbours,
  alwaysLinks: false,
}

/**
 * `next` unless the page is short going forward, `previous` unless it is short going back; so the first page has a
 * `previous` and a full last page a `next` that leads to an empty page.
 */
function neighbours({ ids, limit, page, complete, isCut }: ShownPage): Neighbour[] {
  const first = ids[0]
  const last = ids.at(-1)
  if (complete || first === undefined || last === undefined) return []
  const short = ids.length < limit && isCut !== true
  const links: Neighbour[] = []
  if (!short || page.reverse) links.push({ rel: 'next', marker: last })
  if (page.limit !== undefined && (!short || !page.reverse)) links.push({ rel: 'previous', marker: first })
  return links
}
