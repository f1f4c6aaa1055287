/** What every route takes and what each of its attributes refuses, for generated requests. */
import type { Api, Json } from './api.ts'
import { aListener, aLoadBalancer, aMonitor, aPool, created, SUBNET } from './api-objects.ts'

export const UNKNOWN = '00000000-0000-4000-8000-000000000000'
export const PROJECT = 'default-project'

export interface Objects {
  readonly lb: Json
  readonly listener: Json
  readonly pool: Json
  readonly member: Json
  readonly monitor: Json
}

/** One object of each kind, below each other. */
export async function makeObjects(api: Api): Promise<Objects> {
  const lb = await aLoadBalancer(api)
  const listener = await aListener(api, lb.id)
  const pool = await aPool(api, lb.id)
  const monitor = await aMonitor(api, pool.id)
  const address = { address: '127.0.0.1', protocol_port: 80, subnet_id: SUBNET }
  const member = await created(api, `pools/${pool.id}/members`, address)
  return { lb, listener, pool, member, monitor }
}

/** Kinds of attributes, and values that each refuses. Text takes what it can hold. */
const NOT_TEXT = [1, true, {}, [], ['x'], null]
const NOT_A_WORD = [...NOT_TEXT, '', ' ', 'x', 'HTTP\n', 'ТСР', '__proto__', 'x'.repeat(5000)]
export const WRONG = {
  name: [...NOT_TEXT, 'x'.repeat(256), 'x'.repeat(100_000)],
  boolean: [2, -1, 'yes', '', 'x', {}, [], [true], null, 1.5],
  id: [...NOT_TEXT, '', 'x', `${UNKNOWN}0`, `${UNKNOWN}\n`, UNKNOWN.slice(1), 'x'.repeat(5000)],
  word: NOT_A_WORD,
  delay: [0, 51, -1, 1.5, 1e99, 2 ** 31, '51', '1.5', '', 'x', '0x10', true, null, {}, [], [5], '９'],
  retries: [0, 11, -1, 1.5, 1e99, 2 ** 53, '', 'x', true, {}, [], '１'],
  port: [0, 65_536, -1, 1.5, 1e99, '', 'x', '80 80', true, {}, [], '0x50'],
  weight: [-1, 101, 1.5, 1e99, '', 'x', {}, []],
  limit: [-2, 2 ** 31, 1.5, 1e99, '', 'x', {}, []],
  address: [
    ...NOT_TEXT,
    '',
    'x',
    '127.1',
    '0177.0.0.1',
    '1.2.3.4.5',
    '127.0.0.1 ',
    '::1%lo',
    '[::1]',
    '1.2.3.4/8',
    '999.1.1.1',
  ],
  list: [1, 'x', true, {}, [1], [null], [[]], Array(31).fill('x')],
  persistence: [
    1,
    'x',
    true,
    [],
    {},
    { type: 'x' },
    { type: null },
    { type: 'SOURCE_IP', x: 1 },
    { type: 'APP_COOKIE' },
  ],
  path: [1, true, {}, [], '', 'x', '/ ', '/\r\nX: y', '/é', `/${'x'.repeat(80)}`],
  domain: [1, true, {}, [], '', ' ', '-a', 'a b', 'a\r\nX: y', 'ä.de', 'x'.repeat(101)],
  codes: [1, true, {}, [], '', 'x', '200,', '99', '600', '300-200', '2OO', '200-', `${'200,'.repeat(16)}200`],
} as const satisfies Record<string, readonly unknown[]>

type Kind = keyof typeof WRONG

/** A body that is right, and the kind of each attribute that it may have. */
export interface Shape {
  readonly envelope: string
  readonly right: Readonly<Record<string, unknown>>
  readonly kinds: Readonly<Record<string, Kind>>
}

const NAMED = { name: 'name', admin_state_up: 'boolean' } as const
const DESCRIBED = { ...NAMED, description: 'name' } as const
const LISTENER = {
  ...DESCRIBED,
  connection_limit: 'limit',
  http2_enable: 'boolean',
  sni_container_refs: 'list',
} as const
const MONITOR = {
  ...NAMED,
  delay: 'delay',
  timeout: 'delay',
  max_retries: 'retries',
  max_retries_down: 'retries',
  monitor_port: 'port',
  url_path: 'path',
  domain_name: 'domain',
  expected_codes: 'codes',
} as const

/** Method and path below /v2.0/lbaas → the body that it takes. */
export function shapesOf(o: Objects): Readonly<Record<string, Shape>> {
  return {
    'post loadbalancers': {
      envelope: 'loadbalancer',
      right: { vip_subnet_id: SUBNET },
      kinds: { ...DESCRIBED, vip_subnet_id: 'id', tenant_id: 'name', project_id: 'name' },
    },
    'put loadbalancers/:id': { envelope: 'loadbalancer', right: {}, kinds: DESCRIBED },
    'post listeners': {
      envelope: 'listener',
      right: { loadbalancer_id: o.lb.id, protocol: 'TCP', protocol_port: 81 },
      kinds: { ...LISTENER, loadbalancer_id: 'id', protocol: 'word', protocol_port: 'port' },
    },
    'put listeners/:id': { envelope: 'listener', right: {}, kinds: LISTENER },
    'post pools': {
      envelope: 'pool',
      right: { loadbalancer_id: o.lb.id, protocol: 'TCP', lb_algorithm: 'ROUND_ROBIN' },
      kinds: {
        ...DESCRIBED,
        loadbalancer_id: 'id',
        protocol: 'word',
        lb_algorithm: 'word',
        session_persistence: 'persistence',
      },
    },
    'put pools/:id': {
      envelope: 'pool',
      right: {},
      kinds: { ...DESCRIBED, lb_algorithm: 'word', session_persistence: 'persistence' },
    },
    'post healthmonitors': {
      envelope: 'healthmonitor',
      right: { pool_id: o.pool.id, type: 'TCP', delay: 5, timeout: 5, max_retries: 3 },
      kinds: { ...MONITOR, pool_id: 'id', type: 'word' },
    },
    'put healthmonitors/:id': { envelope: 'healthmonitor', right: {}, kinds: MONITOR },
    'post pools/:pool_id/members': {
      envelope: 'member',
      right: { address: '127.0.0.1', protocol_port: 81, subnet_id: SUBNET },
      kinds: { ...NAMED, address: 'address', protocol_port: 'port', weight: 'weight' },
    },
    'put pools/:pool_id/members/:id': {
      envelope: 'member',
      right: {},
      kinds: { ...NAMED, weight: 'weight' },
    },
  }
}

/** `/v2.0/lbaas/pools/:id` → `pools/:id`. */
export const collectionOf = (pattern: string) =>
  pattern.replace(/^\/(v2\.0\/lbaas|v2\/:project_id\/elb|v3\/:project_id\/elb)\//, '')

/** The path of an object that exists. */
export function pathFor(pattern: string, o: Objects): string {
  const named = pattern
    .replace(':project_id', PROJECT)
    .replace(/members\/:\w+/, `members/${o.member.id}`)
    .replace(':pool_id', o.pool.id)
    .replace(/loadbalancers\/:\w+/, `loadbalancers/${o.lb.id}`)
    .replace(/listeners\/:\w+/, `listeners/${o.listener.id}`)
    .replace(/pools\/:\w+/, `pools/${o.pool.id}`)
    .replace(/healthmonitors\/:\w+/, `healthmonitors/${o.monitor.id}`)
  return named
}
