import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DIALECTS } from '../../../src/api/dialects.ts'
import { type DevelopmentIdentity, developmentIdentity } from '../../../src/identity/development.ts'
import type { DevelopmentAnswer, DevelopmentRequest } from '../../../src/identity/development-call.ts'
import { developmentIdentify } from '../../../src/identity/development-identify.ts'
import { developmentKey } from '../../../src/identity/development-token.ts'
import { type KeystoneGolden, keystoneGolden } from '../../support/goldens.ts'

const KEY = Buffer.alloc(32, 7)
const BASE = 'http://127.0.0.1:5000'

function start(wallNow = () => Date.now()): DevelopmentIdentity {
  return developmentIdentity({ key: KEY, defaultProject: 'default', wallNow })
}

function ask(identity: DevelopmentIdentity, request: Partial<DevelopmentRequest>): DevelopmentAnswer {
  return identity.handle({
    method: 'GET',
    path: '/identity/v3',
    query: new URLSearchParams(),
    authToken: undefined,
    subjectToken: undefined,
    body: '',
    baseUrl: BASE,
    services: DIALECTS.flatMap((dialect) => dialect.services),
    ...request,
  })
}

function logIn(
  identity: DevelopmentIdentity,
  auth: object,
  path = '/identity/v3/auth/tokens',
): DevelopmentAnswer {
  return ask(identity, { method: 'POST', path, body: JSON.stringify({ auth }) })
}

const tokenIn = (answer: DevelopmentAnswer): string => answer.headers?.['X-Subject-Token'] ?? assert.fail()
// oxlint-disable-next-line typescript/no-explicit-any -- token documents are looked into by the tests
const documentIn = (answer: DevelopmentAnswer): any => (answer.body as { token?: unknown }).token

function password(name: string, scope?: unknown, domain = 'Default') {
  const user = { name, domain: { name: domain }, password: 'any' }
  return {
    identity: { methods: ['password'], password: { user } },
    ...(scope === undefined ? {} : { scope }),
  }
}
const inProject = (name: string) => ({ project: { name, domain: { name: 'Default' } } })

/** Keys and kinds of a JSON value; of an array, those of its first item. Order of keys means nothing to deepEqual. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])]
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shapeOf(item)]))
}

/** What the recorded request was, but for the path of the identity. */
function recorded({ curl_args: args }: KeystoneGolden): Partial<DevelopmentRequest> {
  const data = args.indexOf('-d')
  const method = args.indexOf('-X')
  const url = new URL(args.at(-1) ?? '')
  return {
    method: method >= 0 ? (args[method + 1] ?? '') : data >= 0 ? 'POST' : 'GET',
    path: `/identity${url.pathname}`.replace(/\/$/, ''),
    query: url.searchParams,
    body: data >= 0 ? (args[data + 1] ?? '') : '',
  }
}

test('logins answer with the status, headers and shape of the recorded ones', () => {
  for (const name of [
    'issue-201',
    'issue-unscoped-201',
    'issue-system-scoped-201',
    'issue-empty-400',
    'issue-not-json-400',
  ]) {
    const golden = keystoneGolden(name)
    const answer = ask(start(), recorded(golden))
    assert.equal(answer.status, golden.status, name)
    assert.deepEqual(shapeOf(answer.body), shapeOf(golden.body), name)
    assert.equal('X-Subject-Token' in (answer.headers ?? {}), 'X-Subject-Token' in golden.headers, name)
    if (golden.status >= 400) assert.deepEqual(answer.body, golden.body, name)
    else assert.match(documentIn(answer).expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000Z$/)
  }
})

test('version documents are the recorded ones', () => {
  for (const name of ['version-root-300', 'version-v3-200']) {
    const golden = keystoneGolden(name)
    const answer = ask(start(), recorded(golden))
    assert.equal(answer.status, golden.status)
    assert.equal(
      JSON.stringify(answer.body).replaceAll(`${BASE}/identity`, BASE),
      JSON.stringify(golden.body),
      name,
    )
  }
  assert.equal(ask(start(), { path: '/identity' }).headers?.['Location'], `${BASE}/identity/v3/`)
})

test('validation, revocation and their refusals are the recorded ones', () => {
  const identity = start()
  const admin = tokenIn(logIn(identity, password('admin', inProject('admin'))))
  const demo = tokenIn(logIn(identity, password('demo', inProject('demo'))))
  const other = tokenIn(logIn(identity, password('alt', inProject('alt'))))
  const cases: readonly (readonly [string, string | undefined, string | undefined])[] = [
    ['validate-200', admin, demo],
    ['validate-nocatalog-200', admin, demo],
    ['validate-self-200', demo, demo],
    ['validate-bad-auth-401', 'nonsense', demo],
    ['validate-no-auth-401', undefined, demo],
    ['validate-no-subject-404', admin, undefined],
    ['validate-bad-subject-404', admin, 'nonsense'],
    ['validate-truncated-subject-404', admin, demo.slice(0, -9)],
    ['validate-by-nonadmin-403', other, demo],
    ['validate-before-revoke-200', admin, demo],
    ['revoke-204', admin, demo],
    ['validate-revoked-404', admin, demo],
  ]
  for (const [name, authToken, subjectToken] of cases) {
    const golden = keystoneGolden(name)
    const answer = ask(identity, { ...recorded(golden), authToken, subjectToken })
    assert.equal(answer.status, golden.status, name)
    if (golden.status === 204) assert.equal(answer.body, undefined)
    else assert.deepEqual(shapeOf(answer.body), shapeOf(golden.body), name)
    // Ours are no Fernet tokens, and do not say so.
    if (golden.status >= 400 && !name.endsWith('subject-404'))
      assert.deepEqual(answer.body, golden.body, name)
    if (golden.status === 401) {
      assert.equal(answer.headers?.['WWW-Authenticate'], `Keystone uri="${BASE}/identity/v3"`)
    }
  }
  const head = ask(identity, {
    method: 'HEAD',
    path: '/identity/v3/auth/tokens',
    authToken: admin,
    subjectToken: admin,
  })
  assert.deepEqual([head.status, head.body, tokenIn(head)], [200, undefined, admin])
})

test('any user and password: the name decides the roles, the project’s name its id, always the same', () => {
  const roles = (user: string) =>
    documentIn(logIn(start(), password(user, inProject('demo')))).roles.map(
      ({ name }: { name: string }) => name,
    )
  assert.deepEqual(roles('admin'), ['admin', 'member', 'reader'])
  assert.deepEqual(roles('viewer'), ['reader', 'load-balancer_observer'])
  assert.deepEqual(roles('anybody'), ['member', 'reader', 'load-balancer_member'])
  const project = (scope: unknown) => documentIn(logIn(start(), password('demo', scope))).project
  const demo = project(inProject('demo'))
  assert.match(demo.id, /^[0-9a-f]{32}$/)
  assert.deepEqual(project(inProject('demo')), demo)
  assert.notEqual(project({ project: { name: 'demo', domain: { name: 'other' } } }).id, demo.id)
  assert.equal(project({ project: { id: demo.id } }).id, demo.id)
  assert.equal(project(inProject('default')).id, 'default')
  assert.equal(project(undefined).id, 'default', 'no scope: the default project')
})

test('every scope and method that clients use', () => {
  const identity = start()
  const domain = documentIn(
    logIn(identity, password('demo', { domain: { name: 'OTC00000000001' } }, 'OTC00000000001')),
  )
  assert.equal(domain.domain.name, 'OTC00000000001')
  assert.equal(domain.project, undefined)
  assert.ok(domain.catalog.length > 0 && domain.roles.length > 0)
  const first = tokenIn(logIn(identity, password('demo', 'unscoped')))
  const holder = identity.identify(first)
  assert.ok(typeof holder === 'object')
  assert.deepEqual([holder.scope, holder.projectId, holder.roles], ['unscoped', '', []])
  const rescoped = logIn(identity, {
    identity: { methods: ['token'], token: { id: first } },
    scope: inProject('demo'),
  })
  assert.equal(documentIn(rescoped).user.name, 'demo')
  assert.deepEqual(documentIn(rescoped).methods, ['token'])
  const application = logIn(identity, {
    identity: {
      methods: ['application_credential'],
      application_credential: { id: 'abc', secret: 's' },
    },
  })
  assert.equal(documentIn(application).project.id, 'default')
  const foreign = logIn(identity, { identity: { methods: ['token'], token: { id: 'nonsense' } } })
  assert.deepEqual([foreign.status, foreign.body], [401, keystoneGolden('issue-bad-password-401').body])
  for (const method of ['totp', 'constructor', '__proto__', 1]) {
    assert.equal(logIn(identity, { identity: { methods: [method], totp: {} } }).status, 401)
  }
  assert.equal(logIn(identity, password('x'.repeat(256))).status, 401)
  for (const odd of [
    'null',
    '[]',
    '""',
    '{"auth":1}',
    '{"auth":null}',
    '{"auth":[]}',
    '{"auth":{"identity":null}}',
    '{"auth":{"identity":{"methods":"password"}}}',
  ]) {
    assert.equal(
      ask(identity, { method: 'POST', path: '/identity/v3/auth/tokens', body: odd }).status,
      400,
      odd,
    )
  }
})

test('the catalogue has what every client looks for, also in the region that the OTC family derives', () => {
  interface Entry {
    type: string
    endpoints: { interface: string; region: string; url: string }[]
  }
  const publicOf = (answer: DevelopmentAnswer, region: string) =>
    Object.fromEntries(
      (documentIn(answer).catalog as Entry[]).map(({ type, endpoints }) => [
        type,
        endpoints.find((one) => one.interface === 'public' && one.region === region)?.url,
      ]),
    )
  const answer = logIn(start(), password('demo', inProject('eu-de_demo')))
  const { id } = documentIn(answer).project
  for (const region of ['RegionOne', 'eu-de']) {
    assert.deepEqual(publicOf(answer, region), {
      identity: `${BASE}/identity/v3`,
      'load-balancer': `${BASE}/load-balancer`,
      network: BASE,
      elb: `${BASE}/elb`,
      elbv3: `${BASE}/elb/v3/${id}`,
    })
  }
  const domain = logIn(start(), password('demo', { domain: { name: 'Default' } }))
  assert.equal(publicOf(domain, 'RegionOne')['elbv3'], `${BASE}/elb/v3/none`, 'a domain names no project')
  const named = logIn(start(), password('demo', inProject('demo')), '/identity/eu-nl/v3/auth/tokens')
  assert.equal(publicOf(named, 'eu-nl')['elb'], `${BASE}/elb`)
  assert.equal(publicOf(named, 'eu-nl')['identity'], `${BASE}/identity/eu-nl/v3`)
})

test('look-ups after a login: projects, users, domains, catalogue; nothing without a token', () => {
  const identity = start()
  const authToken = tokenIn(logIn(identity, password('admin', inProject('demo'))))
  const get = (path: string, query = '') =>
    ask(identity, { path: `/identity/v3${path}`, query: new URLSearchParams(query), authToken })
  const found = get('/projects', 'name=other').body as { projects: { id: string; name: string }[] }
  assert.equal(found.projects[0]?.name, 'other')
  const unscoped = tokenIn(logIn(identity, password('admin', 'unscoped')))
  const byName = { path: '/identity/v3/projects', query: new URLSearchParams('name=other') }
  assert.deepEqual(ask(identity, { ...byName, authToken: unscoped }).body, found)
  for (const method of ['PUT', 'PATCH'])
    assert.equal(ask(identity, { method, path: '/identity/v3/auth/tokens', authToken }).status, 405, method)
  const own = documentIn(logIn(identity, password('admin', inProject('demo')))).project.id as string
  assert.equal((get(`/projects/${own}`).body as { project: { name: string } }).project.name, 'demo')
  assert.equal(get('/projects/other').status, 404, 'a name is no id')
  assert.equal(get(`/projects/${found.projects[0]?.id}`).status, 200)
  assert.equal(get('/users', 'name=admin').status, 200)
  assert.equal(get('/domains/default').status, 200)
  for (const list of ['catalog', 'projects', 'domains']) assert.equal(get(`/auth/${list}`).status, 200)
  for (const path of ['/nothing', '/constructor', '/auth/nothing', '/projects/a/b'])
    assert.equal(get(path).status, 404, path)
  assert.equal(ask(identity, { path: '/identity/v3/projects' }).status, 401)
  assert.equal(ask(identity, { path: '/identity/v3/projects', method: 'POST', authToken }).status, 405)
  assert.equal(ask(identity, { path: '/identity/v2.0/tokens' }).status, 404)
})

test('what a look-up finds is described as clients read it, and a list without a name is empty', () => {
  const identity = start()
  const authToken = tokenIn(logIn(identity, password('admin', inProject('demo'))))
  const get = (path: string, query = '') =>
    ask(identity, { path: `/identity/v3${path}`, query: new URLSearchParams(query), authToken }).body
  const links = (path: string) => ({ links: { self: `${BASE}/identity/v3${path}` } })
  const found = { enabled: true, options: {} }
  const withoutParent = { ...found, description: '', tags: [] }
  const { projects } = get('/projects', 'name=other') as { projects: { id: string }[] }
  const id = projects[0]?.id ?? assert.fail()
  const project = { ...withoutParent, id, name: 'other', ...links(`/projects/${id}`) }
  const inDefault = { domain_id: 'default', parent_id: 'default', is_domain: false }
  assert.deepEqual(projects, [{ ...project, ...inDefault }])
  const { users } = get('/users', 'name=admin') as { users: { id: string }[] }
  const user = users[0]?.id ?? assert.fail()
  assert.deepEqual(users, [
    {
      ...found,
      id: user,
      name: 'admin',
      domain_id: 'default',
      password_expires_at: null,
      ...links(`/users/${user}`),
    },
  ])
  assert.deepEqual(get('/domains/default'), {
    domain: { ...withoutParent, id: 'default', name: 'Default', ...links('/domains/default') },
  })
  for (const list of ['projects', 'users', 'domains']) {
    const self = `${BASE}/identity/v3/${list}`
    assert.deepEqual(get(`/${list}`), { [list]: [], links: { next: null, self, previous: null } })
  }
})

test('its token decides; one that has ended must be renewed; any other text is no identity', async () => {
  let now = Date.now()
  const identity = start(() => now)
  const identify = developmentIdentify(identity, 'default')
  const token = tokenIn(logIn(identity, password('viewer', inProject('demo'))))
  const holder = await identify({ 'x-auth-token': token, 'x-project-id': 'other' })
  assert.match(holder.projectId, /^[0-9a-f]{32}$/)
  assert.deepEqual([holder.roles, holder.confined], [['reader', 'load-balancer_observer'], false])
  const forged = `${token.slice(0, -4)}AAAA`
  for (const other of ['notused', forged, 'hmdev1.e30.', 'hmdev1..', '']) {
    assert.equal((await identify({ 'x-auth-token': other })).projectId, 'default', other)
    assert.equal((await identify({ 'x-auth-token': other, 'x-project-id': 'p' })).projectId, 'p', other)
  }
  const elsewhere = developmentIdentity({ key: Buffer.alloc(32, 8), defaultProject: 'default' })
  assert.equal(elsewhere.identify(token), undefined)
  now += 3_600_000
  assert.throws(() => identify({ 'x-auth-token': token }), { code: 'UNAUTHENTICATED' })
})

test('the key is made once, for its owner only, and one that is damaged is not used', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hm-key-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const inner = join(folder, 'data')
  const key = developmentKey(inner)
  assert.equal(key.length, 32)
  assert.deepEqual(developmentKey(inner), key)
  assert.deepEqual(readdirSync(inner), ['identity.key'])
  assert.equal(statSync(join(inner, 'identity.key')).mode & 0o777, 0o600)
  assert.deepEqual(readFileSync(join(inner, 'identity.key')), key)
  writeFileSync(join(inner, 'identity.key'), 'short')
  assert.throws(() => developmentKey(inner), /is not a key of 32 bytes: remove it/)
})

test('a look-up by name is in the domain that it names, and a token of another form is none', async () => {
  const identity = start()
  const authToken = tokenIn(logIn(identity, password('admin', inProject('demo'))))
  const found = (collection: string, query: string): unknown => {
    const { body } = ask(identity, {
      path: `/identity/v3/${collection}`,
      query: new URLSearchParams(query),
      authToken,
    })
    const [first] = (body as Record<string, { id: string; domain_id: string }[]>)[collection] ?? []
    return [first?.id, first?.domain_id]
  }
  for (const collection of ['projects', 'users']) {
    const inDefault = found(collection, 'name=other')
    assert.deepEqual(found(collection, 'name=other&domain_id=default'), inDefault)
    const [id, domain] = found(collection, 'name=other&domain_id=elsewhere') as string[]
    assert.equal(domain, 'elsewhere')
    assert.notEqual(id, (inDefault as string[])[0])
  }
  const [, claims = ''] = authToken.split('.')
  const signed = (form: string) => {
    const payload = `${form}.${claims}`
    return `${payload}.${createHmac('sha256', KEY).update(payload).digest('base64url')}`
  }
  assert.equal(signed('hmdev1'), authToken)
  assert.equal(identity.identify(signed('hmdev2')), undefined)
  assert.equal(identity.identify(`${authToken}.more`), undefined)
})
