/** Where in the page somebody is: the fragment of the address, so that the server knows one file only. */
export type Route =
  | { readonly view: 'overview' }
  | { readonly view: 'loadbalancer' | 'pool' | 'member'; readonly id: string }
  | { readonly view: 'events' }
  | { readonly view: 'webhooks' }
  | { readonly view: 'probers' }
  | { readonly view: 'public-pages' }

const ID = /^[0-9a-f-]{32,36}$/i

/** `#/pools/ID`; what is unknown is the overview. */
export function routeOf(fragment: string): Route {
  const [collection = '', id = ''] = fragment.replace(/^#?\/?/, '').split('/')
  if (
    collection === 'events' ||
    collection === 'webhooks' ||
    collection === 'probers' ||
    collection === 'public-pages'
  )
    return { view: collection }
  if (!ID.test(id)) return { view: 'overview' }
  if (collection === 'loadbalancers') return { view: 'loadbalancer', id }
  if (collection === 'pools') return { view: 'pool', id }
  if (collection === 'members') return { view: 'member', id }
  return { view: 'overview' }
}

export const linkTo = {
  overview: '#/',
  events: '#/events',
  webhooks: '#/webhooks',
  probers: '#/probers',
  publicPages: '#/public-pages',
  loadBalancer: (id: string) => `#/loadbalancers/${id}`,
  pool: (id: string) => `#/pools/${id}`,
  member: (id: string) => `#/members/${id}`,
} as const
