/** The requests of large-requests.ts: bodies and lists that are made to be slow, and the largest that are allowed. */
import { OCTAVIA_BATCH_MAX } from '../src/api/dialect/octavia/limits.ts'

export interface Request {
  readonly method: string
  readonly path: string
  readonly body?: string
}

export interface Answered {
  readonly status: number
  readonly bytes: number
  readonly ms: number
  /** Its beginning. */
  readonly text: string
}

export type Ask = (request: Request) => Promise<Answered>

const OCTAVIA = '/load-balancer/v2.0/lbaas'
const ELB = '/elb/v2.0/lbaas'
const SUBNET_ID = '11111111-2222-4333-8444-555555555555'

export interface Case {
  readonly name: string
  readonly request: () => Request
}

const put = (path: string, body: unknown): Request => ({ method: 'PUT', path, body: JSON.stringify(body) })
const post = (path: string, body: unknown): Request => ({ method: 'POST', path, body: JSON.stringify(body) })
const get = (path: string): Request => ({ method: 'GET', path })
const many = <Item>(count: number, item: (i: number) => Item): Item[] =>
  Array.from({ length: count }, (_, i) => item(i))
const address = (i: number): string => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`

async function made(ask: Ask, path: string, envelope: string, attributes: object): Promise<string> {
  const { status, text } = await ask(post(path, { [envelope]: attributes }))
  if (status !== 201) throw new Error(`${path}: ${status} ${text}`)
  return /"id":"([^"]+)"/.exec(text)?.[1] ?? ''
}

const aLoadBalancer = (ask: Ask) =>
  made(ask, `${ELB}/loadbalancers`, 'loadbalancer', { vip_subnet_id: SUBNET_ID })
const aPool = (ask: Ask, loadbalancer_id: string) =>
  made(ask, `${ELB}/pools`, 'pool', { loadbalancer_id, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' })

const member = (i: number, tags: string[] = []) => ({
  name: `member ${i}`,
  address: address(i),
  protocol_port: 80 + (i % 1000),
  weight: i % 100,
  backup: false,
  admin_state_up: true,
  subnet_id: SUBNET_ID,
  monitor_address: address(i),
  monitor_port: 8080,
  tags,
})

/** What the requests are about. */
interface Objects {
  readonly batch: string
  /** A pool with the members of the batch, and one with few. */
  readonly pool: string
  readonly small: string
  /** A load balancer with four pools of 5 000 members. */
  readonly tree: string
}

/** Makes the objects, and all requests on them, in the order in which they are to be measured. */
export async function casesOf(ask: Ask): Promise<readonly Case[]> {
  const lb = await aLoadBalancer(ask)
  const pool = await aPool(ask, lb)
  const small = await aPool(ask, lb)
  const tree = await aTree(ask)
  const on = { batch: `${OCTAVIA}/pools/${pool}/members`, pool, small, tree }
  return [
    ...hostileBodies(on),
    ...hostileLists(),
    ...batches(on),
    aCreateOfATree(),
    ...reads(on),
    ...readsOfATree(on),
  ]
}

/** A load balancer with 20 000 members, below listeners: Octavia's tree shows no other pools. */
async function aTree(ask: Ask): Promise<string> {
  const tree = await aLoadBalancer(ask)
  for (let p = 0; p < 4; p++) {
    const of = await aPool(ask, tree)
    await made(ask, `${ELB}/listeners`, 'listener', {
      loadbalancer_id: tree,
      protocol: 'HTTP',
      protocol_port: 80 + p,
      default_pool_id: of,
    })
    await ask(put(`${OCTAVIA}/pools/${of}/members`, { members: many(5000, (i) => member(i)) }))
  }
  return tree
}

const unknown = (keys: number) => Object.fromEntries(many(keys, (i) => [`k${i}`, i]))

function hostileBodies({ batch, small }: Objects): readonly Case[] {
  return [
    {
      name: 'elb PUT pool, 20 000 unknown keys',
      request: () => put(`${ELB}/pools/${small}`, { pool: unknown(20_000) }),
    },
    {
      name: 'octavia PUT pool, 20 000 unknown keys',
      request: () => put(`${OCTAVIA}/pools/${small}`, { pool: unknown(20_000) }),
    },
    {
      name: 'elb PUT pool, 127 unknown keys',
      request: () => put(`${ELB}/pools/${small}`, { pool: unknown(127) }),
    },
    {
      name: 'depends_on of 400 000 strings',
      request: () => put(`${OCTAVIA}/pools/${small}`, { pool: { depends_on: many(400_000, () => 'x') } }),
    },
    {
      name: 'depends_on of 4 900 strings',
      request: () => put(`${OCTAVIA}/pools/${small}`, { pool: { depends_on: many(4900, () => 'x') } }),
    },
    { name: 'two million [', request: () => ({ method: 'PUT', path: batch, body: '['.repeat(2_000_000) }) },
    {
      name: 'two million [ to the identity',
      request: () => ({ method: 'POST', path: batch, body: '['.repeat(60_000) }),
    },
    { name: 'a batch of 199 000 numbers', request: () => put(batch, { members: many(199_000, () => 1) }) },
    {
      name: 'a batch, one text of 4 MB of escapes',
      request: () => put(batch, { members: [{ name: '\u0001'.repeat(690_000) }] }),
    },
    {
      name: '1 000 objects of 120 unknown keys in a create',
      request: () =>
        post(`${OCTAVIA}/loadbalancers`, { loadbalancer: { pools: many(1000, () => unknown(120)) } }),
    },
  ]
}

function hostileLists(): readonly Case[] {
  return [
    {
      name: 'a list with 200 filters',
      request: () => get(`${ELB}/members?${many(200, (i) => `id=${i}`).join('&')}`),
    },
    {
      name: 'a list with tags of 7 000 words',
      request: () => get(`${OCTAVIA}/pools?tags=${many(3500, () => 'a').join(',')}`),
    },
    {
      name: 'a list sorted 1 500 times',
      request: () => get(`${OCTAVIA}/pools?sort_key=${many(700, () => 'name').join(',')}`),
    },
    {
      name: '200 networks by name',
      request: () => get(`/v2.0/networks?${many(800, (i) => `name=${i}`).join('&')}`),
    },
  ]
}

function batches({ batch, small }: Objects): readonly Case[] {
  let name = 0
  return [
    {
      name: `octavia batch of ${OCTAVIA_BATCH_MAX}, created or unchanged`,
      request: () => put(batch, { members: many(OCTAVIA_BATCH_MAX, member) }),
    },
    {
      name: '… all changed',
      request: () =>
        put(batch, {
          members: many(OCTAVIA_BATCH_MAX, (i) => ({ ...member(i), name: `changed ${++name}` })),
        }),
    },
    {
      name: '… with 4 MB of tags',
      request: () =>
        put(batch, {
          members: many(OCTAVIA_BATCH_MAX, (i) =>
            member(
              i,
              many(25, (n) => `tag-${n}-${name}`),
            ),
          ),
        }),
    },
    {
      name: '… the last one wrong',
      request: () =>
        put(batch, {
          members: many(OCTAVIA_BATCH_MAX, (i) =>
            i === OCTAVIA_BATCH_MAX - 1 ? { ...member(i), weight: 'x' } : member(i),
          ),
        }),
    },
    {
      name: 'elb batch of 200',
      request: () =>
        put(`${ELB}/pools/${small}/members`, {
          action: 'replace',
          members: many(200, (i) => ({ address: address(i), protocol_port: 80, subnet_id: SUBNET_ID })),
        }),
    },
  ]
}

function aCreateOfATree(): Case {
  return {
    name: 'octavia create with 10 pools of 500 members',
    request: () =>
      post(`${OCTAVIA}/loadbalancers`, {
        loadbalancer: {
          vip_subnet_id: SUBNET_ID,
          pools: many(10, (p) => ({
            name: `p${p}`,
            protocol: 'HTTP',
            lb_algorithm: 'ROUND_ROBIN',
            members: many(500, member),
          })),
        },
      }),
  }
}

function reads({ batch, pool }: Objects): readonly Case[] {
  return [
    { name: 'octavia, 2 000 members of a pool', request: () => get(batch) },
    { name: 'elb, 2 000 members', request: () => get(`${ELB}/members`) },
    { name: 'elb, health of 2 000 members', request: () => get(`${ELB}/pools/${pool}/health`) },
    { name: 'elb, a pool of 5 000 members', request: () => get(`${ELB}/pools/${pool}`) },
  ]
}

function readsOfATree({ tree }: Objects): readonly Case[] {
  return [
    {
      name: 'elb, status tree of 20 000 members',
      request: () => get(`${ELB}/loadbalancers/${tree}/statuses`),
    },
    {
      name: 'octavia, status tree of 20 000 members',
      request: () => get(`${OCTAVIA}/loadbalancers/${tree}/status`),
    },
    {
      name: 'octavia, list of pools with 20 000 members',
      request: () => get(`${OCTAVIA}/pools?loadbalancer_id=${tree}`),
    },
  ]
}
