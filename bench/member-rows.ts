/** Pools, monitors and members on loopback, written by SQL in one statement: by the API 50 000 members take minutes. */
import { randomUUID } from 'node:crypto'
import type { MonitorOptions } from '../src/domain/options/monitor-options.ts'
import { shardOf } from '../src/domain/prober/shard.ts'
import type { MonitorType, Profile } from '../src/domain/types.ts'
import { type Db, query } from '../src/store/connection/database.ts'

const PROJECT = 'bench'
const STORE_MS = 120_000
/** Members of one statement. */
const MEMBERS_PER_STATEMENT = 100_000

/** The monitor of every pool. */
export interface MonitorFields {
  readonly type: MonitorType
  readonly profile: Profile
  readonly delaySeconds: number
  readonly timeoutSeconds: number
  readonly rise: number
  readonly fall: number
  readonly monitorPort: null
  readonly domainName: string | null
  readonly urlPath: string | null
  readonly httpMethod: string | null
  readonly httpVersion: '1.0' | '1.1' | null
  readonly expectedCodes: string | null
  readonly options: MonitorOptions | null
}

export interface StoredMember {
  readonly memberId: string
  readonly shard: number
}

/** A distinct address of 127.0.0.0/8 for each n from 0. */
export function loopbackAddress(n: number): string {
  return `127.${1 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`
}

const INSERT = `
with lb as (
  insert into load_balancer (id, project_id, provider) values (gen_random_uuid(), $1, 'vlb') returning id
), p as (
  insert into pool (id, project_id, load_balancer_id, protocol, lb_algorithm, shard)
  select p.id, $1, lb.id, 'TCP', 'ROUND_ROBIN', p.shard from lb, unnest($2::uuid[], $3::smallint[]) p (id, shard) returning id
), hm as (
  insert into health_monitor (id, project_id, pool_id, type, profile, delay_seconds, timeout_seconds, rise, fall,
    domain_name, url_path, http_method, http_version, expected_codes, options)
  select gen_random_uuid(), $1, p.id, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15::jsonb from p
)
insert into member (id, project_id, pool_id, address, protocol_port)
select m.id, $1, m.pool_id, m.address, $16 from unnest($17::uuid[], $18::uuid[], $19::text[]) m (id, pool_id, address)`

interface Amount {
  readonly count: number
  readonly perPool: number
  readonly port: number
}

/** Stores `count` members in pools of `perPool`, all on `port`. They appear to probers statement by statement. */
export async function storeMembers(
  db: Db,
  monitor: MonitorFields,
  { count, perPool, port }: Amount,
): Promise<readonly StoredMember[]> {
  let stored: readonly StoredMember[] = []
  const perStatement = Math.max(1, Math.floor(MEMBERS_PER_STATEMENT / perPool)) * perPool
  while (stored.length < count) {
    const amount = { count: Math.min(perStatement, count - stored.length), perPool, port }
    stored = stored.concat(await storeSome(db, monitor, { ...amount, first: stored.length }))
  }
  await query(db, 'analyze', [], STORE_MS)
  return stored
}

async function storeSome(
  db: Db,
  monitor: MonitorFields,
  { count, perPool, port, first }: Amount & { readonly first: number },
): Promise<readonly StoredMember[]> {
  const pools = Array.from({ length: Math.ceil(count / perPool) }, () => randomUUID())
  const members = Array.from({ length: count }, (_, n) => {
    const poolId = pools[Math.floor(n / perPool)]!
    return { memberId: randomUUID(), poolId, shard: shardOf(poolId), address: loopbackAddress(first + n) }
  })
  const monitorValues = [
    monitor.type,
    monitor.profile,
    monitor.delaySeconds,
    monitor.timeoutSeconds,
    monitor.rise,
    monitor.fall,
    monitor.domainName,
    monitor.urlPath,
    monitor.httpMethod,
    monitor.httpVersion,
    monitor.expectedCodes,
    monitor.options === null ? null : JSON.stringify(monitor.options),
  ]
  const memberIds = members.map(({ memberId }) => memberId)
  const poolIds = members.map(({ poolId }) => poolId)
  const addresses = members.map(({ address }) => address)
  await query(
    db,
    INSERT,
    [PROJECT, pools, pools.map(shardOf), ...monitorValues, port, memberIds, poolIds, addresses],
    STORE_MS,
  )
  return members
}
