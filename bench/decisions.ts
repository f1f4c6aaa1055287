/** Verdicts of the benches' members, written as probers write them. */
import { randomUUID } from 'node:crypto'
import { SHARD_COUNT } from '../src/domain/limits.ts'
import type { VerdictWrite } from '../src/domain/prober/check.ts'
import { type Database, query } from '../src/store/connection/database.ts'
import { beat, claimShards } from '../src/store/probing/shards.ts'
import { writeVerdicts } from '../src/store/probing/verdicts.ts'
import { PROJECT } from './api-rows.ts'

/** Longer than any bench. */
const LEASE_MS = 4 * 3_600_000

/** Writes verdicts of members by their numbers. */
export type Decide = (members: readonly number[], status: 'ONLINE' | 'OFFLINE') => Promise<void>

/** Owns all shards, as a prober would. */
export async function decider(db: Database): Promise<Decide> {
  const owner = randomUUID()
  await beat(db, { id: owner, host: 'bench', pid: process.pid, leaseMs: LEASE_MS })
  await query(db, 'update shard set epoch = 1')
  const shards = await claimShards(db, { owner, count: SHARD_COUNT, foreignToo: true })
  const epoch = shards[0]?.epoch ?? 0
  const rows = await query<{ id: string; shard: number; generation: number }>(
    db,
    `select m.id, p.shard, m.check_generation as generation from member_detail m join pool p on p.id = m.pool_id order by m.id`,
  )
  let sequence = 1
  return async (members, status) => {
    const verdicts = members.map((n) => verdictOf(rows[n]!, { status, epoch, sequence: ++sequence }))
    await writeVerdicts(db, owner, verdicts)
  }
}

function verdictOf(
  { id, shard, generation }: { readonly id: string; readonly shard: number; readonly generation: number },
  {
    status,
    epoch,
    sequence,
  }: { readonly status: 'ONLINE' | 'OFFLINE'; readonly epoch: number; readonly sequence: number },
): VerdictWrite {
  const why = {
    reason: status === 'ONLINE' ? ('PASSED' as const) : ('CONNECT_REFUSED' as const),
    detail: status === 'ONLINE' ? '' : 'connect ECONNREFUSED',
    evidence: { type: 'TCP', address: '127.0.0.1', port: 80, timeout_ms: 3000 },
  }
  const at = Date.now()
  return {
    memberId: id,
    projectId: PROJECT,
    shard,
    sequence,
    epoch,
    generation,
    status,
    since: at,
    ...why,
    okRun: 0,
    badRun: 0,
    transitions: [
      {
        at,
        from: status === 'ONLINE' ? 'OFFLINE' : 'ONLINE',
        to: status,
        ...why,
        generation,
        dropped: 0,
        sequence,
      },
    ],
  }
}

/** A statement of the result writer has no more. */
const AT_ONCE = 5000
/** Members fail together by pool, not by id: this has no factor in common with numbers of members such as 100 000. */
const STRIDE = 61_803

/** Changes of all members in turn, spread over their ids, each to the other status than the time before. */
export class Changes {
  readonly #decide: Decide
  readonly #members: number
  #made = 0

  constructor(decide: Decide, members: number) {
    this.#decide = decide
    this.#members = members
  }

  async next(count: number): Promise<void> {
    for (let left = count; left > 0; ) {
      const first = this.#made % this.#members
      const some = Math.min(left, AT_ONCE, this.#members - first)
      const isFirstRound = Math.floor(this.#made / this.#members) % 2 === 0
      await this.#decide(
        Array.from({ length: some }, (_, i) => ((first + i) * STRIDE) % this.#members),
        isFirstRound ? 'OFFLINE' : 'ONLINE',
      )
      this.#made += some
      left -= some
    }
  }
}
