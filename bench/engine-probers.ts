/** Prober processes of a bench (engine-prober.ts): started with their PostgreSQL, given their checks, asked, and ended. */
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
import type { Begin, Load, ProberSample, SampleRequest } from './engine-prober.ts'
import { startTargetOf, type Target } from './engine-target.ts'
import { loopbackAddress, storeMembers } from './member-rows.ts'
import { type BenchPostgres, makeDatabase, type RunDatabase } from './postgres.ts'

/** For profiles: `BENCH_NODE_FLAGS='--cpu-prof --cpu-prof-dir=/tmp/profiles'`. */
const NODE_FLAGS = process.env['BENCH_NODE_FLAGS']?.split(' ') ?? []
const MEMBERS_PER_POOL = 20
const READY_WITHIN_MS = 60_000

export interface Started {
  readonly probers: readonly ChildProcess[]
  /** undefined: they have none. */
  readonly database: RunDatabase | undefined
}

export interface Parts extends Started {
  readonly target: Target
  /** For files; removed at the end. */
  readonly folder: string
  /** Called at the end, the last one first. */
  readonly endings: (() => Promise<void> | void)[]
}

/**
 * Starts the target and the probers of a case, with a database of their own in `postgres` where the kind has one, and ends all
 * of them after `use`.
 */
export async function withProbers<Result>(
  what: Case,
  postgres: BenchPostgres | undefined,
  use: (parts: Parts) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'healthmonitor-bench-'))
  const endings: Parts['endings'] = [() => rmSync(folder, { recursive: true, force: true })]
  try {
    const target = await startTargetOf(what, folder)
    endings.push(target.stop)
    const database =
      what.kind.hasPostgres && postgres !== undefined ? await makeDatabase(postgres) : undefined
    if (database !== undefined) endings.push(() => database.drop())
    const probers = startProbers(what.probers)
    endings.push(() => endAll(probers))
    return await use({ target, database, probers, folder, endings })
  } finally {
    for (const end of endings.reverse()) await end()
  }
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

/** One sample of each. */
export async function samplesOf(
  probers: readonly ChildProcess[],
  request: SampleRequest,
): Promise<readonly ProberSample[]> {
  return await Promise.all(probers.map((child) => ask(child, request) as Promise<ProberSample>))
}

/** Sends a message; its answer. Rejects when the process ends first. */
export async function ask(child: ChildProcess, message: Begin | SampleRequest | 'stop'): Promise<unknown> {
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

/** Starts the prober processes' work and, with a database, waits until they share the shards. */
export async function begin({ kind }: Case, { database, probers }: Started): Promise<void> {
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

/** Gives the probers their checks, on this port: by rows of the database, or by name. */
export async function load(what: Case, { database, probers }: Started, port: number): Promise<void> {
  const { intervalSeconds: delaySeconds, timeoutSeconds, members } = what
  const monitor = { ...what.kind.monitor, delaySeconds, timeoutSeconds }
  if (database !== undefined) {
    // As in a service that has run for days: a new one sums the 32 days before it, ten seconds after its start.
    await query(database.db, "update uptime_progress set day = (now() at time zone 'UTC')::date - 1")
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
export async function allOnline(
  { members, intervalSeconds, kind }: Case,
  probers: readonly ChildProcess[],
): Promise<void> {
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

/** Probes that all of them have started. */
export function startedOf(samples: readonly { readonly started: number }[]): number {
  return samples.reduce((sum, { started }) => sum + started, 0)
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
