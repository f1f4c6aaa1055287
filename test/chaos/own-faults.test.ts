/**
 * Every trouble of its own that a prober can have, provoked for real while it probes members that are up and of which one
 * failure is enough for OFFLINE: nobody may fall. Each test ends the trouble and sees probing go on.
 *
 * Of the resolver there is nothing to provoke: targets, canaries and PROXY addresses are addresses. The namespaces of
 * these tests have no resolver at all.
 */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { MonitorType } from '../../src/domain/types.ts'
import { query } from '../../src/store/connection/database.ts'
import { eventually, insertMembers, insertPool, statuses } from '../support/configuration.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { makeNamespace, type Namespace, throughFileSystem } from '../support/network-namespace.ts'
import { type ProberProcess, startProberProcess } from '../support/prober-process.ts'

const POOLS = 20

interface Farm {
  readonly db: TestDatabase['db']
  readonly prober: ProberProcess
  readonly namespace: Namespace
}

const TYPES: readonly MonitorType[] = ['TCP', 'HTTP', 'UDP-CONNECT', 'PING']

/** Members of all those types in a namespace, all ONLINE, probed every second; one failure is enough. */
async function farm(
  t: TestContext,
  options: {
    readonly addresses?: readonly string[]
    readonly types?: readonly MonitorType[]
    readonly environment?: NodeJS.ProcessEnv
    readonly become?: readonly string[]
    readonly prepare?: (namespace: Namespace) => Namespace
  } = {},
): Promise<Farm | undefined> {
  const namespace = makeNamespace(t)
  if (namespace === undefined) return undefined
  const { addresses = ['127.0.0.1', '::1'], types = TYPES, environment = {}, become = [] } = options
  const servers = options.prepare?.(namespace) ?? namespace
  const database = await throughFileSystem(t, await testDatabase(t))
  const port = await servers.serve(t, addresses)
  for (let i = 0; i < POOLS; i++) {
    const type = types[i % types.length] ?? 'TCP'
    const { poolId } = await insertPool(database.db, { type, rise: 1, fall: 1, profile: 'octavia' })
    // Every second pool of TCP is probed half open: by the batch where the prober may open raw sockets.
    if (type === 'TCP' && Math.floor(i / types.length) % 2 === 1) await probeHalfOpen(database.db, poolId)
    const targets = addresses.map((address) => ({ address, port }))
    await insertMembers(database.db, poolId, targets)
  }
  const prober = startProberProcess(database, environment, [...namespace.within, ...become])
  const states = async () => [...(await statuses(database.db)).values()]
  const isUp = async (): Promise<boolean> => (await states()).every(({ state }) => state === 'ONLINE')
  await eventually('every member is ONLINE', isUp, 15_000).catch(async (error: unknown) => {
    t.diagnostic(JSON.stringify([prober.log.slice(-5), (await states()).slice(0, 4)]))
    throw error
  })
  return { db: database.db, prober, namespace }
}

async function probeHalfOpen(db: TestDatabase['db'], poolId: string): Promise<void> {
  await query(db, `update health_monitor set options = $1 where pool_id = $2`, [
    JSON.stringify({ connection: { handshake: 'half' } }),
    poolId,
  ])
}

/** Inconclusive results, by reason, since the prober started. */
async function inconclusive({ db }: Pick<Farm, 'db'>): Promise<Readonly<Record<string, number>>> {
  const [row] = await query<{ seen: Record<string, number> }>(
    db,
    `select facts->'inconclusive' as seen from prober`,
  )
  return row?.seen ?? {}
}

/** Waits until the trouble has met at least two rounds of all members, ends it, and asserts that nobody fell. */
async function meets(t: TestContext, farmed: Farm, reason: string, trouble: { begin(): void; end(): void }) {
  const before = (await inconclusive(farmed))[reason] ?? 0
  trouble.begin()
  await eventually(
    `the trouble is met as ${reason}`,
    async () => ((await inconclusive(farmed))[reason] ?? 0) >= before + 2 * POOLS,
    60_000,
  ).catch(async (error: unknown) => {
    t.diagnostic(JSON.stringify([await inconclusive(farmed), farmed.prober.log.slice(-3)]))
    throw error
  })
  trouble.end()
  await settled(farmed)
  const seen = await inconclusive(farmed)
  const fallen = await query(
    farmed.db,
    `select reason, detail from member_transition where to_state = 'OFFLINE'`,
  )
  t.diagnostic(`${JSON.stringify(seen)}; members that fell: ${fallen.length}`)
  assert.deepEqual(fallen, [])
}

/** Every member has passed again. */
async function settled({ db }: Farm): Promise<void> {
  const since = new Date()
  await eventually(
    'every member passes again',
    async () => {
      const rows = await query<{ passed: number; all: number }>(
        db,
        `select count(*) filter (where o = 'passed' and at > $1) as passed, count(*) as all
         from shard_checkpoint c cross join lateral unnest(c.outcomes, c.probed_at) u (o, at)`,
        [since],
      )
      return rows[0] !== undefined && rows[0].passed === rows[0].all && rows[0].all > 0
    },
    20_000,
  )
}

const QUICK = { HM_CHECKPOINT_MS: '1000' }

test('descriptors: a prober that can open no more calls nobody OFFLINE', async (t) => {
  const farmed = await farm(t, { environment: QUICK })
  if (farmed === undefined) return
  const { pid } = farmed.prober
  const limitTo = (files: number) => spawnSync('prlimit', [`--pid=${pid}`, `--nofile=${files}:`])
  // The lowest number that probes get: below it everything is in use by the prober itself.
  let lowest = Number.POSITIVE_INFINITY
  for (let i = 0; i < 100; i++) {
    const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number))
    let free = 0
    while (open.has(free)) free++
    lowest = Math.min(lowest, free)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await meets(t, farmed, 'PROBER_NO_SOCKET', {
    begin: () => void limitTo(lowest),
    end: () => void limitTo(1024),
  })
})

test('descriptors: a prober with slow members whose limit is lowered to half of what it holds goes on and calls nobody OFFLINE', async (t) => {
  const database = await testDatabase(t)
  const answering = createServer((socket) => void socket.on('error', () => undefined).end()).listen(
    0,
    '0.0.0.0',
  )
  const silent = createServer((socket) => void socket.on('error', () => undefined)).listen(0, '0.0.0.0')
  await Promise.all([once(answering, 'listening'), once(silent, 'listening')])
  t.after(() => {
    answering.close()
    silent.close()
  })
  const portOf = (server: Server) => (server.address() as AddressInfo).port
  const membersOn = (count: number, net: number, port: number) =>
    Array.from({ length: count }, (_, i) => ({ address: `127.${net}.${i >> 8}.${i & 255}`, port }))
  const up = await insertPool(database.db, { type: 'TCP', rise: 1, fall: 1, profile: 'octavia' })
  await insertMembers(database.db, up.poolId, membersOn(20, 7, portOf(answering)))
  const slow = await insertPool(database.db, {
    type: 'HTTP',
    delaySeconds: 2,
    timeoutSeconds: 2,
    profile: 'octavia',
  })
  await insertMembers(database.db, slow.poolId, membersOn(1000, 8, portOf(silent)))
  const prober = startProberProcess(database, QUICK, ['prlimit', '--nofile=256'])
  const held = () => readdirSync(`/proc/${prober.pid}/fd`).length
  const seen = () => inconclusive(database)
  await eventually('descriptors are in use', () => Promise.resolve(held() > 150), 20_000)
  const passed = async (since: Date) => {
    const rows = await query<{ passed: number }>(
      database.db,
      `select count(*)::int as passed from shard_checkpoint c cross join lateral unnest(c.member_ids, c.outcomes, c.probed_at) u (id, o, at)
       join member m on m.id = u.id where m.pool_id = $1 and o = 'passed' and at > $2`,
      [up.poolId, since],
    )
    return rows[0]?.passed === 20
  }
  await eventually('the members that are up have passed', () => passed(new Date(0)), 20_000)
  const half = Math.floor(held() / 2)
  spawnSync('prlimit', [`--pid=${prober.pid}`, `--nofile=${half}:`])
  const before = (await seen())['PROBER_NO_SOCKET'] ?? 0
  await eventually(
    'probes miss descriptors, and slow ones time out',
    async () => {
      assert.equal(prober.child.exitCode, null, prober.log.at(-1))
      return ((await seen())['PROBER_NO_SOCKET'] ?? 0) > before + 200
    },
    30_000,
  )
  spawnSync('prlimit', [`--pid=${prober.pid}`, '--nofile=256:'])
  const since = new Date()
  await eventually('the members that are up pass again', () => passed(since), 30_000)
  assert.equal(prober.child.exitCode, null)
  const fallen = `select from member_transition t join member m on m.id = t.member_id where m.pool_id = $1 and to_state = 'OFFLINE'`
  assert.deepEqual(await query(database.db, fallen, [up.poolId]), [])
})

test('source ports: a prober whose host has none left calls nobody OFFLINE', async (t) => {
  const farmed = await farm(t, { environment: QUICK })
  if (farmed === undefined) return
  const { namespace } = farmed
  const occupy = `let missing = 16
  const taken = () => --missing || console.log('all are taken')
  for (const host of ['0.0.0.0', '::']) for (let port = 40000; port < 40004; port++) {
    require('node:net').createServer().listen({ port, host, ipv6Only: true }, taken)
    require('node:dgram').createSocket({ type: host === '::' ? 'udp6' : 'udp4', ipv6Only: host === '::' }).bind(port, host, taken)
  }`
  const [command, ...args] = [...namespace.within, process.execPath, '-e', occupy]
  const occupant = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => void occupant.kill('SIGKILL'))
  // Else the prober may be the one that has them.
  await once(occupant.stdout, 'data')
  const range = (ports: string) => namespace.run(`echo ${ports} > /proc/sys/net/ipv4/ip_local_port_range`)
  await meets(t, farmed, 'PROBER_NO_SOCKET', {
    begin: () => range('40000 40003'),
    end: () => range('32768 60999'),
  })
})

test('permissions: a prober whose host forbids its packets calls nobody OFFLINE', async (t) => {
  const farmed = await farm(t, { environment: QUICK, addresses: ['127.0.0.1'] })
  if (farmed === undefined) return
  await meets(t, farmed, 'PROBER_FORBIDDEN', {
    begin: () =>
      farmed.namespace.run(
        'ip rule add pref 100 lookup local; ip rule add pref 50 to 127.0.0.0/8 prohibit; ip rule del pref 0',
      ),
    end: () => farmed.namespace.run('ip rule del pref 50'),
  })
})

test('rights: a prober without the right to open raw sockets calls no member of a PING monitor OFFLINE', async (t) => {
  const farmed = await farm(t, {
    environment: QUICK,
    types: ['TCP', 'HTTP', 'UDP-CONNECT'],
    become: ['setpriv', '--bounding-set=-net_raw', '--inh-caps=-net_raw'],
  })
  if (farmed === undefined) return
  const { poolId } = await insertPool(farmed.db, { type: 'PING', rise: 1, fall: 1, profile: 'octavia' })
  farmed.namespace.run('echo 1 0 > /proc/sys/net/ipv4/ping_group_range')
  await insertMembers(farmed.db, poolId, [{ address: '127.0.0.1', port: 1 }])
  await eventually('the right is missed', async () => {
    const { PROBER_UNSUPPORTED = 0, PROBER_FORBIDDEN = 0 } = await inconclusive(farmed)
    return PROBER_UNSUPPORTED + PROBER_FORBIDDEN > 2
  })
  assert.deepEqual(await query(farmed.db, `select from member_transition where to_state = 'OFFLINE'`), [])
})

test('own network: a prober whose loopback is down calls nobody on it OFFLINE', async (t) => {
  const farmed = await farm(t, { environment: QUICK, addresses: ['127.0.0.1'] })
  if (farmed === undefined) return
  await meets(t, farmed, 'PROBER_OFFLINE', {
    begin: () => farmed.namespace.run('ip link set lo down'),
    end: () => farmed.namespace.run('ip link set lo up'),
  })
})

/** A second namespace with the servers on 10.77.0.2, behind a cable to the first. */
function withCable(namespace: Namespace, t: TestContext): Namespace {
  const far = makeNamespace(t)
  if (far === undefined) throw new Error('the first namespace could be made, the second not')
  namespace.run(
    `ip link add near type veth peer name far netns ${far.name}; ip addr add 10.77.0.1/24 dev near; ip link set near up`,
  )
  far.run('ip addr add 10.77.0.2/24 dev far; ip link set far up')
  return far
}

test('own network: a prober whose own device is switched off calls nobody behind it OFFLINE', async (t) => {
  const farmed = await farm(t, {
    environment: QUICK,
    addresses: ['10.77.0.2'],
    prepare: (near) => withCable(near, t),
  })
  if (farmed === undefined) return
  await meets(t, farmed, 'PROBER_OFFLINE', {
    begin: () => farmed.namespace.run('ip link set near down'),
    end: () => farmed.namespace.run('ip link set near up'),
  })
})

test('own network: a prober whose cable is pulled calls nobody behind it OFFLINE', async (t) => {
  let far: Namespace | undefined
  const farmed = await farm(t, {
    environment: QUICK,
    addresses: ['10.77.0.2'],
    prepare: (near) => (far = withCable(near, t)),
  })
  if (farmed === undefined) return
  await meets(t, farmed, 'PROBER_OFFLINE', {
    begin: () => far?.run('ip link set far down'),
    end: () => far?.run('ip link set far up'),
  })
})

test('own network: a prober that has lost the route calls nobody behind it OFFLINE', async (t) => {
  const farmed = await farm(t, {
    environment: QUICK,
    addresses: ['10.77.0.2'],
    prepare: (near) => withCable(near, t),
  })
  if (farmed === undefined) return
  await meets(t, farmed, 'PROBER_OFFLINE', {
    begin: () => farmed.namespace.run('ip route del 10.77.0.0/24'),
    end: () => farmed.namespace.run('ip route add 10.77.0.0/24 dev near src 10.77.0.1'),
  })
})

test('own network: members behind a way that only policy routing knows are OFFLINE when they fall silent', async (t) => {
  let far: Namespace | undefined
  const farmed = await farm(t, {
    environment: QUICK,
    addresses: ['10.77.0.2'],
    prepare: (near) => {
      far = withCable(near, t)
      near.run(
        'ip route del 10.77.0.0/24; ip route add 10.77.0.0/24 dev near table 100; ip rule add to 10.77.0.0/24 lookup 100',
      )
      return far
    },
  })
  if (farmed === undefined) return
  far?.run('ip addr del 10.77.0.2/24 dev far')
  // All but those of UDP-CONNECT, whose silence passes.
  const expected = Array.from({ length: POOLS }, (_, i) => TYPES[i % TYPES.length]).filter(
    (type) => type !== 'UDP-CONNECT',
  ).length
  await eventually(
    'those that answered have fallen',
    async () =>
      [...(await statuses(farmed.db)).values()].filter(({ state }) => state === 'OFFLINE').length >= expected,
    20_000,
  ).catch(async (error: unknown) => {
    t.diagnostic(JSON.stringify(await inconclusive(farmed)))
    throw error
  })
})

for (const [errno, call] of [
  ['ENOBUFS', 'connect'],
  ['ENOMEM', 'socket'],
  ['ENFILE', 'socket'],
  ['EPERM', 'connect'],
  ['ENOBUFS', 'sendmmsg'],
  ['EPERM', 'sendmmsg'],
] as const) {
  test(`memory and rights: a prober to which the kernel answers ${errno} at ${call} calls nobody OFFLINE`, async (t) => {
    if (!existsSync('/usr/bin/strace')) return t.skip('no strace here to make the kernel answer so')
    const farmed = await farm(t, { environment: QUICK })
    if (farmed === undefined) return
    let tracer: ReturnType<typeof spawn> | undefined
    t.after(() => void tracer?.kill('SIGKILL'))
    await meets(t, farmed, errno === 'EPERM' ? 'PROBER_FORBIDDEN' : 'PROBER_NO_SOCKET', {
      begin: () => {
        const filter = `inject=${call}:error=${errno}`
        const args = [
          '-f',
          '-qq',
          '-e',
          filter,
          '-e',
          `trace=${call}`,
          '-o',
          '/dev/null',
          '-p',
          String(farmed.prober.pid),
        ]
        tracer = spawn('strace', args, { stdio: 'inherit' })
      },
      end: () => void tracer?.kill('SIGINT'),
    })
  })
}

test('event loop: a prober that is busy with something else for longer than the timeout calls nobody OFFLINE', async (t) => {
  const busy = `data:text/javascript,process.on('SIGUSR2',()=>{const end=performance.now()+1700;while(performance.now()<end);})`
  const farmed = await farm(t, { environment: { ...QUICK, NODE_OPTIONS: `--import "${busy}"` } })
  if (farmed === undefined) return
  const timer = setInterval(() => farmed.prober.child.kill('SIGUSR2'), 2500)
  t.after(() => clearInterval(timer))
  const stallsSoFar = () => farmed.prober.log.filter((line) => line.includes('event loop was stalled'))
  await eventually('four stalls', () => stallsSoFar().length >= 4, 60_000)
  clearInterval(timer)
  await settled(farmed)
  const stalls = stallsSoFar()
  const fallen = await query(farmed.db, `select from member_transition where to_state = 'OFFLINE'`)
  t.diagnostic(`${stalls.length} stalls; members that fell: ${fallen.length}`)
  assert.deepEqual(fallen, [])
})
