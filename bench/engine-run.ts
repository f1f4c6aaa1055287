/**
 * One run of the engine's bench: a target, prober processes with their PostgreSQL, and HAProxy with the same targets and the
 * same rate, all fresh. Both sides are warm before the window begins, and the window is the same for both: whatever the
 * machine does meanwhile, it does to both.
 */
import type { ChildProcess } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import type { Case } from './engine-case.ts'
import { startPeerOf } from './engine-peer.ts'
import { type Figures, figuresOf, type Measured } from './engine-figures.ts'
import type { SampleRequest } from './engine-prober.ts'
import {
  allOnline,
  ask,
  begin,
  load,
  type Parts,
  samplesOf,
  startedOf,
  withProbers,
} from './engine-probers.ts'
import type { Target } from './engine-target.ts'
import type { BenchPostgres } from './postgres.ts'
import { query } from '../src/store/connection/database.ts'
import { cpuSecondsOf, descriptorsOf, hostUsage, postgresCpuSeconds, postgresUsage } from './usage.ts'

/** Whether the count is one of the kernel's, in which our probes and those of the peer are together. */
function isCountShared({ kind: { counted }, peer }: Case): boolean {
  return counted === 'echoes' || (counted === 'handshakes' && peer === 'haproxy')
}

const DESCRIPTORS_EVERY_MS = 500
/** A million members are vacuumed in a minute. */
const VACUUMED_WITHIN_MS = 300_000
/** Within this what left a prober has been counted at the target. */
const COUNTED_WITHIN_MS = 1000

/** Runs it. `postgres` is the server in which it makes a database of its own. */
export async function runCase(what: Case, postgres: BenchPostgres): Promise<Figures> {
  return await withProbers(what, postgres, async (parts) => await measured(what, parts))
}

async function measured(what: Case, parts: Parts): Promise<Figures> {
  const { target, database, probers } = parts
  const arrivedBefore = await target.ours()
  await begin(what, parts)
  const empty = await samplesOf(probers, 'sample of what is reachable')
  await load(what, parts, target.port)
  const peer = await startPeerOf(what, { folder: parts.folder, port: target.peerPort })
  if (peer !== undefined) parts.endings.push(peer.stop)
  await allOnline(what, probers)
  // As in a service that has run for days: else autovacuum reads all the new rows some time within a minute.
  if (database !== undefined) await query(database.db, 'vacuum (analyze)', [], VACUUMED_WITHIN_MS)
  await wait(what.warmUpSeconds * 1000)

  const sharesCount = peer !== undefined && isCountShared(what)
  const measure = async (request: SampleRequest): Promise<Measured> => {
    const samples = await samplesOf(probers, request)
    const ours = sharesCount ? startedOf(samples) : await target.ours()
    return {
      probers: samples,
      host: hostUsage(process.pid),
      peerCpuSeconds: peer === undefined ? 0 : cpuSecondsOf(peer.pid),
      ours,
      theirs: (await target.theirs()) - (sharesCount ? ours : 0),
      tls: await target.tls?.(),
      postgres:
        database === undefined
          ? undefined
          : {
              ...(await postgresUsage(database.db)),
              cpuSeconds: await postgresCpuSeconds(database.db),
            },
    }
  }
  const before = await measure('sample')
  const descriptors = await mostDescriptors(probers, what.seconds * 1000)
  const after = await measure('sample of what is reachable')

  await Promise.all(probers.map((child) => ask(child, 'stop')))
  const ended = await samplesOf(probers, 'sample')
  const started = startedOf(ended)
  const arrived = sharesCount ? started : (await counted(target, arrivedBefore + started)) - arrivedBefore
  const lifetime = { started, arrived }
  return figuresOf({ members: what.members, empty, before, after, descriptors, lifetime })
}

/** Waits, and meanwhile counts from outside; the most that all probers had open at one look. */
async function mostDescriptors(probers: readonly ChildProcess[], forMs: number): Promise<number> {
  const end = performance.now() + forMs
  let most = 0
  for (let leftMs = forMs; leftMs > 0; leftMs = end - performance.now()) {
    await wait(Math.min(leftMs, DESCRIPTORS_EVERY_MS))
    most = Math.max(
      most,
      probers.reduce((sum, child) => sum + descriptorsOf(child.pid ?? 0), 0),
    )
  }
  return most
}

/** What the target counted, given a moment to count all of it. */
async function counted(target: Target, expected: number): Promise<number> {
  const deadline = performance.now() + COUNTED_WITHIN_MS
  let arrived = await target.ours()
  while (arrived < expected && performance.now() < deadline) {
    await wait(20)
    arrived = await target.ours()
  }
  return arrived
}
