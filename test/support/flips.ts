/** Members whose verdicts change: what a prober writes, without probes. */
import { randomUUID } from 'node:crypto'
import { type Database, query } from '../../src/store/connection/database.ts'
import { readEvents } from '../../src/store/event/events.ts'
import { claimShards } from '../../src/store/probing/shards.ts'
import type { ServiceEvent } from '../../src/domain/event/event.ts'
import { insertMembers, insertPool, PROJECT } from './configuration.ts'
import { aVerdict, writeAllVerdicts } from './verdicts.ts'

export interface FlippingFarm {
  readonly members: readonly string[]
  /** Turns the verdict of one member round, as one statement of a prober. */
  flip(index: number): Promise<void>
  /** Every event that has a position, in order. */
  events(after?: number): Promise<readonly ServiceEvent[]>
}

/** One pool with this many members, and a prober that owns every shard. */
export async function flippingFarm(db: Database, memberCount: number): Promise<FlippingFarm> {
  const owner = randomUUID()
  await claimShards(db, { owner, count: 256, foreignToo: true })
  const { poolId, shard, loadBalancerId } = await insertPool(db)
  // A pool without one has no status.
  await query(
    db,
    `insert into listener (id, project_id, load_balancer_id, default_pool_id, protocol, protocol_port)
     values ($1, $2, $3, $4, 'TCP', 80)`,
    [randomUUID(), PROJECT, loadBalancerId, poolId],
  )
  const targets = Array.from({ length: memberCount }, (_, i) => ({ address: '127.0.0.1', port: 1001 + i }))
  const members = await insertMembers(db, poolId, targets)
  const [row] = await query<{ n: number }>(db, 'select max(check_generation) as n from member_detail')
  const generation = row?.n ?? 1
  const isOnline = members.map(() => false)
  let sequence = 0
  return {
    members,
    flip: async (index) => {
      const status = isOnline[index] === true ? 'OFFLINE' : 'ONLINE'
      isOnline[index] = status === 'ONLINE'
      const verdict = aVerdict(members[index] ?? '', shard, ++sequence, { status, generation })
      const transitions = verdict.transitions.map((one) => ({ ...one, to: status, generation }) as const)
      await writeAllVerdicts(db, owner, [{ ...verdict, transitions }])
    },
    events: (after = 0) =>
      readEvents(db, { after, upTo: Number.MAX_SAFE_INTEGER, limit: 100_000, filter: {} }),
  }
}
