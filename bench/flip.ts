/**
 * `node dist/bench/flip.js [--members 20000] [--pools 200]`
 *
 * All members flipping in the same moment: how long until PostgreSQL has it. The result writer and its statement alone, on a
 * durable PostgreSQL of its own, with the whole batch decided at once; bench/farm.ts has the same with real probes. Prints and
 * stores as JSON seconds, and CPU seconds of the writer and of PostgreSQL, for members that are seen first, then for their flip.
 */
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { SHARD_COUNT } from '../src/domain/limits.ts'
import { createMetrics } from '../src/runtime/metrics/metrics.ts'
import type { Check } from '../src/schedule/loop/check.ts'
import { ResultWriter } from '../src/schedule/record/result-writer.ts'
import { openDatabase } from '../src/store/connection/database.ts'
import { migrateToLatest } from '../src/store/connection/migrate.ts'
import { beat, claimShards } from '../src/store/probing/shards.ts'
import { writeVerdicts } from '../src/store/probing/verdicts.ts'
import { commandLine } from './command-line.ts'
import { kindOf } from './engine-kinds.ts'
import { storeMembers, type StoredMember } from './member-rows.ts'
import { startPostgres } from './postgres.ts'
import { postgresCpuSeconds } from './usage.ts'

const DRAIN_WITHIN_MS = 120_000
const RECENT_BYTES = 128

const values = commandLine('node dist/bench/flip.js [options]', {
  members: '20000',
  pools: '200',
  out: fileURLToPath(new URL('flip.json', import.meta.url)),
})

function checkOf({ memberId, shard }: StoredMember, status: 'ONLINE' | 'OFFLINE', okRun: number): Check {
  const evidence = {
    type: 'TCP',
    address: '127.0.0.1',
    port: 80,
    timeout_ms: 3000,
    rise: 3,
    fall: 3,
    phases: { connect_ms: 0.123, total_ms: 0.123 },
  }
  const verdict = {
    status,
    since: Date.now(),
    reason: 'CONNECT_REFUSED',
    detail: 'connect ECONNREFUSED',
    evidence,
  }
  return {
    config: { memberId, projectId: 'bench', shard, generation: 1 },
    state: { status, okRun, badRun: 0 },
    verdict,
  } as unknown as Check
}

async function main(): Promise<void> {
  const postgres = await startPostgres()
  const db = openDatabase({ url: postgres.url, applicationName: 'bench', maxConnections: 3 })
  try {
    await migrateToLatest(db, postgres.url)
    const owner = randomUUID()
    await beat(db, { id: owner, host: 'bench', pid: process.pid, leaseMs: 600_000 })
    const shards = await claimShards(db, { owner, count: SHARD_COUNT, foreignToo: true })
    const epochs = new Map(shards.map(({ id, epoch }) => [id, epoch]))
    const count = Number(values.members)
    const monitor = { ...kindOf('tcp').monitor, delaySeconds: 1, timeoutSeconds: 1 }
    const perPool = Math.ceil(count / Number(values.pools))
    const members = await storeMembers(db, monitor, { count, perPool, port: 80 })
    const writer = new ResultWriter({
      write: (rows) => writeVerdicts(db, owner, rows),
      epochOf: (shard) => epochs.get(shard),
      recentOf: () => new Uint8Array(RECENT_BYTES),
      isAway: () => false,
      onFenced: () => undefined,
      metrics: createMetrics('bench'),
      log: { debug: none, info: none, warn: console.log, error: console.log },
    })
    const figures: Record<string, object> = {}
    const steps = [
      ['first', 'UNKNOWN', 'ONLINE'],
      ['flip', 'ONLINE', 'OFFLINE'],
      ['back', 'OFFLINE', 'ONLINE'],
    ] as const
    for (const [name, from, to] of steps) {
      const before = { cpu: process.cpuUsage(), postgres: await postgresCpuSeconds(db) }
      const start = performance.now()
      for (const member of members) writer.record(checkOf(member, to, to === 'ONLINE' ? 1 : 0), from)
      const isDrained = await writer.drain(DRAIN_WITHIN_MS)
      const seconds = (performance.now() - start) / 1000
      const { user, system } = process.cpuUsage(before.cpu)
      const cpuSeconds = (user + system) / 1e6
      const ofPostgres = ((await postgresCpuSeconds(db)) ?? 0) - (before.postgres ?? 0)
      figures[name] = {
        isDrained,
        members: members.length,
        seconds,
        cpuSeconds,
        postgresCpuSeconds: ofPostgres,
      }
      console.log(name, figures[name])
    }
    await writer.close(0)
    const about = { at: new Date().toISOString(), node: process.version, options: values }
    writeFileSync(values.out, `${JSON.stringify({ ...about, ...figures }, undefined, 2)}\n`)
  } finally {
    await db.destroy()
    await postgres.stop()
  }
}

function none(): undefined {
  return undefined
}

await main()
