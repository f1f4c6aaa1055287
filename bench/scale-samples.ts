/** What one check takes in each message of a site: made by the code that makes the messages, of one shard. */
import { randomBytes, randomUUID } from 'node:crypto'
import { RESULT_ROWS_PER_MESSAGE } from '../src/domain/limits.ts'
import type { CheckpointEntry, VerdictWrite } from '../src/domain/prober/check.ts'
import { RECENT_BYTES, RECENT_HEADER_BYTES, recentWord } from '../src/domain/result/recent-results.ts'
import { pack, unpack } from '../src/site/wire/packed.ts'
import { checkpointValues } from '../src/store/probing/checkpoints.ts'
import { fromWire, partsOf, type SnapshotPool, toWire } from '../src/site/wire/snapshot.ts'
import { plannedPools } from './engine-scheduler.ts'
import { kindOf } from './engine-kinds.ts'
import type { Samples } from './scale-model.ts'

/** Repetitions of what is measured in CPU; of these the median. */
const ROUNDS = 5

/** Of a shard with so many checks in pools of `perPool`, half-open TCP. */
export async function samplesOf(checks: number, perPool: number): Promise<Samples> {
  const pools = shardOfChecks(checks, perPool)
  const members = pools.flatMap((pool) => pool.checks.map(({ config }) => config.memberId))
  const parts = partsOf(pools)
  const packed = await Promise.all(parts.map(async (part) => await pack(toWire(part))))
  const packUs = await cpuOf(async () => void (await Promise.all(parts.map((part) => pack(toWire(part))))))
  const unpackUs = await cpuOf(
    async () => void (await Promise.all(packed.map(async (part) => fromWire(await unpack(part))))),
  )
  const entries = members.map(entryOf)
  const recent = recentOf(members.length)
  const checkpoint = { id: 1, epoch: 1, asOf: Date.now(), entries, recent }
  const sent = await pack({ ...checkpoint, owner: randomUUID() })
  const arrays = Object.values(checkpointValues(checkpoint)).filter((value) => value instanceof Uint8Array)
  const rows = members.slice(0, RESULT_ROWS_PER_MESSAGE).map((id, i) => verdictOf(id, i))
  const verdicts = await pack({ kind: 'verdicts', owner: randomUUID(), rows })
  return {
    snapshotBytes: bytesOf(packed) / checks,
    snapshotPackUs: packUs / checks,
    snapshotUnpackUs: unpackUs / checks,
    checkpointBytes: sent.length / checks,
    checkpointRowBytes: bytesOf(arrays) / checks,
    verdictBytes: verdicts.length / rows.length,
  }
}

/** As the relay reads them: ids have no pattern that would pack well. */
function shardOfChecks(checks: number, perPool: number): readonly SnapshotPool[] {
  const addresses = Array.from(
    { length: checks },
    (_, i) => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`,
  )
  const monitor = { ...kindOf('tcp-half').monitor, delaySeconds: 10, timeoutSeconds: 3 }
  return plannedPools({ monitor, addresses, port: 80, perPool }).map((pool) => {
    const poolId = randomUUID()
    const own = pool.checks.map(({ config }) => ({ config: { ...config, poolId, memberId: randomUUID() } }))
    return { ...pool, poolId, projectId: 'bench', members: own.length, checks: own }
  })
}

function entryOf(memberId: string): CheckpointEntry {
  const nowMs = Date.now()
  const connectMs = 0.1 + Math.random()
  return {
    memberId,
    generation: 1,
    probedAt: nowMs - Math.floor(Math.random() * 10_000),
    nextAt: nowMs + Math.floor(Math.random() * 10_000),
    outcome: 'passed',
    reason: 'PASSED',
    phases: { connectMs, totalMs: connectMs },
    okRun: 3,
    badRun: 0,
    stale: false,
    flags: 0,
  }
}

/** Results that passed, at times and with durations of their own. */
function recentOf(checks: number): Uint8Array {
  const packed = Buffer.alloc(RECENT_HEADER_BYTES + checks * RECENT_BYTES)
  const random = randomBytes(checks * RECENT_BYTES)
  for (let at = RECENT_HEADER_BYTES, i = 0; at + 8 <= packed.length; at += 8, i += 1) {
    packed.writeUInt32LE(1_000_000 + i * 10, at)
    packed.writeUInt32LE(recentWord('PASSED', 0.1 + (random[i % random.length] ?? 0) / 100), at + 4)
  }
  return packed
}

function verdictOf(memberId: string, sequence: number): VerdictWrite {
  const at = Date.now()
  const why = { reason: 'CONNECT_TIMEOUT' as const, detail: 'no connection within 3000 ms' }
  const evidence = {
    type: 'TCP',
    address: `10.0.${sequence >> 8}.${sequence & 255}`,
    port: 80,
    timeout_ms: 3000,
  }
  const common = { ...why, evidence, generation: 1, sequence }
  return {
    ...common,
    memberId,
    projectId: 'bench',
    shard: 1,
    epoch: 1,
    status: 'OFFLINE',
    since: at,
    okRun: 0,
    badRun: 3,
    recent: recentOf(1),
    transitions: [{ ...common, at, from: 'ONLINE', to: 'OFFLINE', dropped: 0 }],
  }
}

const bytesOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, { length }) => sum + length, 0)

/** Microseconds of CPU of this process, all threads. */
async function cpuOf(work: () => Promise<void>): Promise<number> {
  const took: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage()
    await work()
    const { user, system } = process.cpuUsage(before)
    took.push(user + system)
  }
  return took.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? 0
}
