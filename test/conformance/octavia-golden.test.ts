/**
 * One recorded session with Octavia, case by case: test/vectors/octavia-golden-cases.json. PENDING_x is ACTIVE here, times
 * and ids are compared as placeholders, and attributes that newer versions added may be there.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { type Answer, type Api, type Json, startApi } from '../support/api.ts'
import type { Ending } from '../support/database.ts'
import {
  buildWorld,
  type Golden,
  GOLDENS,
  RECORDED_PROJECT,
  settledAnswer,
  type World,
} from '../support/octavia-golden.ts'

/** What is answered otherwise on purpose: the reason, and the status that is given. */
const EXCEPTIONS: Readonly<Record<string, readonly [status: number, reason: string]>> = {
  'hm-accept-html': [406, 'JSON instead of a page of HTML'],
  'hm-accept-xml': [406, 'Octavia writes XML; nobody asks for it, and 406 is documented'],
  'hm-body-form': [415, 'no identity: bodies are JSON or nothing (docs/adr/0008-identity.md)'],
  'hm-body-no-content-type': [415, 'no identity: bodies are JSON or nothing (docs/adr/0008-identity.md)'],
  'hm-body-nul-in-name': [400, 'PostgreSQL stores no NUL, and nobody wants it on the wire'],
  'hm-body-json-null': [400, 'recorded 500'],
  'hm-body-json-string': [400, 'recorded 500'],
  'hm-body-wrapper-list': [400, 'recorded 500'],
  'hm-body-wrapper-null': [400, 'recorded 500'],
  'hm-err-delay-2147483648': [400, 'recorded 500'],
  'hm-err-url_path-xxxxxxxxxxxxxxxxxxxxxxx': [201, 'recorded 500; newer versions take 2 048 characters'],
  'hm-err-tags-a_a': [
    201,
    'recorded 409 "This pool already has a health monitor"; a tag that is there twice is there once',
  ],
  'hm-err-quota-0': [
    201,
    'no quota is set in the world of the case; quotas are enforced without identity too',
  ],
  'hm-list_limit_0': [200, 'recorded 500'],
  'member-err-port-null': [400, 'recorded 500'],
  'pool-create-nested': [400, 'recorded 500'],
  'pool-err-listener-unknown': [404, 'recorded 500'],
  'member-batch-dup': [409, 'recorded 202; newer versions refuse a target that is in the list twice'],
  'member-err-multicast': [400, 'the target policy: multicast is never probed (docs/architecture.md)'],
  'hm-list-other-project': [
    200,
    'without identity projects are separate too: the list is empty, not everybody’s',
  ],
  'lb-create': [201, 'the provider when none is named is octavia; that of the session was noop_driver'],
  'root-versions': [200, 'newer versions are listed too'],
  'root-healthcheck': [404, 'the service has its own /healthcheck, outside of the dialects'],
  'hm-method-post-id': [400, 'recorded with the wording of a Python constructor'],
}

/** Attributes of newer versions than the recorded one (2.26). */
const NEWER: ReadonlySet<string> = new Set([
  'vnic_type',
  'vip_vnic_type',
  'vip_sg_ids',
  'hsts_max_age',
  'hsts_include_subdomains',
  'hsts_preload',
])

/** Lists of ids have no order of their own. */
const UNORDERED: ReadonlySet<string> = new Set(['members', 'pools', 'listeners'])

const TIMES: ReadonlySet<string> = new Set(['created_at', 'updated_at', 'updated'])

const ended: (() => Promise<void> | void)[] = []
const suiteEnd: Ending = { after: (end) => void ended.push(end) }
let api: Api

function filled(text: string, { ids, project }: World): string {
  return Object.entries(ids).reduce(
    (all, [name, id]) => all.replaceAll(name, id),
    text.replaceAll(RECORDED_PROJECT, project),
  )
}

async function send(golden: Golden, world: World): Promise<Answer> {
  const { method, path, body, headers, raw } = golden.request
  const other = headers['X-Project-Id'] !== RECORDED_PROJECT ? headers['X-Project-Id'] : undefined
  const sent: Record<string, string> = { 'x-project-id': other ?? world.project }
  if (headers['Accept'] !== undefined) sent['accept'] = headers['Accept']
  if (headers['Content-Type'] !== undefined || raw !== undefined) {
    sent['content-type'] = headers['Content-Type'] ?? ''
  }
  const payload: unknown =
    raw !== undefined ? raw : (body ?? undefined) && JSON.parse(filled(JSON.stringify(body), world))
  // Recorded as an id in capitals.
  const target = golden.case === 'hm-method-get-upper-uuid' ? path.replace(/[^/]+$/, upperId(world)) : path
  return await api.request(method, `/load-balancer${filled(target, world)}`, payload, sent)
}

function upperId({ ids }: World): string {
  return (ids['<hm>'] ?? '').toUpperCase()
}

/** The recorded answer in the ids of this world. */
function expectedBody(golden: Golden, world: World): Json {
  const text = filled(JSON.stringify(golden.body), world).replaceAll('<base>', `${api.url}/load-balancer`)
  return settledAnswer(JSON.parse(text))
}

function assertSame(actual: Json, expected: Json, where: string): void {
  if (/<\w+>/.test(String(expected)) && typeof expected === 'string') return
  if (typeof expected !== 'object' || expected === null) {
    assert.deepEqual(actual, expected, where)
    return
  }
  if (Array.isArray(expected)) {
    assert.equal((actual as Json[])?.length, expected.length, where)
    // Members of one second have no order of their own.
    const [items, wanted] = where.endsWith('.members')
      ? [byAddress(actual), byAddress(expected)]
      : [actual, expected]
    for (const [i, item] of wanted.entries()) assertSame(items[i], item, `${where}[${i}]`)
    return
  }
  const extra = Object.keys(actual as object).filter((key) => !(key in expected) && !NEWER.has(key))
  assert.deepEqual(extra, [], where)
  for (const [key, value] of Object.entries(expected as object)) {
    if (TIMES.has(key)) continue
    const unordered = UNORDERED.has(key) && isIdList(value) && isIdList(actual[key])
    if (key === 'href') assert.equal(sortedQuery(actual[key]), sortedQuery(value))
    else if (unordered) assert.deepEqual(idsOf(actual[key]), idsOf(value), `${where}.${key}`)
    else assertSame(actual[key], value, `${where}.${key}`)
  }
}

function sortedQuery(href: string): string {
  const url = new URL(href)
  url.searchParams.sort()
  return url.href
}

function byAddress(items: Json): Json[] {
  return (items as Json[]).toSorted((a, b) => String(a.address).localeCompare(String(b.address)))
}

function isIdList(value: Json): boolean {
  return Array.isArray(value) && value.every((item: Json) => Object.keys(item as object).join() === 'id')
}

function idsOf(items: Json): string[] {
  return (items as { readonly id: string }[]).map(({ id }) => id).toSorted((a, b) => a.localeCompare(b))
}

function assertRecorded(golden: Golden, world: World, answer: Answer): void {
  assert.equal(answer.status, golden.status, JSON.stringify(answer.body))
  if (golden.request.method === 'HEAD') return
  const expected = expectedBody(golden, world)
  const isHookEnvelope = typeof expected === 'object' && expected !== null && 'title' in expected
  if (isHookEnvelope) {
    const sentence = String(expected.description ?? '')
    if (sentence !== '') assert.equal(answer.body.faultstring, sentence)
  } else if (expected === '') {
    assert.ok(answer.body === undefined || answer.body === '')
  } else if (golden.status >= 400 && /Value: '\{/.test(String(expected.faultstring))) {
    // The body as Python prints it: what follows is the reason.
    const reason = String(expected.faultstring).split("}}'. ")[1] ?? ''
    assert.ok(
      String(answer.body.faultstring).endsWith(reason),
      `${answer.body.faultstring} ends not with ${reason}`,
    )
  } else {
    assertSame(answer.body, expected, golden.case)
  }
}

suite('a recorded session with Octavia', () => {
  before(async () => {
    api = await startApi(suiteEnd, { defaultDialect: 'octavia', pageMax: 1000 })
  })
  after(async () => {
    for (const end of ended.toReversed()) await end()
  })

  for (const [i, golden] of GOLDENS.entries()) {
    const exception = EXCEPTIONS[golden.case]
    test(exception === undefined ? golden.case : `${golden.case}: otherwise, ${exception[1]}`, async () => {
      const world = await buildWorld(api, golden, `golden-${i}`)
      const answer = await send(golden, world)
      if (exception === undefined) assertRecorded(golden, world, answer)
      else assert.equal(answer.status, exception[0], JSON.stringify(answer.body))
    })
  }

  test('no answer was a mistake of ours', (t) => {
    assert.deepEqual(api.errors, [])
    const exceptions = Object.keys(EXCEPTIONS).length
    t.diagnostic(`${GOLDENS.length - exceptions} of ${GOLDENS.length} cases held, ${exceptions} exceptions`)
  })
})
