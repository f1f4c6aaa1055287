/** Objects that generated requests are about, and what is known of the answers to them. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { query } from '../../src/store/connection/database.ts'
import { type Api, DEFAULT_PROJECT, type Json } from './api.ts'
import { aListener, aLoadBalancer, aMonitor, aPool, created, SUBNET } from './api-objects.ts'
import { type DescribedOperation, dialectOf, operations, type Schema, spellings } from './openapi.ts'
import type { Hints } from './openapi-requests.ts'

/** Nothing listens there, and nothing is sent. */
const WEBHOOK_URL = 'http://127.0.0.1:9/hook'
/** Repeats a run. */
export const SEED = Number(process.env['OPENAPI_SEED'] ?? 20_261_121)
/** Valid requests of each operation. */
export const RUNS = Number(process.env['OPENAPI_RUNS'] ?? 20)

/** What options are refused for between each other, by the monitor and by the host (src/domain/options/option-fit.ts). */
const OPTION_RULE =
  /^Invalid input for options[\w.]*\. Reason: (overprovisioning_percent needs|it does not fit|it is above|it is 0 |h2c? does not fit|.* is set by the probe itself|HTTP health check cannot|an answer to method|The expected response length|must not have more than one|\S+ is not one of HM_SOURCE|an address is no server name|certificate and key|HM_TLS_DIR|'\*\*\*' stands|\d+ bytes as JSON)|^Invalid input for options\S+ Reason: Invalid http \w+ status range: expecting start < end/

/** Instants and days that there are not, that are over, or that come in the wrong order; rules of no, or of too many days. */
const MAINTENANCE =
  /^Invalid input for (start|end|recurrence\.\w+)\. Reason: ('[^']*' is (not after the start|over|not a valid input)|it does not occur from now on|occurrences would overlap|\d+ occurrences follow each other)/

/** What a request that the document allows may still be refused for: rules between objects, as in the document. */
const RULES: readonly RegExp[] = [
  /^A pool of protocol \w+ takes health monitors of type/,
  /^Can only update type of the healthmonitor/,
  /^Only one health monitor per pool allowed/,
  /^Listener protocol \w+ and pool protocol \w+ are not compatible/,
  /^Load Balaner \S+ already has a listener with protocol_port/,
  /^Member with address \S+ and protocol_port \d+ already present/,
  /is in the list more than once\.$/,
  /^member \S+ could not be found\.$/,
  /both are null, this has at least one parameter\.$/,
  /listener\[default_tls_container_ref\] is null/,
  /'4789' is reserved for UDP listeners/,
  /^Invalid input for session_persistence\. Reason: 'cookie_name' (should be specified|is not allowed) for type/,
  /^Invalid input for session_persistence\.persistence_timeout\. Reason: '\d+' is too large - must be no larger than '60'/,
  /^Invalid input for expected_codes\. Reason: '[^']*\d{3}-\d{3}[^']*' is not a valid input/,
  /already has (a default pool|the default pool)/,
  /^A (loadbalancer|listener) has at most 20 tags/,
  /^Listener and pool must be on the same loadbalancer\.$/,
  /^Invalid input for title\. Reason: it is empty/,
  MAINTENANCE,
  OPTION_RULE,
]

/** The same of octavia. */
const OCTAVIA_RULES: readonly RegExp[] = [
  /is not a valid option for health monitors of type/,
  /^\w+ is not a valid option for health monitors HTTP 1\.1/,
  /^http_version 1\.0 is not a valid option/,
  /is not a valid option for (session_persistence type|a \w+ protocol listener|\w+ protocol listener|insert_headers)/,
  /^insert-headers is not a valid option for/,
  /^This pool already has a health monitor$/,
  /^(This listener already has a default pool|Another (member|Listener) on this )/,
  /^(Pool|Listener|Load Balancer|Flavor|Flavor Profile|Availability Zone|Availability Zone Profile|L7 Policy|Amphora|Member|Health Monitor) \S+ not found\.$/,
  /^Provider '.*' is not enabled\.$/s,
  /^Validation failure: (?!Missing)/,
  MAINTENANCE,
]

/** What generated requests need. */
export interface World {
  readonly api: Api
  /** A path with the ids of objects that exist, and the name of a file. */
  readonly pathOf: (spelling: string, operationId?: string) => string
  readonly hints: Hints
  /** Attributes that a create needs anew each time, as objects of their own. */
  readonly fresh: (operation: DescribedOperation) => Promise<Readonly<Record<string, unknown>>>
}

/** Of which no other operation switches the monitor, or the load balancer, off. */
async function aProbedMember(api: Api): Promise<Readonly<Record<string, string>>> {
  const { id: loadBalancer } = await aLoadBalancer(api)
  const { id: pool } = await aPool(api, loadBalancer)
  await aMonitor(api, pool)
  const target = { address: '127.0.0.10', protocol_port: 9, subnet_id: SUBNET }
  const { id: member } = await created(api, `pools/${pool}/members`, target)
  return {
    'elbProbeMember.pool_id': pool,
    'elbProbeMember.member_id': member,
    'octaviaProbeMember.pool_id': pool,
    'octaviaProbeMember.member_id': member,
    'probeMember.pool_id': pool,
    'probeMember.member_id': member,
  }
}

/** One object of each kind, through dialect elb. */
export async function makeWorld(api: Api): Promise<World> {
  const { id: loadBalancer } = await aLoadBalancer(api)
  const { id: listener } = await aListener(api, loadBalancer)
  const { id: pool } = await aPool(api, loadBalancer)
  const { id: monitor } = await aMonitor(api, pool)
  const target = { address: '127.0.0.9', protocol_port: 9, subnet_id: SUBNET }
  const { id: member } = await created(api, `pools/${pool}/members`, target)
  const ids: Readonly<Record<string, string>> = {
    loadbalancer_id: loadBalancer,
    listener_id: listener,
    pool_id: pool,
    healthmonitor_id: monitor,
    member_id: member,
    project_id: DEFAULT_PROJECT,
    quota_project_id: DEFAULT_PROJECT,
    provider: 'octavia',
    flavor_id: randomUUID(),
    // Of what there is none.
    id: randomUUID(),
    availability_zone: 'nova',
    letter_id: '1',
  }
  const hook = await api.request('POST', '/v1/webhooks', { webhook: { url: WEBHOOK_URL } })
  assert.equal(hook.status, 201)
  const webhook: string = hook.body.webhook.id
  const made = await api.request('POST', '/v1/public-pages', {
    public_page: { title: 'Shop', pools: [pool] },
  })
  assert.equal(made.status, 201)
  const page: string = made.body.public_page.id
  // Batches take members away that the other operations need.
  const others: Readonly<Record<string, string>> = {
    'elbChangeMembers.pool_id': (await aPool(api, loadBalancer)).id,
    'octaviaChangeMembers.pool_id': (await aPool(api, loadBalancer)).id,
    'octaviaUpdateHealthMonitor.healthmonitor_id': (await aHttpMonitor(api, loadBalancer)).id,
    // The quota of the project in which the others create.
    'octaviaSetQuota.quota_project_id': 'another-project',
    'updateWebhook.id': webhook,
    ...(await aProbedMember(api)),
    'updatePublicPage.id': page,
  }
  return {
    api,
    pathOf: (spelling, operationId) =>
      spelling.replaceAll(
        /\{(\w+)\}/g,
        (_match, name: string) => others[`${operationId}.${name}`] ?? ids[name] ?? 'x.js',
      ),
    hints: hintsOf({ loadBalancer, listener, pool }),
    fresh: freshParents(api, { loadBalancer, pool, webhook, page }),
  }
}

interface MadeIds {
  readonly loadBalancer: string
  readonly listener: string
  readonly pool: string
}

/** Of texts at random none is a rule. */
export const RECURRENCE_HINTS = {
  rrule: fc.constantFrom('FREQ=DAILY', 'FREQ=WEEKLY;BYDAY=SA,SU', 'FREQ=YEARLY;COUNT=5'),
  time_zone: fc.constantFrom('UTC', 'Europe/Berlin', 'Australia/Lord_Howe'),
}

/** Attributes whose values must be those of the world, or harmless. */
function hintsOf({ loadBalancer, listener, pool }: MadeIds): World['hints'] {
  const project = fc.constant(DEFAULT_PROJECT)
  const addresses = fc.oneof(
    fc.ipV4().map((text) => text.replace(/^\d+/, '127')),
    fc.constant('::1'),
  )
  return {
    ...RECURRENCE_HINTS,
    tenant_id: project,
    depends_on: fc.constant([]),
    project_id: project,
    address: addresses,
    vip_address: addresses,
    ip_address: addresses,
    monitor_address: addresses,
    persistence_granularity: addresses,
    allowed_cidrs: fc.constant(['127.0.0.0/8']),
    default_pool_id: fc.constant(pool),
    pool_id: fc.constant(pool),
    loadbalancer_id: fc.constant(loadBalancer),
    listener_id: fc.constant(listener),
    url: fc.constant(WEBHOOK_URL),
    secrets: fc.constant([`whsec_${'A'.repeat(44)}`]),
  }
}

/** Parents that have no child yet, for what each can have once; every second request has what nearly always fits. */
function freshParents(
  api: Api,
  {
    loadBalancer,
    pool,
    webhook,
    page,
  }: Readonly<Record<'loadBalancer' | 'pool' | 'webhook' | 'page', string>>,
): World['fresh'] {
  let requests = 0
  return async ({ operation: { operationId } }) => {
    const isSecond = requests++ % 2 === 1
    const protocol = isSecond ? 'HTTP' : 'UDP'
    // A project has few webhooks, and few public pages.
    if (operationId === 'createWebhook') await query(api.db, 'delete from webhook where id <> $1', [webhook])
    if (operationId === 'createPublicPage')
      await query(api.db, 'delete from public_page where id <> $1', [page])
    const made = {
      ...(operationId.endsWith('PublicPage') && { pools: [pool] }),
      ...(operationId.endsWith('CreateHealthMonitor') && {
        pool_id: (await aPool(api, loadBalancer, { protocol })).id,
      }),
      ...(/Create(Pool|Listener)$/.test(operationId) && {
        loadbalancer_id: (await aLoadBalancer(api)).id,
      }),
      ...(operationId.endsWith('CreatePool') && { listener_id: null }),
      // Null is for administrators.
      ...(operationId === 'createWebhook' && { project_id: DEFAULT_PROJECT }),
    }
    return isSecond ? { ...PLAIN[operationId], ...made } : made
  }
}

const PLAIN_LISTENER = Object.fromEntries(
  [
    'default_pool_id',
    'default_tls_container_ref',
    'sni_container_refs',
    'client_ca_tls_container_ref',
    'client_authentication',
    'client_crl_container_ref',
    'hsts_max_age',
    'hsts_include_subdomains',
    'hsts_preload',
    'tls_versions',
    'alpn_protocols',
  ].map((name) => [name, null]),
)

const PLAIN_POOL = {
  session_persistence: null,
  crl_container_ref: null,
  tls_versions: null,
  alpn_protocols: null,
}

/** What nearly always meets a rule when it is chosen at random; without it in every second request. */
const PLAIN: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  // Most texts of the form of a time are none.
  ...Object.fromEntries(
    ['elbSet', 'octaviaSet', 'set'].flatMap((set) =>
      ['Member', 'Pool', 'HealthMonitor'].map((kind) => [
        `${set}${kind}Maintenance`,
        { start: null, end: null },
      ]),
    ),
  ),
  octaviaCreateListener: { ...PLAIN_LISTENER, protocol: 'HTTP' },
  octaviaUpdateListener: PLAIN_LISTENER,
  octaviaCreatePool: PLAIN_POOL,
  octaviaUpdatePool: PLAIN_POOL,
  octaviaCreateLoadBalancer: {
    vip_subnet_id: SUBNET,
    flavor_id: null,
    availability_zone: null,
    listeners: null,
    pools: null,
  },
}

async function aHttpMonitor(api: Api, loadBalancer: string): Promise<{ id: string }> {
  const { id } = await aPool(api, loadBalancer)
  return await aMonitor(api, id, { type: 'HTTP' })
}

/** What a refusal says, in either dialect and in our own API. */
export function sentenceOf(body: Json): string {
  return String(body?.error_msg ?? body?.faultstring ?? body?.detail)
}

/** Whether a refusal is for a rule between objects. */
export function isRule(path: string, sentence: string): boolean {
  return (dialectOf(path) === 'octavia' ? OCTAVIA_RULES : RULES).some((rule) => rule.test(sentence))
}

/** A body whose object has these attributes too. */
export function within(body: unknown, attributes: Readonly<Record<string, unknown>>): unknown {
  if (Object.keys(attributes).length === 0) return body
  const [[envelope, object] = ['', {}]] = Object.entries(body as Record<string, object>)
  return { [envelope]: { ...object, ...attributes } }
}

/** Operations that take a body from anybody: a sign-in is taken from the page only, and has tests of its own. */
export const withBody = operations.filter(
  ({ operation }) => operation.requestBody !== undefined && operation.operationId !== 'beginSession',
)

/** The schema of the body that an operation takes. */
export function bodySchema({ operation }: DescribedOperation): Schema {
  const schema = operation.requestBody?.content['application/json']?.schema
  assert.ok(schema !== undefined, operation.operationId)
  return schema
}

/** Values that are the same in every run of one seed. */
export function sample<Value>(arbitrary: fc.Arbitrary<Value>, numRuns: number, salt: string): Value[] {
  const seed = Array.from(salt).reduce((hash, character) => (hash * 31 + character.charCodeAt(0)) | 0, SEED)
  return fc.sample(arbitrary, { numRuns, seed })
}

/** Any spelling of the path, in turn. */
export function spellingOf(world: World, described: DescribedOperation, turn: number): string {
  const all = spellings(described.path)
  return world.pathOf(all[turn % all.length] ?? described.path, described.operation.operationId)
}
