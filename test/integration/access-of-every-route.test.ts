/** Every route of every dialect, called by those who must not. A route that test/support/every-route.ts does not know fails. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { DIALECTS } from '../../src/api/dialects.ts'
import type { ApiDependencies, Route } from '../../src/api/http/context.ts'
import type { Answer, Json } from '../support/api.ts'
import { SUBNET, wrapped } from '../support/api-objects.ts'
import { KNOWN_ROUTES, type KnownRoute } from '../support/every-route.ts'
import { answeredAtOnce } from '../support/probe-answers.ts'
import {
  type Actor,
  FOREIGN,
  OWNER,
  type Owned,
  SECRET,
  startTwoProjects,
  type TwoProjects,
} from '../support/two-projects.ts'

type DialectName = (typeof DIALECTS)[number]['name']

interface Operation {
  readonly dialect: DialectName
  readonly prefix: string
  readonly route: Route
  readonly name: string
  readonly known: KnownRoute
}

const DEPENDENCIES = { settings: {} } as ApiDependencies
const OPERATIONS = DIALECTS.flatMap((dialect) =>
  dialect.routes(DEPENDENCIES).map((route): Operation => {
    const name = `${route.method.toUpperCase()} ${(route.paths[0] ?? '').replace(/^\/v2\.0\/lbaas/, '') || '/'}`
    const known = KNOWN_ROUTES[dialect.name]?.[name]
    assert.ok(known, `${dialect.name} has ${name}: say in test/support/every-route.ts who may do it`)
    return { dialect: dialect.name, prefix: dialect.prefix, route, name: `${dialect.name}: ${name}`, known }
  }),
)

const isWrite = ({ known: { kind } }: Operation): boolean => /write|act|impossible/.test(kind)

/** Every spelling of the path, about the objects of `of`; a project in the path is `project`. */
function pathsOf({ prefix, route, known }: Operation, of: Owned, project: string): string[] {
  const values: Readonly<Record<string, string>> = { project_id: project, ...known.parameters(of) }
  return route.paths.map((path) => {
    const filled = path.replaceAll(
      /:(\w+)/g,
      (_, name: string) => values[name] ?? assert.fail(`${path}: ${name}`),
    )
    return `${prefix}${filled}${known.query ?? ''}`
  })
}

const bodiesOf = ({ known }: Operation, of: Owned): readonly unknown[] => known.bodies?.(of) ?? [undefined]

/** Refused as the dialect refuses: its status, its words, and nothing else. */
const REFUSALS: Readonly<Record<DialectName, Readonly<Record<401 | 403 | 404, RegExp>>>> = {
  elb: {
    401: /"error_code":"ELB\.1102"/,
    403: /"error_msg":"Policy doesn't allow os_load-balancer_api:[\w:-]+ to be performed\."/,
    404: /"error_msg":"[^"]+ could not be found/i,
  },
  octavia: {
    401: /"message":"The request you have made requires authentication\."/,
    403: /"faultstring":"Policy does not allow this request to be performed\."/,
    404: /"faultstring":"[^"]+ not found\."/,
  },
}

function assertRefused(operation: Operation, answer: Answer, status: 401 | 403 | 404): void {
  const text = JSON.stringify(answer.body)
  assert.equal(answer.status, status, text)
  assert.match(text, REFUSALS[operation.dialect][status])
  assert.ok(!text.includes(SECRET), text)
}

const ALL = Number.POSITIVE_INFINITY

interface Asking {
  readonly who: Actor | 'stranger' | undefined
  /** Of the paths that name one. */
  readonly project: string
  /** Of the path; 1 unless it is given. */
  readonly spellings?: number
}

/** Asks in one spelling, or in all, and with every body; the database is as before. */
async function everyAnswer(
  { ask, contents, owned }: TwoProjects,
  operation: Operation,
  { who, project, spellings = 1 }: Asking,
  check: (answer: Answer) => void,
): Promise<void> {
  const before = isWrite(operation) ? await contents() : undefined
  for (const path of pathsOf(operation, owned, project).slice(0, spellings)) {
    for (const body of bodiesOf(operation, owned)) {
      check(await ask(who, operation.route.method.toUpperCase(), path, body))
    }
  }
  if (before !== undefined) assert.deepEqual(await contents(), before, 'the database is unchanged')
}

/** One subtest per operation, so that a failure names it. */
async function forEach(
  t: TestContext,
  operations: readonly Operation[],
  check: (operation: Operation) => Promise<void>,
): Promise<void> {
  for (const operation of operations) await t.test(operation.name, () => check(operation))
}

/** Whether the next request needs other objects: after a delete, and after a batch that keeps no member. */
const leavesNothing = ({ name, route }: Operation): boolean =>
  route.method === 'delete' || name.endsWith('PUT /pools/:pool_id/members')

const ofKinds = (...kinds: readonly KnownRoute['kind'][]): Operation[] =>
  OPERATIONS.filter(({ known }) => kinds.includes(known.kind))

test('every line of the table of routes is a route', () => {
  const names = new Set(OPERATIONS.map(({ name }) => name))
  const shared = /loadbalancers\/:id\/status$/
  for (const [dialect, lines] of Object.entries(KNOWN_ROUTES)) {
    for (const line of Object.keys(lines)) {
      assert.ok(names.has(`${dialect}: ${line}`) || shared.test(line), `${dialect}: ${line}`)
    }
  }
})

test('without a token, and with one that Keystone does not know, every route but the versions is 401', async (t) => {
  const world = await startTwoProjects(t)
  await forEach(t, OPERATIONS, async (operation) => {
    const isOpen = operation.known.kind === 'open'
    for (const who of [undefined, 'stranger'] as const) {
      await everyAnswer(world, operation, { who, project: OWNER, spellings: ALL }, (answer) => {
        if (isOpen) assert.ok(answer.status < 400, String(answer.status))
        else assertRefused(operation, answer, 401)
      })
    }
  })
})

test('a foreign project reads nothing of an object and changes nothing: unknown in elb, forbidden in octavia', async (t) => {
  const world = await startTwoProjects(t)
  await forEach(t, ofKinds('object', 'write', 'act'), async (operation) => {
    await everyAnswer(world, operation, { who: 'foreign', project: FOREIGN, spellings: ALL }, (answer) =>
      assertForeign(operation, answer),
    )
  })
})

/** A create of what has no parent names its owner: elb refuses the name, octavia the deed. */
function assertForeign(operation: Operation, answer: Answer): void {
  if (operation.name === 'elb: POST /loadbalancers') {
    assert.equal(answer.status, 400, JSON.stringify(answer.body))
    return
  }
  assertRefused(operation, answer, operation.dialect === 'elb' ? 404 : 403)
}

test("elb: a path that names another project than the token's is refused, whatever it is about", async (t) => {
  const world = await startTwoProjects(t)
  const named = ofKinds('object', 'write', 'act', 'list').filter(({ dialect }) => dialect === 'elb')
  const before = await world.contents()
  await forEach(t, named, async (operation) => {
    const paths = operation.route.paths
    for (const [index, path] of pathsOf(operation, world.owned, OWNER).entries()) {
      if (paths[index]?.includes(':project_id') !== true) continue
      for (const body of bodiesOf(operation, world.owned)) {
        const answer = await world.ask('foreign', operation.route.method.toUpperCase(), path, body)
        assert.deepEqual([answer.status, answer.body.error_code], [400, 'ELB.9808'], path)
      }
    }
  })
  assert.deepEqual(await world.contents(), before)
})

test('lists show what one’s own project has, whatever a filter asks for', async (t) => {
  const world = await startTwoProjects(t)
  await forEach(t, ofKinds('list'), async (operation) => {
    const { ask, owned } = world
    const filters = ['', `?project_id=${OWNER}`, `?tenant_id=${OWNER}`]
    for (const path of pathsOf(operation, owned, FOREIGN)) {
      for (const filter of filters) {
        const answer = await ask('foreign', 'GET', `${path}${filter}`)
        const text = JSON.stringify(answer.body)
        assert.ok([200, 400, 403].includes(answer.status), text)
        assert.ok(!text.includes(SECRET) && !text.includes('4711'), `${path}${filter}: ${text}`)
        assert.doesNotMatch(text, /"(project|tenant)_id":"owner-project"/)
      }
    }
    for (const path of pathsOf(operation, owned, OWNER)) {
      assert.notEqual(itemsOf(await ask('reader', 'GET', path)).length, 0, 'the owner is shown it')
    }
  })
})

function itemsOf(answer: Answer): readonly Json[] {
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  const list = Object.values(answer.body as object).find(Array.isArray)
  return list ?? assert.fail(JSON.stringify(answer.body))
}

test("a path of one's own pool with a foreign member in it finds nothing, and no body takes hold of a foreign object", async (t) => {
  const { ask, contents, owned, foreign } = await startTwoProjects(t)
  const before = await contents()
  const member = `/pools/${foreign.pool}/members/${owned.member}`
  const dependsOn = (id: string) => ({ depends_on: [id] })
  const target = { address: '127.0.0.79', protocol_port: 1, subnet_id: SUBNET }
  const ways: readonly (readonly [method: string, path: string, body?: unknown])[] = [
    ['GET', member],
    ['PUT', member, wrapped('members', { name: 'mine' })],
    ['DELETE', member],
    ['GET', `${member}/health`],
    ['POST', `${member}/probe`],
    ['GET', `${member}/transitions`],
    ['GET', `${member}/maintenance`],
    ['PUT', `${member}/maintenance`, { maintenance: {} }],
    ['DELETE', `${member}/maintenance`],
    ['PUT', `/listeners/${foreign.listener}`, wrapped('listeners', { default_pool_id: owned.emptyPool })],
    ['POST', '/healthmonitors', wrapped('healthmonitors', { ...MONITOR, pool_id: owned.emptyPool })],
    ['POST', '/listeners', wrapped('listeners', { ...LISTENER, loadbalancer_id: owned.loadBalancer })],
    [
      'POST',
      '/listeners',
      wrapped('listeners', {
        ...LISTENER,
        loadbalancer_id: foreign.loadBalancer,
        default_pool_id: owned.emptyPool,
      }),
    ],
    ['POST', '/pools', wrapped('pools', { ...POOL, listener_id: owned.emptyListener })],
    ...[owned.member, owned.pool].flatMap((parent) => [
      ['PUT', `/pools/${foreign.pool}`, wrapped('pools', dependsOn(parent))] as const,
      [
        'POST',
        '/pools',
        wrapped('pools', { ...POOL, loadbalancer_id: foreign.loadBalancer, ...dependsOn(parent) }),
      ] as const,
      [
        'PUT',
        `/pools/${foreign.pool}/members/${foreign.member}`,
        wrapped('members', dependsOn(parent)),
      ] as const,
      [
        'POST',
        `/pools/${foreign.pool}/members`,
        wrapped('members', { ...target, ...dependsOn(parent) }),
      ] as const,
      ['PUT', `/pools/${foreign.pool}/members`, { members: [{ ...target, ...dependsOn(parent) }] }] as const,
    ]),
  ]
  for (const prefix of ['/elb/v2.0/lbaas', '/load-balancer/v2.0/lbaas']) {
    for (const [method, path, body] of ways) {
      const answer = await ask('foreign', method, `${prefix}${path}`, body)
      const text = `${prefix} ${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`
      assert.ok([400, 403, 404].includes(answer.status), text)
      assert.ok(!text.includes(SECRET), text)
      assert.deepEqual(await contents(), before, text)
    }
  }
  const removal = { action: 'delete', members: [{ id: owned.member }] }
  const removed = await ask('foreign', 'PUT', `/elb/v2.0/lbaas/pools/${foreign.pool}/members`, removal)
  assert.equal(removed.status, 404, JSON.stringify(removed.body))
  assert.deepEqual(await contents(), before)
})

const POOL = { protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' }
const LISTENER = { protocol: 'HTTP', protocol_port: 4712 }
const MONITOR = { type: 'TCP', delay: 5, timeout: 3, max_retries: 2 }

test('a reader of the project reads everything and writes nothing', async (t) => {
  const world = await startTwoProjects(t)
  await forEach(t, ofKinds('object', 'list', 'shared', 'any token'), async (operation) => {
    await everyAnswer(world, operation, { who: 'reader', project: OWNER }, (answer) =>
      assert.equal(answer.status, operation.known.status, JSON.stringify(answer.body)),
    )
  })
  const refused = ofKinds('write', 'act', 'admin write', 'admin read', 'impossible', 'admin impossible')
  await forEach(t, refused, async (operation) => {
    await everyAnswer(world, operation, { who: 'reader', project: OWNER }, (answer) =>
      assertRefused(operation, answer, 403),
    )
  })
})

test('a token without a role reads nothing and writes nothing', async (t) => {
  const world = await startTwoProjects(t)
  await forEach(
    t,
    OPERATIONS.filter(({ known: { kind } }) => kind !== 'open' && kind !== 'any token'),
    async (operation) => {
      await everyAnswer(world, operation, { who: 'roleless', project: OWNER }, (answer) =>
        assertRefused(operation, answer, 403),
      )
    },
  )
})

test('a member of the project does everything in it but what is for administrators', async (t) => {
  const shared = await startTwoProjects(t, { probes: answeredAtOnce() })
  await forEach(t, ofKinds('impossible', 'act'), async (operation) => {
    await everyAnswer(shared, operation, { who: 'member', project: OWNER }, (answer) =>
      assert.equal(answer.status, operation.known.status, JSON.stringify(answer.body)),
    )
  })
  await forEach(t, ofKinds('admin write', 'admin read', 'admin impossible'), async (operation) => {
    await everyAnswer(shared, operation, { who: 'member', project: OWNER }, (answer) =>
      assertRefused(operation, answer, 403),
    )
  })
  for (const { name } of DIALECTS) {
    const before = await shared.anew()
    const writes = ofKinds('write').filter(({ dialect }) => dialect === name)
    await forEach(t, writes, (operation) =>
      assertWrites(shared, operation, leavesNothing(operation) ? undefined : before),
    )
  }
})

async function assertWrites(
  { ask, anew, contents }: TwoProjects,
  operation: Operation,
  objects: Owned | undefined,
): Promise<void> {
  const owned = objects ?? (await anew())
  const before = await contents()
  const [path = ''] = pathsOf(operation, owned, OWNER)
  const [body] = bodiesOf(operation, owned)
  const answer = await ask('member', operation.route.method.toUpperCase(), path, body)
  assert.equal(answer.status, operation.known.status, JSON.stringify(answer.body))
  assert.notDeepEqual(await contents(), before, 'so what was refused to others would have been a write')
}

test('octavia: an administrator of another project reads and changes everything', async (t) => {
  const world = await startTwoProjects(t)
  const octavia = (operations: readonly Operation[]) =>
    operations.filter(({ dialect }) => dialect === 'octavia')
  await forEach(
    t,
    octavia(ofKinds('object', 'shared', 'list', 'admin read', 'impossible', 'admin impossible')),
    async (operation) => {
      await everyAnswer(world, operation, { who: 'admin', project: OWNER }, (answer) =>
        assert.equal(answer.status, operation.known.status, JSON.stringify(answer.body)),
      )
    },
  )
  const objects = await world.anew()
  await forEach(t, octavia(ofKinds('write', 'admin write')), async (operation) => {
    const owned = leavesNothing(operation) ? await world.anew() : objects
    const [path = ''] = pathsOf(operation, owned, OWNER)
    const [body] = bodiesOf(operation, owned)
    const answer = await world.ask('admin', operation.route.method.toUpperCase(), path, body)
    assert.equal(answer.status, operation.known.status, JSON.stringify(answer.body))
  })
})
