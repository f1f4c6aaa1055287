/** The API with parents made by SQL, for tests of what hangs below pools. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { makeTargetPolicy } from '../../src/domain/address/target-policy.ts'
import { type Database, type Db, query } from '../../src/store/connection/database.ts'
import { type Answer, type ApiOptions, startApi } from './api.ts'
import type { Ending } from './database.ts'

/** Project of requests and parents that name none. */
export const PROJECT = 'project-a'

/** A port on loopback that the target policy forbids: as if the service listened there. */
export const FORBIDDEN_PORT = 9876

export interface PoolApi {
  readonly db: Database
  /** One request below /v2.0/lbaas (or to a link), as `project`; asserts that the answer is no 5xx. */
  readonly call: (
    method: string,
    path: string,
    options?: { readonly body?: unknown; readonly project?: string },
  ) => Promise<Answer>
  /** One read of dialect octavia, as PROJECT. */
  readonly octavia: (path: string) => Promise<Answer>
}

export async function startPoolApi(t: Ending, options: ApiOptions = {}): Promise<PoolApi> {
  const api = await startApi(t, {
    targetPolicy: makeTargetPolicy({
      allow: [],
      deny: [],
      loopbackAllowed: true,
      ownListeners: [{ address: '127.0.0.1', port: FORBIDDEN_PORT }],
      localAddresses: [],
    }),
    ...options,
  })
  return {
    db: api.db,
    async call(method, path, { body, project = PROJECT } = {}) {
      const below = path.startsWith(api.url) ? path.slice(api.url.length) : `/v2.0/lbaas${path}`
      const answer = await api.request(method, below, body, { 'x-project-id': project })
      const problem = JSON.stringify(api.errors.at(-1), (_, value: unknown) =>
        value instanceof Error ? value.stack : value,
      )
      assert.ok(answer.status < 500, `${method} ${path}: ${answer.status} ${problem}`)
      return answer
    },
    octavia: (path) =>
      api.request('GET', `/load-balancer/v2.0/lbaas${path}`, undefined, { 'x-project-id': PROJECT }),
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
    await query(db, 'insert into load_balancer (id, project_id, name, provider) values ($1, $2, $3, $4)', [
      loadBalancerId,
      project,
      'lb',
      provider,
    ])
  }
  await query(
    db,
    `insert into pool (id, project_id, name, load_balancer_id, protocol, lb_algorithm, shard)
     values ($1, $2, 'pool', $3, $4, 'ROUND_ROBIN', $5)`,
    [poolId, project, loadBalancerId, protocol, Number.parseInt(poolId.slice(-2), 16)],
  )
  return { loadBalancerId, poolId }
}

/** The version by which probers see that they must read a pool again. */
export async function configVersion(db: Db, poolId: string): Promise<number> {
  const rows = await query<{ config_version: number }>(db, 'select config_version from pool where id = $1', [
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
    `insert into member_state (member_id, pool_id, generation, status, since, reason, detail, evidence, ok_run, bad_run, shard,
                               epoch, sequence, written_at)
     select m.id, m.pool_id, greatest(lb.generation, p.generation, m.generation, hm.generation), $1, '2026-11-01T10:00:00Z', $2, $3,
            $4::jsonb, $5, $6, p.shard, 1, 1, $7
     from member m join pool p on p.id = m.pool_id join load_balancer lb on lb.id = p.load_balancer_id
     left join health_monitor hm on hm.pool_id = p.id
     where m.id = $8
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
