/**
 * What checkpoints cost: all shards are written a few times, and then read as a prober does that takes them over.
 *
 *   npm run build && node dist/bench/checkpoints.js [--members 100000] [--per-pool 20] [--rounds 5] [--loads 20]
 *
 * Printed: microseconds of CPU per check of this process and of PostgreSQL, for a write; and for `loads` reads of the
 * members that are loaded together (CONFIG_CHECKS_PER_LOAD), in pools of `per-pool`: pools of any shards, and pools that
 * are next to each other by their shards. On a durable PostgreSQL of its own.
 */
import { randomUUID } from 'node:crypto'
import {
  CHECKPOINT_SHARDS_PER_STATEMENT,
  CONFIG_CHECKS_PER_LOAD,
  RECENT_RESULTS_OF_A_KIND,
  SHARD_COUNT,
} from '../src/domain/limits.ts'
import type { CheckpointEntry, HeldShard, ShardCheckpoint } from '../src/domain/prober/check.ts'
import { shardOf } from '../src/domain/prober/shard.ts'
import { RECENT_BYTES, RECENT_HEADER_BYTES } from '../src/domain/result/recent-results.ts'
import { type Database, openDatabase } from '../src/store/connection/database.ts'
import { migrateToLatest } from '../src/store/connection/migrate.ts'
import { readCheckpointEntries, writeCheckpoints } from '../src/store/probing/checkpoints.ts'
import { beat, claimShards } from '../src/store/probing/shards.ts'
import { commandLine } from './command-line.ts'
import { startPostgres } from './postgres.ts'
import { postgresCpuSeconds } from './usage.ts'

const values = commandLine('node dist/bench/checkpoints.js [options]', {
  members: '100000',
  'per-pool': '20',
  rounds: '5',
  loads: '20',
})
const MEMBERS = Number(values.members)
const PER_POOL = Number(values['per-pool'])

interface Pool {
  readonly shard: number
  readonly memberIds: readonly string[]
}

function pools(): readonly Pool[] {
  return Array.from({ length: Math.ceil(MEMBERS / PER_POOL) }, () => ({
    shard: shardOf(randomUUID()),
    memberIds: Array.from({ length: PER_POOL }, () => randomUUID()),
  }))
}

function entryOf(memberId: string): CheckpointEntry {
  const nowMs = Date.now()
  const connectMs = 0.1 + Math.random()
  return {
    memberId,
    generation: 1,
    probedAt: nowMs - 1000,
    nextAt: nowMs + 4000,
    outcome: 'passed',
    reason: 'PASSED',
    phases: { connectMs, totalMs: connectMs },
    okRun: 3,
    badRun: 0,
    stale: false,
    flags: 0,
  }
}

/** Of all shards that have members, with recent results of every check. */
function checkpointsOf(stored: readonly Pool[], held: readonly HeldShard[]): readonly ShardCheckpoint[] {
  const entries = new Map<number, CheckpointEntry[]>(held.map(({ id }) => [id, []]))
  for (const { shard, memberIds } of stored) entries.get(shard)?.push(...memberIds.map(entryOf))
  return held.map(({ id, epoch }) => {
    const ofShard = entries.get(id) ?? []
    const recent = new Uint8Array(RECENT_HEADER_BYTES + ofShard.length * RECENT_BYTES)
    recent.fill(RECENT_RESULTS_OF_A_KIND)
    return { id, epoch, asOf: Date.now(), entries: ofShard, recent }
  })
}

/** CPU of this process and of PostgreSQL, in microseconds per check. */
async function costOf(db: Database, checks: number, work: () => Promise<void>): Promise<string> {
  const cpu = process.cpuUsage()
  const ofPostgres = (await postgresCpuSeconds(db)) ?? Number.NaN
  const startMs = performance.now()
  await work()
  const seconds = (performance.now() - startMs) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const theirs = ((await postgresCpuSeconds(db)) ?? Number.NaN) - ofPostgres
  return (
    `${((user + system) / checks).toFixed(2)} us of this process, ` +
    `${((theirs * 1e6) / checks).toFixed(2)} us of PostgreSQL, ${seconds.toFixed(1)} s`
  )
}

async function write(db: Database, owner: string, checkpoints: readonly ShardCheckpoint[]): Promise<void> {
  for (let from = 0; from < checkpoints.length; from += CHECKPOINT_SHARDS_PER_STATEMENT)
    await writeCheckpoints(db, owner, checkpoints.slice(from, from + CHECKPOINT_SHARDS_PER_STATEMENT))
}

async function read(db: Database, stored: readonly Pool[], loads: number): Promise<void> {
  const poolsOfLoad = Math.max(1, Math.floor(CONFIG_CHECKS_PER_LOAD / PER_POOL))
  for (let load = 0; load < loads; load++) {
    const wanted = stored.slice(load * poolsOfLoad, (load + 1) * poolsOfLoad)
    const shards = [...new Set(wanted.map(({ shard }) => shard))]
    const memberIds = wanted.flatMap((pool) => pool.memberIds)
    const found = await readCheckpointEntries(db, shards, memberIds)
    if (found.length !== memberIds.length)
      throw new Error(`${found.length} of ${memberIds.length} were found`)
  }
}

async function main(): Promise<void> {
  const postgres = await startPostgres()
  const db = openDatabase({ url: postgres.url, applicationName: 'bench', maxConnections: 1 })
  try {
    await migrateToLatest(db, postgres.url)
    const owner = randomUUID()
    await beat(db, { id: owner, host: 'bench', pid: process.pid, leaseMs: 600_000 })
    const held = await claimShards(db, { owner, count: SHARD_COUNT, foreignToo: true })
    const stored = pools()
    const checkpoints = checkpointsOf(stored, held)
    const rounds = Number(values.rounds)
    await write(db, owner, checkpoints)
    const writing = await costOf(db, rounds * stored.length * PER_POOL, async () => {
      for (let round = 0; round < rounds; round++) await write(db, owner, checkpoints)
    })
    console.log(`write  ${writing}`)
    const loads = Math.min(Number(values.loads), Math.floor(MEMBERS / CONFIG_CHECKS_PER_LOAD))
    await read(db, stored, 1)
    const byShard = stored.toSorted((a, b) => a.shard - b.shard)
    for (const [order, inOrder] of [
      ['any order', stored],
      ['by shard', byShard],
    ] as const) {
      const reading = await costOf(db, loads * CONFIG_CHECKS_PER_LOAD, () => read(db, inOrder, loads))
      console.log(`read   ${reading}, pools in ${order}`)
    }
  } finally {
    await db.destroy()
    await postgres.stop()
  }
}

await main()
