/** Where in the page somebody is: the fragment of the address, so that the server knows one file only. */
export type Route =
  | { readonly view: 'overview' | (typeof LISTS)[number] }
  | { readonly view: (typeof OBJECTS)[keyof typeof OBJECTS]; readonly id: string }

const LISTS = ['events', 'webhooks', 'probers', 'public-pages'] as const
/** The view of one object, by its collection. */
const OBJECTS = { loadbalancers: 'loadbalancer', pools: 'pool', members: 'member' } as const

const ID = /^[0-9a-f-]{32,36}$/i

/** `#/pools/ID`; what is unknown is the overview. */
export function routeOf(fragment: string): Route {
  const [collection = '', id = ''] = fragment.replace(/^#?\/?/, '').split('/')
  const list = LISTS.find((name) => name === collection)
  if (list !== undefined) return { view: list }
  if (!ID.test(id) || !Object.hasOwn(OBJECTS, collection)) return { view: 'overview' }
  return { view: OBJECTS[collection as keyof typeof OBJECTS], id }
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
