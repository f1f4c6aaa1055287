/** A farm without probes: members whose verdicts a test writes, and an API that tells their events at once. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { makeEvents } from '../../src/bin/process/events.ts'
import { type Database, query } from '../../src/store/connection/database.ts'
import { claimShards } from '../../src/store/probing/shards.ts'
import { type Api, startApi } from './api.ts'
import { insertMembers, insertPool, PROJECT } from './configuration.ts'
import { type Ending, testDatabase } from './database.ts'
import { keepingLog } from './prober.ts'
import { aVerdict, writeAllVerdicts } from './verdicts.ts'

/** A pool of two members with a monitor and a listener, probed by a prober that decides what the test says. */
export interface Farm {
  readonly db: Database
  readonly poolId: string
  readonly members: readonly string[]
  /** Writes one verdict per member. */
  decide(status: 'ONLINE' | 'OFFLINE', members?: readonly string[]): Promise<void>
}

/** A prober that owns every shard. */
export async function aProber(db: Database): Promise<string> {
  const owner = randomUUID()
  await claimShards(db, { owner, count: 256, foreignToo: true })
  return owner
}

export async function aFarm(db: Database, owner: string, project = PROJECT): Promise<Farm> {
  const { poolId, shard, loadBalancerId } = await insertPool(db, {}, project)
  await query(
    db,
    `insert into listener (id, project_id, load_balancer_id, default_pool_id, protocol, protocol_port)
     values ($1, $2, $3, $4, 'TCP', 80)`,
    [randomUUID(), project, loadBalancerId, poolId],
  )
  const members = await insertMembers(db, poolId, [
    { address: '127.0.0.1', port: 1001 },
    { address: '127.0.0.1', port: 1002 },
  ])
  let sequence = 0
  return {
    db,
    poolId,
    members,
    decide: async (status, some = members) => {
      const checks = await query<{ id: string; generation: number }>(
        db,
        'select id, check_generation as generation from member_detail where id = any($1::uuid[])',
        [some],
      )
      const held = await writeAllVerdicts(
        db,
        owner,
        checks.map(({ id, generation }) => {
          const verdict = aVerdict(id, shard, ++sequence, { status, generation })
          return {
            ...verdict,
            transitions: [{ ...verdict.transitions[0]!, to: status, generation, sequence }],
          }
        }),
      )
      assert.equal(held.size, 1)
    },
  }
}

/** An API whose events have positions at once. */
export async function live(t: Ending): Promise<Api & { readonly farm: Farm; readonly other: Farm }> {
  const database = await testDatabase(t)
  const events = makeEvents(database.db, database.url, keepingLog())
  database.beforeDrop(() => events.close())
  events.start()
  const api = await startApi(t, { db: database.db, events })
  const owner = await aProber(database.db)
  const farm = await aFarm(database.db, owner)
  return { ...api, farm, other: await aFarm(database.db, owner, 'another') }
}
