/** A whole prober over a database that is a value of the test, and targets that answer as the test says. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { PoolChecks, VerdictWrite } from '../../../src/domain/prober/check.ts'
import type { ProbeTarget } from '../../../src/domain/target/probe-target.ts'
import type { ProbeRuntime } from '../../../src/probe/probe-runtime.ts'
import type { Probers } from '../../../src/probe/probers.ts'
import { result } from '../../../src/probe/result.ts'
import { createMetrics } from '../../../src/runtime/metrics/metrics.ts'
import type { ProberEngineOptions, ProberStore } from '../../../src/schedule/engine-options.ts'
import { ProberEngine } from '../../../src/schedule/prober-engine.ts'
import { digestsOf } from '../../support/pool-digests.ts'
import { until } from '../../support/probing.ts'
import { config, pool } from '../../support/scheduling.ts'

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
const SHARD = 7

/** A database with one pool in one shard, which this prober owns unless it `isTaken`. */
function fakeStore(stored: PoolChecks) {
  const happened: string[] = []
  const verdicts: VerdictWrite[] = []
  const taken = { isTaken: false }
  let isClaimed = false
  const held = () => (isClaimed && !taken.isTaken ? [{ id: SHARD, epoch: 1 }] : [])
  const store: ProberStore = {
    beat: () =>
      Promise.resolve({
        liveProbers: 1,
        nextExpiryMs: undefined,
        held: held(),
        free: 0,
        isContactLong: true,
      }),
    claim: () => {
      const claimed = isClaimed ? [] : [{ id: SHARD, epoch: 1 }]
      isClaimed = true
      return Promise.resolve(claimed)
    },
    release: (ids) => Promise.resolve(void happened.push(`release ${ids.join()}`)),
    removeProber: () => Promise.resolve(void happened.push('remove')),
    readDigests: () => Promise.resolve(digestsOf(new Map([[stored.poolId, stored]]))),
    readVersions: (shards) => Promise.resolve(shards.includes(SHARD) ? [stored] : []),
    readSizes: (ids) =>
      Promise.resolve(ids.map((poolId) => ({ poolId, projectId: 'project', members: stored.checks.length }))),
    loadPools: () => Promise.resolve([stored]),
    loadMembers: () => Promise.resolve(undefined),
    writeVerdicts: (rows) => {
      verdicts.push(...rows)
      happened.push('verdicts')
      return Promise.resolve({ held: new Set(rows.map(({ shard }) => shard)), putOff: new Set<string>() })
    },
    writeCertificates: () => Promise.resolve(),
    writeCheckpoints: (rows) =>
      Promise.resolve(void happened.push(`checkpoint ${rows.map(({ id }) => id).join()}`)),
    readCheckpointEntries: () => Promise.resolve([]),
    readWitnesses: () => Promise.resolve([]),
    readParentStates: () => Promise.resolve(new Map()),
    listen: () => Promise.resolve({ end: () => Promise.resolve() }),
    listenForRequests: () => Promise.resolve({ end: () => Promise.resolve() }),
    takeProbeRequests: () => Promise.resolve([]),
    answerProbeRequests: () => Promise.resolve(),
    forgetProbeRequests: () => Promise.resolve(),
    isAway: () => false,
    isTooSlow: () => false,
  }
  return { store, happened, verdicts, taken }
}

type Answer = 'passed' | 'silence'

/** Probers of which each attempt is counted, with the way in which it was ended. */
function fakeProbers(answer: () => Answer, onProbe: (target: ProbeTarget) => void = () => undefined) {
  const ended: string[] = []
  let started = 0
  const probers: Probers = new Proxy({} as Probers, {
    get: (): Probers['TCP'] => (target, done) => {
      started++
      onProbe(target)
      let isOver = false
      const end = (how: string, passed: boolean): void => {
        if (isOver) return
        isOver = true
        ended.push(how)
        done(result(passed ? 'PASSED' : 'PROBER_STOPPING', '', { totalMs: 1 }))
      }
      if (answer() === 'passed') setImmediate(end, 'answered', true)
      return (why) => end(why, false)
    },
  })
  return { probers, ended, started: () => started }
}

function startEngine(
  t: TestContext,
  store: ProberStore,
  probers: (runtime: ProbeRuntime) => Probers,
  {
    log = SILENT,
    metrics = createMetrics('engine-test'),
    usesCores = false,
  }: Partial<Pick<ProberEngineOptions, 'log' | 'metrics' | 'usesCores'>> = {},
) {
  const engine = new ProberEngine({
    store,
    probers,
    usesCores,
    policies: { leaseMs: 60, checkpointMs: 60_000, targetPolicy: () => undefined, canaries: [] },
    metrics,
    dependencyMetrics: { dependencyReadingFailed: () => undefined, dependenciesBlind: () => undefined },
    log,
  })
  t.after(() => engine.destroy())
  engine.start()
  return engine
}

const checks = (count: number): PoolChecks =>
  pool(...Array.from({ length: count }, (_, i) => config(`member ${i}`, { shard: SHARD })))

test('a prober that is closed writes a checkpoint and every verdict before it releases its shards', async (t) => {
  const { store, happened, verdicts } = fakeStore(checks(20))
  const { probers, ended } = fakeProbers(() => 'passed')
  const engine = startEngine(t, store, () => probers)
  await until(() => ended.length === 20, 5000)
  await engine.close()
  assert.equal(new Set(verdicts.map(({ memberId }) => memberId)).size, 20)
  assert.deepEqual(happened.slice(-2), [`release ${SHARD}`, 'remove'])
  const last = (what: string): number => happened.findLastIndex((each) => each.startsWith(what))
  assert.ok(last('checkpoint') >= 0 && last('checkpoint') < last('release'))
  assert.ok(last('verdicts') < last('release'))
})

test('a prober whose shard was taken over ends its probes and writes nothing of them', async (t) => {
  const { store, verdicts, taken } = fakeStore(checks(20))
  const { probers, started, ended } = fakeProbers(() => 'silence')
  startEngine(t, store, () => probers)
  await until(() => started() === 20, 5000)
  taken.isTaken = true
  await until(() => ended.length === 20, 5000)
  assert.deepEqual(new Set(ended), new Set(['shutdown']))
  assert.deepEqual(verdicts, [])
})

test('the pattern of a body is worked out when its check is loaded, not by the first probe', async (t) => {
  const http = {
    method: 'GET',
    path: '/',
    version: '1.1',
    expectedCodes: [{ from: 200, to: 200 }],
    expectBodyPattern: { source: 'ready' },
  } as const
  const loaded = config('member', {
    shard: SHARD,
    target: { type: 'HTTP', address: '10.0.0.1', family: 4, port: 80, timeoutMs: 1000, http },
  })
  const { store } = fakeStore(pool(loaded))
  const happened: string[] = []
  const { probers } = fakeProbers(
    () => 'passed',
    () => void happened.push('probe'),
  )
  startEngine(t, store, (runtime) => {
    const { table } = runtime.bodyPatterns
    Object.assign(runtime.bodyPatterns, {
      table: (pattern: Parameters<typeof table>[0]) => {
        happened.push(pattern.source)
        return table(pattern)
      },
    })
    return probers
  })
  await until(() => happened.includes('probe'), 5000)
  assert.deepEqual(happened, ['ready', 'probe'])
})

test('the first probe of a kind that can be made by the batch says in the log, once, and in a metric, by which way such probes go', async (t) => {
  const target = { type: 'TCP', address: '127.0.0.1', family: 4, port: 1, timeoutMs: 1000 } as const
  const http = { method: 'GET', path: '/', version: '1.1', host: 'x', expectedCodes: [] } as const
  const kinds = [{}, { halfOpen: true }, { type: 'HTTP', http }] as const
  const members = ['a', 'b', 'c', 'd', 'e', 'f'].map((member, i) =>
    config(member, { shard: SHARD, target: { ...target, ...kinds[Math.floor(i / 2)] } }),
  )
  const { store } = fakeStore(pool(...members))
  const told: Record<string, unknown>[] = []
  const log = { ...SILENT, info: note, warn: note }
  function note(fields: object): void {
    if ('half_open_by' in fields || 'made_by' in fields) told.push({ ...fields })
  }
  const metrics = createMetrics('ways')
  const { probers } = fakeProbers(() => 'passed')
  const engine = startEngine(t, store, () => probers, { log, metrics, usesCores: true })
  await until(() => told.length > 2)
  const { halfOpen, plainTcp, plainHttp } = engine.runtime
  const isRaw = halfOpen.way?.by === 'raw socket'
  const isBatched = plainTcp.way?.by === 'batch'
  const said = (name: string, way: object | undefined): object => {
    const { by, ...why } = { by: undefined, ...way }
    return { [name]: by, ...why }
  }
  assert.deepEqual(told, [
    { probes: 'TCP', ...said('made_by', plainTcp.way) },
    said('half_open_by', halfOpen.way),
    { probes: 'HTTP in plain text', ...said('made_by', plainHttp.way) },
  ])
  const text = await metrics.registry.metrics()
  assert.match(text, new RegExp(`^hm_half_open_batched ${isRaw ? 1 : 0}$`, 'm'))
  assert.match(text, new RegExp(`^hm_tcp_batched ${isBatched ? 1 : 0}$`, 'm'))
  assert.match(text, new RegExp(`^hm_http_batched ${plainHttp.way?.by === 'batch' ? 1 : 0}$`, 'm'))
})
