/** A member that is probed, and an API whose requests for a probe are heard at once. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { makeProbes } from '../../src/bin/process/probe-requests.ts'
import type { ProberDeps } from '../../src/bin/process/prober.ts'
import { query } from '../../src/store/connection/database.ts'
import { type Answer, type Api, startApi } from './api.ts'
import { eventually, insertMembers, insertPool, type MonitorFields, PROJECT } from './configuration.ts'
import { type Ending, type TestDatabase, testDatabase } from './database.ts'
import { listenApart } from './ports.ts'
import { keepingLog, type TestProber, testProber } from './prober.ts'

export const DIALECTS = { elb: '/elb/v2.0/lbaas', octavia: '/load-balancer/v2.0/lbaas' } as const

export interface Target {
  readonly port: number
  /** Connections that are open. */
  readonly open: ReadonlySet<Socket>
  /** Connections so far. */
  connections(): number
  /** From now on connections are refused. */
  stop(): Promise<void>
}

/** Accepts connections, and says nothing. */
export async function aTarget(t: Ending): Promise<Target> {
  const open = new Set<Socket>()
  let connections = 0
  const server: Server = createServer((socket) => {
    connections++
    open.add(socket.on('error', () => undefined).resume())
    socket.on('close', () => open.delete(socket))
  })
  const port = await listenApart((free) =>
    once(server.listen({ port: free, host: '127.0.0.1', backlog: 1024 }), 'listening'),
  )
  const stop = async (): Promise<void> => {
    for (const socket of open) socket.destroy()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  t.after(stop)
  return { port, open, connections: () => connections, stop }
}

export interface Probed {
  readonly poolId: string
  readonly memberId: string
  readonly project: string
}

export interface ProbeWorld {
  readonly api: Api
  readonly database: TestDatabase
  /** Outcomes of requests, as the metric has them. */
  readonly outcomes: readonly string[]
  /** A pool with a monitor, and one member at each of these ports. */
  members(ports: readonly number[], monitor?: MonitorFields, project?: string): Promise<readonly Probed[]>
  /** Asks for a probe. */
  probe(member: Probed, asked?: { readonly counted?: boolean; readonly base?: string }): Promise<Answer>
  /** Of dialect elb. */
  health(member: Probed): Promise<Answer>
  /** What the end of the process does: whoever waits gets no answer. */
  stopAnswers(): Promise<void>
  /** A prober in this process. */
  prober(more?: Partial<ProberDeps>): TestProber
}

/** Delays so long that after the first probe none comes by itself. */
export const SELDOM: MonitorFields = { delaySeconds: 3600, rise: 1, fall: 1 }

export async function probeWorld(t: Ending): Promise<ProbeWorld> {
  const database = await testDatabase(t)
  const outcomes: string[] = []
  const probing = makeProbes({
    db: database.db,
    databaseUrl: database.url,
    log: keepingLog(),
    ended: (outcome) => outcomes.push(outcome),
  })
  database.beforeDrop(() => probing.close())
  probing.start()
  const api = await startApi(t, { db: database.db, probes: probing.probes })
  const of = ({ poolId, memberId }: Probed) => `/pools/${poolId}/members/${memberId}`
  return {
    api,
    database,
    outcomes,
    members: async (ports, monitor = SELDOM, project = PROJECT) => {
      const { poolId } = await insertPool(database.db, monitor, project)
      const targets = ports.map((port) => ({ address: '127.0.0.1', port }))
      const ids = await insertMembers(database.db, poolId, targets)
      return ids.map((memberId) => ({ poolId, memberId, project }))
    },
    probe: (member, { counted, base = DIALECTS.elb } = {}) =>
      api.request(
        'POST',
        `${base}${of(member)}/probe`,
        counted === undefined ? undefined : { probe: { counted } },
        { 'x-project-id': member.project },
      ),
    health: (member) =>
      api.request('GET', `${DIALECTS.elb}${of(member)}/health`, undefined, {
        'x-project-id': member.project,
      }),
    stopAnswers: () => probing.close(),
    prober: (more) => testProber(database, more),
  }
}

/** Milliseconds that a prober's start and its first probe may take. */
const BUSY_HOST_MS = 60_000

/** Resolves when probes have decided this status of the member. */
export async function decided(world: ProbeWorld, member: Probed, status: string): Promise<void> {
  await eventually(
    `the member is ${status}`,
    async () => {
      const { body } = await world.health(member)
      return body.health?.status === status && body.health.pending === false
    },
    BUSY_HOST_MS,
  )
}

export interface OnlineMember {
  readonly world: ProbeWorld
  readonly member: Probed
  /** What answers its probes. */
  readonly target: Target
  /** What probes it. */
  readonly prober: TestProber
}

/** A member that answers, that a prober of this process probes, and that is ONLINE. */
export async function onlineMember(
  t: Ending,
  { monitor, project }: { readonly monitor?: MonitorFields; readonly project?: string } = {},
): Promise<OnlineMember> {
  const world = await probeWorld(t)
  const target = await aTarget(t)
  const [member = assert.fail('no member')] = await world.members([target.port], monitor, project)
  const prober = world.prober()
  await decided(world, member, 'ONLINE')
  return { world, member, target, prober }
}

/** What is stored about a member: its verdict, its counters, when; and its transitions. */
export async function storedOf({ database: { db } }: ProbeWorld, { memberId }: Probed): Promise<unknown> {
  const state = await query(db, 'select * from member_state where member_id = $1', [memberId])
  const transitions = await query(db, 'select * from member_transition where member_id = $1', [memberId])
  return { state, transitions }
}

export async function assertNoRequestIsLeft({ database: { db } }: ProbeWorld): Promise<void> {
  await eventually('no request is left', async () => {
    const rows = await query(db, 'select from probe_request')
    return rows.length === 0
  })
}

/** The probe of an answer, which must be there. */
// oxlint-disable-next-line typescript/no-explicit-any -- assertions on the shape are what the tests are for
export function probeOf({ status, body }: Answer): any {
  assert.equal(status, 200, JSON.stringify(body))
  return body.probe
}
