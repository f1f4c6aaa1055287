/**
 * One run of the engine's bench: a target, prober processes with their PostgreSQL, and HAProxy with the same targets and the
 * same rate, all fresh. Both sides are warm before the window begins, and the window is the same for both: whatever the
 * machine does meanwhile, it does to both.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { NEW_STARTS_PER_SECOND, SHARD_COUNT } from '../src/domain/limits.ts'
import { query } from '../src/store/connection/database.ts'
import type { Case } from './engine-case.ts'
import { startPeerOf } from './engine-peer.ts'
import { type Figures, figuresOf, type Measured } from './engine-figures.ts'
import type { Begin, Load, ProberSample, SampleRequest } from './engine-prober.ts'
import { startTargetOf, type Target } from './engine-target.ts'
import { loopbackAddress, storeMembers } from './member-rows.ts'
import { type BenchPostgres, makeDatabase, type RunDatabase } from './postgres.ts'
import { cpuSecondsOf, descriptorsOf, hostUsage, postgresCpuSeconds, postgresUsage } from './usage.ts'

/** For profiles: `BENCH_NODE_FLAGS='--cpu-prof --cpu-prof-dir=/tmp/profiles'`. */
const NODE_FLAGS = process.env['BENCH_NODE_FLAGS']?.split(' ') ?? []
/** Counts of the kernel, in which our probes and those of the peer are together. */
const SHARED_COUNTS: ReadonlySet<string> = new Set(['handshakes', 'echoes'])
const MEMBERS_PER_POOL = 20
const READY_WITHIN_MS = 60_000
const DESCRIPTORS_EVERY_MS = 500
/** Within this what left a prober has been counted at the target. */
const COUNTED_WITHIN_MS = 1000

/** Runs it. `postgres` is the server in which it makes a database of its own. */
export async function runCase(what: Case, postgres: BenchPostgres): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'healthmonitor-bench-'))
  const endings: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })]
  try {
    const target = await startTargetOf(what, folder)
    endings.push(target.stop)
    const database = what.kind.hasPostgres ? await makeDatabase(postgres) : undefined
    if (database !== undefined) endings.push(() => database.drop())
    const probers = startProbers(what.probers)
    endings.push(() => endAll(probers))
    return await measured(what, { target, database, probers, folder, endings })
  } finally {
    for (const end of endings.reverse()) await end()
  }
}

interface Parts {
  readonly target: Target
  readonly database: RunDatabase | undefined
  readonly probers: readonly ChildProcess[]
  readonly folder: string
  readonly endings: (() => Promise<void> | void)[]
}

async function measured(what: Case, parts: Parts): Promise<Figures> {
  const { target, database, probers } = parts
  const arrivedBefore = await target.ours()
  await begin(what, parts)
  const empty = await samplesOf(probers, 'sample of what is reachable')
  await load(what, parts)
  const peer = await startPeerOf(what, { folder: parts.folder, port: target.peerPort })
  if (peer !== undefined) parts.endings.push(peer.stop)
  await allOnline(what, probers)
  await wait(what.warmUpSeconds * 1000)

  const sharesCount = SHARED_COUNTS.has(what.kind.counted) && peer !== undefined
  const measure = async (request: SampleRequest): Promise<Measured> => {
    const samples = await samplesOf(probers, request)
    const ours = sharesCount ? startedOf(samples) : await target.ours()
    return {
      probers: samples,
      host: hostUsage(process.pid),
      peerCpuSeconds: peer === undefined ? 0 : cpuSecondsOf(peer.pid),
      ours,
      theirs: (await target.theirs()) - (sharesCount ? ours : 0),
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

/** Starts the prober processes' work and, with a database, waits until they share the shards. */
async function begin({ kind }: Case, { database, probers }: Parts): Promise<void> {
  const message: Begin = {
    kind: 'begin',
    way: kind.way,
    ...(database === undefined ? {} : { databaseUrl: database.url }),
  }
  await Promise.all(probers.map((child) => ask(child, message)))
  if (database === undefined) return
  await until('the probers share the shards', async () => {
    const owned = await query<{ n: number }>(
      database.db,
      'select count(*) as n from shard where owner is not null group by owner',
    )
    return owned.length === probers.length && owned.reduce((sum, { n }) => sum + n, 0) === SHARD_COUNT
  })
}

/** Gives the probers their checks: by rows of the database, or by name. */
async function load(what: Case, { database, probers, target: { port } }: Parts): Promise<void> {
  const { intervalSeconds: delaySeconds, timeoutSeconds, members } = what
  const monitor = { ...what.kind.monitor, delaySeconds, timeoutSeconds }
  if (database !== undefined) {
    await storeMembers(database.db, monitor, { count: members, perPool: MEMBERS_PER_POOL, port })
    return
  }
  const addresses = Array.from({ length: members }, (_, n) => loopbackAddress(n))
  for (const [i, child] of probers.entries()) {
    const mine = addresses.filter((_, n) => n % probers.length === i)
    const message: Load = {
      kind: 'load',
      checks: { monitor, addresses: mine, port, perPool: MEMBERS_PER_POOL },
    }
    child.send(message)
  }
}

/** Waits until every member is ONLINE in its prober. */
async function allOnline({ members, intervalSeconds, kind }: Case, probers: readonly ChildProcess[]) {
  const startsMs = (members / NEW_STARTS_PER_SECOND) * 1000
  const withinMs = READY_WITHIN_MS + startsMs + kind.monitor.rise * intervalSeconds * 1000
  let online = 0
  await until(
    () => `all ${members} members are ONLINE (${online} are)`,
    async () => {
      const samples = await samplesOf(probers, 'sample')
      online = samples.reduce((sum, sample) => sum + sample.online, 0)
      return online === members && samples.reduce((sum, sample) => sum + sample.started, 0) >= members
    },
    withinMs,
  )
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

function startedOf(samples: readonly { readonly started: number }[]): number {
  return samples.reduce((sum, { started }) => sum + started, 0)
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

function startProbers(count: number): readonly ChildProcess[] {
  return Array.from({ length: count }, () =>
    fork(fileURLToPath(new URL('./engine-prober.js', import.meta.url)), {
      execArgv: ['--expose-gc', ...NODE_FLAGS],
    }),
  )
}

/** They end when their parent is gone, which lets a profile be written. */
async function endAll(probers: readonly ChildProcess[]): Promise<void> {
  await Promise.all(
    probers.map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      if (child.connected) child.disconnect()
      await gone
    }),
  )
}

async function samplesOf(
  probers: readonly ChildProcess[],
  request: SampleRequest,
): Promise<readonly ProberSample[]> {
  return await Promise.all(probers.map((child) => ask(child, request) as Promise<ProberSample>))
}

/** Sends a message; its answer. Rejects when the process ends first. */
async function ask(child: ChildProcess, message: Begin | SampleRequest | 'stop'): Promise<unknown> {
  const ended = new AbortController()
  const onExit = () => ended.abort(new Error('a prober process ended'))
  child.once('exit', onExit)
  try {
    child.send(message)
    const [answer] = (await once(child, 'message', { signal: ended.signal })) as [unknown]
    return answer
  } finally {
    child.off('exit', onExit)
  }
}

async function until(
  what: string | (() => string),
  holds: () => Promise<boolean>,
  withinMs = READY_WITHIN_MS,
): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > deadline)
      throw new Error(`waited in vain until ${typeof what === 'string' ? what : what()}`)
    await wait(100)
  }
}
