/** The API on a database of its own with parents made by SQL, for tests of what hangs below pools. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createApp } from '../../src/api/app.ts'
import type { ApiSettings } from '../../src/api/context.ts'
import { makeTargetPolicy } from '../../src/domain/target-policy.ts'
import { noIdentity } from '../../src/identity/no-identity.ts'
import { type Db, query } from '../../src/store/database.ts'
import { type Ending, testDatabase } from './database.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The parsed body; undefined when it is empty. */
  readonly body: Readonly<Record<string, unknown>>
}

export interface PoolApi {
  readonly db: Db
  readonly base: string
  /** One request below /v2.0/lbaas, as `project`; asserts that no answer is a 5xx. */
  readonly call: (
    method: string,
    path: string,
    options?: { readonly body?: unknown; readonly project?: string },
  ) => Promise<Answer>
}

/** Project of requests and parents that name none. */
export const PROJECT = 'project-a'

/** Starts the API with no quotas and pages of at most `pageMax`. */
export async function startPoolApi(t: Ending, settings: Partial<ApiSettings> = {}): Promise<PoolApi> {
  const { db } = await testDatabase(t)
  const app = createApp({
    db,
    settings: {
      defaultDialect: 'elb',
      pageMax: 2000,
      quotas: { loadbalancer: -1, listener: -1, pool: -1, member: -1, healthmonitor: -1 },
      loopbackHostsOnly: true,
      ...settings,
    },
    log: { info: () => undefined, error: (fields) => console.error(fields) },
    identify: noIdentity(PROJECT),
    targetPolicy: makeTargetPolicy({
      allow: [],
      deny: [],
      loopbackAllowed: true,
      ownListeners: [{ address: '127.0.0.1', port: 9876 }],
      localAddresses: [],
    }),
    observe: () => undefined,
  })
  const server = createServer(app.callback())
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  t.after(async () => {
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
  })
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2.0/lbaas`
  return {
    db,
    base,
    async call(method, path, { body, project = PROJECT } = {}) {
      const response = await fetch(path.startsWith('http') ? path : `${base}${path}`, {
        method,
        headers: {
          'x-project-id': project,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      assert.ok(response.status < 500, `${method} ${path}: ${response.status} ${text}`)
      const parsed = (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, unknown>
      return { status: response.status, headers: response.headers, text, body: parsed }
    },
  }
}

export interface Parents {
  readonly loadBalancerId: string
  readonly poolId: string
}

/** A load balancer with a pool, by SQL. */
export async function makePool(
  db: Db,
  options: {
    readonly project?: string
    readonly protocol?: string
    readonly loadBalancerId?: string
    readonly provider?: string
  } = {},
): Promise<Parents> {
  const { project = PROJECT, protocol = 'HTTP', provider = 'vlb' } = options
  const loadBalancerId = options.loadBalancerId ?? randomUUID()
  const poolId = randomUUID()
  if (options.loadBalancerId === undefined) {
    await query(db, 'insert into load_balancer (id, project_id, name, provider) values (?, ?, ?, ?)', [
      loadBalancerId,
      project,
      'lb',
      provider,
    ])
  }
  await query(
    db,
    `insert into pool (id, project_id, name, load_balancer_id, protocol, lb_algorithm, shard)
     values (?, ?, 'pool', ?, ?, 'ROUND_ROBIN', ?)`,
    [poolId, project, loadBalancerId, protocol, Number.parseInt(poolId.slice(-2), 16)],
  )
  return { loadBalancerId, poolId }
}

/** The version that tells probers to read a pool again. */
export async function configVersion(db: Db, poolId: string): Promise<number> {
  const rows = await query<{ config_version: number }>(db, 'select config_version from pool where id = ?', [
    poolId,
  ])
  return rows[0]?.config_version ?? -1
}

/** Writes the verdict that a prober would write for a check of the current generation. */
export async function writeVerdict(
  db: Db,
  memberId: string,
  verdict: {
    readonly status: 'ONLINE' | 'OFFLINE'
    readonly reason?: string
    readonly detail?: string
    readonly evidence?: object
    readonly okRun?: number
    readonly badRun?: number
    readonly writtenAt?: Date
  },
): Promise<void> {
  const { status, reason = status === 'ONLINE' ? 'PASSED' : 'CONNECT_REFUSED' } = verdict
  await query(
    db,
    `insert into member_state (member_id, generation, status, since, reason, detail, evidence, ok_run, bad_run, shard,
                               epoch, sequence, written_at)
     select m.id, greatest(lb.generation, p.generation, m.generation, hm.generation), ?, '2026-11-01T10:00:00Z', ?, ?,
            ?::jsonb, ?, ?, p.shard, 1, 1, ?
     from member m join pool p on p.id = m.pool_id join load_balancer lb on lb.id = p.load_balancer_id
     left join health_monitor hm on hm.pool_id = p.id
     where m.id = ?
     on conflict (member_id) do update set generation = excluded.generation, status = excluded.status,
       reason = excluded.reason, detail = excluded.detail, evidence = excluded.evidence, ok_run = excluded.ok_run,
       bad_run = excluded.bad_run, written_at = excluded.written_at`,
    [
      status,
      reason,
      verdict.detail ?? '',
      JSON.stringify(verdict.evidence ?? {}),
      verdict.okRun ?? 0,
      verdict.badRun ?? 0,
      verdict.writtenAt ?? new Date(),
      memberId,
    ],
  )
}
