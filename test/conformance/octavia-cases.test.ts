/**
 * Health monitors against what Octavia answered: test/vectors/octavia-healthmonitor-cases.json. A status of PENDING_x in
 * a recording is ACTIVE here, because every write ends synchronously; where the recording is a quirk, its recommendation
 * is held instead.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import { DomainError } from '../../src/domain/errors.ts'
import type { Identity } from '../../src/identity/identity.ts'
import { query } from '../../src/store/connection/database.ts'
import { type Answer, type Api, type Json, startApi } from '../support/api.ts'
import type { Ending } from '../support/database.ts'
import { settledAnswer } from '../support/octavia-golden.ts'
import { aLoadBalancer, aPool, force, made, OCTAVIA } from '../support/octavia.ts'

interface Setup {
  readonly pool_protocol?: string
  readonly pool_lb_algorithm?: string
  readonly existing_monitor?: Record<string, unknown>
  readonly deleted?: boolean
  readonly lb_provisioning_status?: string
  readonly pool_provisioning_status?: string
  readonly monitor_provisioning_status?: string
  readonly quota_reached?: boolean
  readonly config?: {
    readonly udp_connect_min_interval_health_monitor?: number
    readonly allow_ping_health_monitors?: boolean
  }
  readonly monitors?: readonly (Record<string, unknown> & { readonly label: string })[]
  readonly same_as?: string
}

interface Case {
  readonly id: string
  readonly name: string
  readonly method: string
  readonly path: string
  readonly setup: Setup
  readonly actor?: string
  readonly body?: unknown
  readonly raw_body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly expect_status: number
  readonly expect_fault_contains?: string
  readonly expect_body?: Json
  readonly expect_keys?: readonly string[]
  readonly expect_item_keys?: readonly string[]
  readonly expect_empty_body?: boolean
  readonly expect_headers?: Readonly<Record<string, string>>
  readonly expect_parent_state?: { readonly loadbalancer: string; readonly pool: string }
  readonly expect_monitors?: readonly string[]
  readonly expect_links?: readonly { readonly rel: string; readonly query: string }[]
  readonly expect_contains_monitor?: boolean
  readonly quirk?: string
  readonly recommend?: {
    readonly status?: number
    readonly fault_contains?: string
    readonly links?: unknown
  } | null
}

const { cases } = JSON.parse(readFileSync('test/vectors/octavia-healthmonitor-cases.json', 'utf8')) as {
  readonly cases: readonly Case[]
}

/** Cases that are answered otherwise on purpose. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'hm-576':
    'a quirk without a recommendation: page_reverse gives the rows just before the marker, not the first of all',
}

/** Faults whose wording is Python's; the status is held. */
const PYTHON_WORDING = /int\(\)|UnsetType|has no attribute/

/** The shape of Octavia's hooks (docs/peers/octavia.md 7); its sentence, if it has one, is answered in shape 6. */
function isHookEnvelope(body: Json): boolean {
  return typeof body === 'object' && body !== null && 'code' in body && 'title' in body
}

interface World {
  readonly api: Api
  readonly project: string
  /** Placeholder → id. */
  readonly ids: Readonly<Record<string, string>>
}

const AUTH_URL = 'http://127.0.0.1/identity'
const ROLES: Readonly<Record<string, readonly string[]>> = {
  owner_member: ['member', 'reader'],
  owner_reader: ['reader'],
  other_project_member: ['member', 'reader'],
  admin: ['admin'],
  no_role: [],
}

/** A Keystone of two projects: the token is the name of the actor, a slash, and the project of the case. */
function identify(headers: Readonly<Record<string, string | string[] | undefined>>): Identity {
  const [actor = '', owner = ''] = String(headers['x-auth-token'] ?? '').split('/')
  const roles = ROLES[actor]
  if (roles === undefined) {
    throw new DomainError('UNAUTHENTICATED', 'The request you have made requires authentication.', {
      identityUrl: AUTH_URL,
    })
  }
  const projectId =
    actor === 'owner_member' || actor === 'owner_reader' ? owner : `other-of-${owner}`.slice(0, 36)
  return { projectId, assumed: false, scope: 'project', roles, confined: false }
}

const ended: (() => Promise<void> | void)[] = []
const suiteEnd: Ending = { after: (end) => void ended.push(end) }
let open: Api
let guarded: Api
let listWorld: World

async function worldOf(each: Case): Promise<World> {
  const { setup } = each
  if (setup.monitors !== undefined || setup.same_as !== undefined) return listWorld
  const api = setup.config === undefined ? open : await configuredApi(setup.config)
  const project = `project-${each.id}`
  const headers = { 'x-project-id': project }
  const loadBalancer = await aLoadBalancer(api, headers)
  const pool = await aPool(
    api,
    loadBalancer.id,
    { protocol: setup.pool_protocol, lb_algorithm: setup.pool_lb_algorithm ?? 'ROUND_ROBIN' },
    headers,
  )
  const ids: Record<string, string> = { $PROJECT: project, $LB: loadBalancer.id, $POOL: pool.id }
  if (setup.existing_monitor !== undefined) {
    const monitor = await made(
      api,
      'healthmonitors',
      { ...setup.existing_monitor, pool_id: pool.id },
      headers,
    )
    ids['$HM'] = monitor.id
    if (setup.deleted === true)
      await api.request('DELETE', `${OCTAVIA}/healthmonitors/${monitor.id}`, undefined, headers)
    if (setup.monitor_provisioning_status !== undefined) {
      await force(api, 'health_monitor', monitor.id, setup.monitor_provisioning_status)
    }
  }
  if (setup.lb_provisioning_status !== undefined) {
    await force(api, 'load_balancer', loadBalancer.id, setup.lb_provisioning_status)
  }
  if (setup.pool_provisioning_status !== undefined)
    await force(api, 'pool', pool.id, setup.pool_provisioning_status)
  if (setup.quota_reached === true) {
    await query(api.db, `insert into quota (project_id, resource, quota) values ($1, 'healthmonitor', 0)`, [
      project,
    ])
  }
  return { api, project, ids }
}

async function configuredApi(config: NonNullable<Setup['config']>): Promise<Api> {
  return await startApi(suiteEnd, {
    db: open.db,
    udpMinDelaySeconds: config.udp_connect_min_interval_health_monitor ?? 3,
    allowPing: config.allow_ping_health_monitors ?? true,
  })
}

async function makeListWorld(): Promise<World> {
  const monitors = cases.find(({ setup }) => setup.monitors !== undefined)?.setup.monitors ?? []
  const project = 'project-of-lists'
  const headers = { 'x-project-id': project }
  const loadBalancer = await aLoadBalancer(open, headers)
  const ids: Record<string, string> = { $PROJECT: project, $LB: loadBalancer.id }
  for (const [i, { label, ...attributes }] of monitors.entries()) {
    const pool = await aPool(open, loadBalancer.id, {}, headers)
    ids[`$P${i}`] = pool.id
    const monitor = await made(open, 'healthmonitors', { ...attributes, pool_id: pool.id }, headers)
    ids[`$${label}`] = monitor.id
  }
  return { api: open, project, ids }
}

/** Replaces placeholders, the longer first. */
function filled<Value>(value: Value, { ids }: World): Value {
  if (value === undefined) return value
  const names = Object.keys(ids).toSorted((a, b) => b.length - a.length)
  const text = names.reduce((all, name) => all.replaceAll(name, ids[name] ?? ''), JSON.stringify(value))
  return JSON.parse(text) as Value
}

/** Every key of `expected` is in `actual`, with that value. */
function assertContains(actual: Json, expected: Json, where: string): void {
  if (typeof expected !== 'object' || expected === null || Array.isArray(expected)) {
    assert.deepEqual(actual, expected, where)
    return
  }
  for (const [key, value] of Object.entries(expected as object))
    assertContains(actual?.[key], value, `${where}.${key}`)
}

async function send(each: Case, world: World): Promise<Answer> {
  const api = each.actor === undefined ? world.api : guarded
  const headers: Record<string, string> = { ...each.headers }
  if (each.actor === undefined) headers['x-project-id'] = world.project
  else if (each.actor !== 'none') headers['x-auth-token'] = `${each.actor}/${world.project}`
  if (each.raw_body !== undefined)
    headers['content-type'] = each.headers?.['Content-Type'] ?? 'application/json'
  delete headers['Content-Type']
  const body: unknown = each.raw_body === undefined ? each.body : each.raw_body
  const sent = typeof body === 'string' ? filled({ body }, world).body : filled(body, world)
  return await api.request(each.method, `/load-balancer${filled(each.path, world)}`, sent, headers)
}

function assertAnswer(each: Case, world: World, answer: Answer): void {
  const recommended = each.quirk === undefined ? undefined : each.recommend
  const status = recommended?.status ?? each.expect_status
  assert.equal(answer.status, status, JSON.stringify(answer.body))
  const fault =
    recommended?.fault_contains ??
    (recommended?.status === undefined ? each.expect_fault_contains : undefined)
  if (status >= 400 && status !== 401) {
    assert.deepEqual(Object.keys(answer.body as object), ['faultcode', 'faultstring', 'debuginfo'])
    assert.equal(answer.body.faultcode, status < 500 ? 'Client' : 'Server')
  }
  if (fault !== undefined && !PYTHON_WORDING.test(fault)) {
    const expected = filled(fault, world)
    assert.ok(
      String(answer.body?.faultstring).includes(expected),
      `${answer.body?.faultstring} has not: ${expected}`,
    )
  }
  if (recommended?.status === undefined) assertBody(each, world, answer)
}

function assertBody(each: Case, world: World, answer: Answer): void {
  const expected: Json =
    each.expect_body === undefined ? undefined : settledAnswer(filled(each.expect_body, world))
  if (isHookEnvelope(expected)) {
    const sentence = String(expected.description ?? '')
    if (sentence !== '') assert.equal(answer.body.faultstring, sentence)
  } else if (expected !== undefined) {
    assertContains(answer.body, expected, 'body')
  }
  if (each.expect_keys !== undefined)
    assert.deepEqual(Object.keys(answer.body.healthmonitor as object), each.expect_keys)
  if (each.expect_empty_body === true) assert.ok(answer.body === undefined || answer.body === '')
  if (each.expect_item_keys !== undefined) {
    for (const item of answer.body.healthmonitors as object[]) {
      assert.deepEqual(Object.keys(item).toSorted(), each.expect_item_keys.toSorted())
    }
  }
  for (const [name, value] of Object.entries(each.expect_headers ?? {})) {
    assert.equal(answer.headers[name.toLowerCase()], value.replace('<auth url>', AUTH_URL))
  }
  const listed = (answer.body?.healthmonitors ?? []) as { readonly id: string }[]
  if (each.expect_monitors !== undefined && each.expect_item_keys === undefined) {
    const labels = Object.fromEntries(Object.entries(world.ids).map(([name, id]) => [id, name.slice(1)]))
    assert.deepEqual(
      listed.map(({ id }) => labels[id]),
      each.expect_monitors,
    )
  }
  if (each.expect_contains_monitor !== undefined) {
    assert.equal(
      listed.some(({ id }) => id === world.ids['$HM']),
      each.expect_contains_monitor,
    )
  }
  if (each.expect_links !== undefined) assertLinks(each, world, answer)
}

/** The whole query stays in a link (recommended); what is recorded must be among it. */
function assertLinks(each: Case, world: World, answer: Answer): void {
  const links = answer.body.healthmonitors_links as { readonly rel: string; readonly href: string }[]
  const recommended = each.recommend?.links
  const expected = Array.isArray(recommended) ? [] : (each.expect_links ?? [])
  assert.deepEqual(
    links.map(({ rel }) => rel),
    expected.map(({ rel }) => rel),
  )
  const asked = new URLSearchParams(filled(each.path, world).split('?')[1])
  for (const [i, { query: recorded }] of expected.entries()) {
    const url = new URL(links[i]?.href ?? '')
    assert.equal(url.pathname, `/load-balancer${each.path.split('?')[0]}`)
    const wanted = new URLSearchParams(filled(recorded, world))
    for (const [name, value] of asked) if (!['marker', 'page_reverse'].includes(name)) wanted.set(name, value)
    url.searchParams.sort()
    wanted.sort()
    assert.equal(url.searchParams.toString(), wanted.toString())
  }
}

async function assertParents({ expect_parent_state: expected }: Case, { api, ids }: World): Promise<void> {
  if (expected === undefined) return
  const rows = await query<{ loadbalancer: string; pool: string }>(
    api.db,
    `select lb.provisioning_status as loadbalancer, p.provisioning_status as pool
     from pool p join load_balancer lb on lb.id = p.load_balancer_id where p.id = $1`,
    [ids['$POOL']],
  )
  assert.deepEqual(rows[0], forcedOr(expected, rows[0]))
}

/** After a write everything is ACTIVE; a status that was forced before a refusal stays. */
function forcedOr(
  expected: NonNullable<Case['expect_parent_state']>,
  actual: { readonly loadbalancer: string; readonly pool: string } | undefined,
): object {
  const read = (status: string, found: string | undefined): string =>
    status.startsWith('PENDING_') && found === 'ACTIVE' ? 'ACTIVE' : status
  return {
    loadbalancer: read(expected.loadbalancer, actual?.loadbalancer),
    pool: read(expected.pool, actual?.pool),
  }
}

suite('health monitors as Octavia answers them', () => {
  before(async () => {
    open = await startApi(suiteEnd)
    guarded = await startApi(suiteEnd, { db: open.db, loopbackHostsOnly: false, identity: { identify } })
    listWorld = await makeListWorld()
  })
  after(async () => {
    for (const end of ended.toReversed()) await end()
  })

  for (const each of cases.filter(({ id }) => EXCEPTIONS[id] === undefined)) {
    test(`${each.id}: ${each.name}`, async () => {
      const world = await worldOf(each)
      const answer = await send(each, world)
      assertAnswer(each, world, answer)
      await assertParents(each, world)
    })
  }

  test('every exception is a case, and no case is answered by a mistake of ours', (t) => {
    const ids = new Set(cases.map(({ id }) => id))
    assert.deepEqual(
      Object.keys(EXCEPTIONS).filter((id) => !ids.has(id)),
      [],
    )
    assert.deepEqual([...open.errors, ...guarded.errors], [])
    const exceptions = Object.keys(EXCEPTIONS).length
    t.diagnostic(`${cases.length - exceptions} of ${cases.length} cases held, ${exceptions} exceptions`)
  })
})
