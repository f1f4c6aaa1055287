/**
 * Two recorded sessions with Kuma, request by request: kumactl and curl against the control planes 1.1.6 and 2.13.10
 * (test/vectors/kuma-golden). Each answer has the status of the original and at least its fields with its values: where the
 * two versions differ, an answer has the fields of both. What differs on purpose is named here, with its reason.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { startApi } from '../support/api.ts'
import { validateDoorAnswer } from '../support/door-openapi.ts'

const FOLDER = 'test/vectors/kuma-golden'

interface Golden {
  readonly request: {
    readonly method: string
    readonly path: string
    readonly query: Readonly<Record<string, string>>
    readonly body: unknown
  }
  readonly answer: { readonly status: number; readonly body: unknown }
}

/** Values that differ in each run. */
const VOLATILE = new Set([
  'creationTime',
  'modificationTime',
  'lastSync',
  'hostname',
  'instanceId',
  'clusterId',
  'version',
  'next',
])

interface Difference {
  readonly why: string
  /** Instead of the recorded one. */
  readonly status?: number
  /** Fields that are not compared. */
  readonly without?: readonly string[]
}

const ONLINE =
  'no kuma-dp connects to this service: a proxy is online from its registration, where the original says offline'
const DERIVED: Difference = {
  why: 'nobody but the service says who is online, as in version 2; version 1 let anybody write it',
  status: 405,
}
const SUBSCRIBED: Difference = {
  why: 'the recorded subscription was written by the client of the recording; here the service says who is online',
  without: ['subscriptions'],
}
const OURS =
  'a policy checks the inbound: its health is what probes find, and what a client says of it does not count'
const JSON_REFUSAL: Difference = {
  why: 'every refusal is JSON; the original sends text here',
  without: ['*'],
}
const NO_BODY =
  'a body that cannot be read is an error of the client (400), as in version 2; version 1 says 500'
const BAD_BODY: Difference = { why: NO_BODY, status: 400, without: ['title', 'details'] }
const COUNTS = ['dataplanes', 'dpVersions', 'dataplanesByType']
const OTHER_POLICIES = 'policies of other kinds are not kept'
const OTHERS = ['MeshCircuitBreaker', 'MeshRetry', 'MeshTimeout']

/** A list of everything has no order in the original, and is sorted here. */
const UNORDERED = new Set(['k11-042-list-size0-get', 'k213-071-list-0-get'])

/** What differs on purpose, for users: docs/peers/kuma.md 70 to 78. */
const DIFFERENCES: Readonly<Record<string, Difference>> = {
  'k11-020-inspect-services-get': { why: ONLINE, without: ['dataplanes', 'status'] },
  'k11-021-inspect-meshes-get': { why: `${ONLINE}; ${OTHER_POLICIES}`, without: [...COUNTS, 'policies'] },
  'k11-027-put-badjson-put': BAD_BODY,
  'k11-029-put-badduration-put': BAD_BODY,
  'k11-033-put-b64-put': BAD_BODY,
  'k11-048-post-post': JSON_REFUSAL,
  'k11-049-patch-patch': JSON_REFUSAL,
  'k11-050-unknown-path-get': JSON_REFUSAL,
  'k11-055-si-all-get': { why: ONLINE, without: ['dataplanes', 'status'] },
  'k11-056-dpi-get': { why: ONLINE, without: ['items', 'total'] },
  'k11-057-dpi-put-put': DERIVED,
  'k11-058-mi-get': { why: `${ONLINE}; ${OTHER_POLICIES}`, without: [...COUNTS, 'policies'] },
  'k11-061-dpi-online-put': DERIVED,
  'k11-062-dpi-online-web-put': DERIVED,
  'k11-063-inspect-degraded-get': SUBSCRIBED,
  'k11-065-dp-get-get': { why: OURS, without: ['health'] },
  'k11-066-inspect-online-get': {
    why: `${OURS}; the subscription is ours`,
    without: ['health', 'subscriptions'],
  },
  'k11-068-inspect-alldown-get': SUBSCRIBED,
  'k11-071-dpi-b02-put': DERIVED,
  'k11-073-dpi-b03-put': DERIVED,
  'k213-026-inspect-services-get': { why: ONLINE, without: ['dataplanes', 'status'] },
  'k213-027-inspect-meshes-get': {
    why: `${ONLINE}; ${OTHER_POLICIES}`,
    without: [...COUNTS, 'policies', 'resources'],
  },
  'k213-029-inspect-dp-get': { why: OTHER_POLICIES, without: [...OTHERS] },
  'k213-030-inspect-dp-pol-get': { why: OTHER_POLICIES, without: [...OTHERS] },
  'k213-031-get-ms-get': {
    why: 'the service gives no names and no virtual addresses to MeshServices: nobody would answer there',
    without: ['addresses', 'hostnameGenerators', 'vips'],
  },
  'k213-056-p-b64-put': {
    why: 'what is no base64 is refused; the original stores it and sends the text as it is',
    status: 400,
  },
  'k213-075-post-post': JSON_REFUSAL,
  'k213-076-unk-get': JSON_REFUSAL,
  'k213-077-rules-get': {
    why: `${OTHER_POLICIES}; the rules of health checks are compared below`,
    without: ['rules'],
  },
  'k213-083-dpiput-put': {
    why: 'the sentence: the original names another control plane to write to, and there is none',
    without: ['detail', 'details'],
  },
  'k213-084-dpi-get': { why: ONLINE, without: ['items', 'total'] },
}

function goldens(prefix: string): readonly (readonly [string, Golden])[] {
  return readdirSync(FOLDER)
    .filter((file) => file.startsWith(`${prefix}-`))
    .toSorted()
    .map((file) => [
      file.replace(/\.json$/, ''),
      JSON.parse(readFileSync(`${FOLDER}/${file}`, 'utf8')) as Golden,
    ])
}

interface Got {
  readonly status: number
  readonly body: unknown
}

async function send(url: string, { method, path, query, body }: Golden['request']): Promise<Got> {
  const search = new URLSearchParams(query).toString()
  const answer = await fetch(`${url}/kuma${path}${search === '' ? '' : `?${search}`}`, {
    method,
    ...(body === null ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    headers: body === null ? {} : { 'content-type': 'application/json' },
  })
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? null : JSON.parse(text) }
}

/** What of the recorded value is not in ours, as paths. */
function missing(want: unknown, got: unknown, without: ReadonlySet<string>, path = ''): readonly string[] {
  if (Array.isArray(want)) {
    if (!Array.isArray(got)) return [`${path}: ${JSON.stringify(got)} is no list`]
    if (isFindings(path)) return missingFindings(want, got, path)
    if (got.length !== want.length) return [`${path}: ${got.length} items instead of ${want.length}`]
    return want.flatMap((each, i) => missing(each, got[i], without, `${path}[${i}]`))
  }
  if (typeof want === 'object' && want !== null) {
    if (typeof got !== 'object' || got === null) return [`${path}: ${JSON.stringify(got)} is no object`]
    return Object.entries(want).flatMap(([key, value]) => {
      const below = `${path}.${key}`
      if (without.has(key)) return []
      if (!Object.hasOwn(got, key)) return [`${below} is missing`]
      const ours = (got as Record<string, unknown>)[key]
      if (VOLATILE.has(key)) return typeof ours === typeof value ? [] : [`${below}: ${typeof ours}`]
      return missing(value, ours, without, below)
    })
  }
  return want === got ? [] : [`${path}: ${JSON.stringify(got)} instead of ${JSON.stringify(want)}`]
}

/** Go walks its maps in any order. */
function isFindings(path: string): boolean {
  return path === '.causes' || path === '.invalid_parameters'
}

function missingFindings(want: readonly unknown[], got: readonly unknown[], path: string): readonly string[] {
  const sorted = (findings: readonly unknown[]) => findings.map((each) => sortedJson(each)).toSorted()
  return JSON.stringify(sorted(want)) === JSON.stringify(sorted(got))
    ? []
    : [`${path}: ${JSON.stringify(got)} instead of ${JSON.stringify(want)}`]
}

function sortedJson(value: unknown): string {
  return JSON.stringify(Object.entries(value as object).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

interface Rules {
  readonly rules: readonly { readonly type: string }[]
}

/** What of the recorded rules of health checks is not among ours. */
function rulesMissing(want: unknown, got: unknown): readonly string[] {
  const [recorded, ours] = [want as Rules, got as Rules].map(({ rules }) =>
    rules.find(({ type }) => type === 'MeshHealthCheck'),
  )
  return missing(recorded, ours, new Set(), 'rules')
}

/** As DIFFERENCES say, so many exchanges are not answered in every field as they were recorded. */
test('differences from the recordings are few, and each is still one', () => {
  assert.equal(Object.keys(DIFFERENCES).length, 31)
})

interface Named {
  readonly items: readonly { readonly name: string }[]
}

/** A list in the order of the recorded one, as far as names are the same. */
function inOrderOf(got: unknown, recorded: unknown): unknown {
  const names = (recorded as Named).items.map(({ name }) => name)
  const { items } = got as Named
  return { ...(got as Named), items: items.toSorted((a, b) => names.indexOf(a.name) - names.indexOf(b.name)) }
}

async function replay(t: TestContext, prefix: string, count: number): Promise<void> {
  const { url } = await startApi(t)
  const recorded = goldens(prefix)
  assert.equal(recorded.length, count)
  const wrong: string[] = []
  for (const [name, { request, answer }] of recorded) {
    // Deleted between two recordings.
    if (name === 'k11-081-get-size-get') {
      const path = '/meshes/default/health-checks/e1'
      assert.equal((await send(url, { method: 'DELETE', path, query: {}, body: null })).status, 200)
    }
    const difference = DIFFERENCES[name]
    const sent = await send(url, request)
    const got = UNORDERED.has(name) ? { ...sent, body: inOrderOf(sent.body, answer.body) } : sent
    validateDoorAnswer('kuma', { method: request.method, path: request.path, ...sent })
    const status = difference?.status ?? answer.status
    const without = new Set(difference?.without ?? [])
    // Version 1 answers a write with nothing.
    if (name === 'k213-077-rules-get') wrong.push(...rulesMissing(answer.body, got.body))
    const found = without.has('*') || answer.body === null ? [] : missing(answer.body, got.body, without)
    if (got.status !== status)
      wrong.push(`${name}: ${got.status} instead of ${status} ${JSON.stringify(got.body)}`)
    wrong.push(...found.map((each) => `${name}: ${each}`))
    const isSame = got.status === answer.status && missing(answer.body, got.body, new Set(), '').length === 0
    if (difference !== undefined && isSame && answer.body !== null)
      wrong.push(`${name} does not differ any more`)
  }
  assert.equal(wrong.length, 0, wrong.join('\n'))
}

test('the session of Kuma 1.1.6 is answered as the original did', async (t) => {
  await replay(t, 'k11', 85)
})

test('the session of Kuma 2.13.10 is answered as the original did', async (t) => {
  await replay(t, 'k213', 103)
})
