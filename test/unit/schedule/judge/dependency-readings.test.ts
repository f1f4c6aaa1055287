import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { ParentState } from '../../../../src/domain/status/dependencies.ts'
import {
  DEPENDENCY_BLIND_MS,
  DEPENDENCY_POLL_MS,
  DEPENDENCY_QUICK_MS,
  DEPENDENCY_REST_SHARE,
  DEPENDENCY_SLOW_MS,
} from '../../../../src/domain/limits.ts'
import { Dependencies } from '../../../../src/schedule/judge/dependencies.ts'
import { DependencyReadings } from '../../../../src/schedule/judge/dependency-readings.ts'
import type { ProbeResult } from '../../../../src/domain/result/probe-result.ts'
import { keepingLog } from '../../../support/prober.ts'
import { config, harness, known, pool, STORED } from '../../../support/scheduling.ts'

interface Reading {
  readonly project: string
  readonly parents: readonly string[]
  readonly withinMs: number
  readonly atMs: number
  done(states?: Readonly<Record<string, ParentState>>): Promise<void>
  fail(message: string): Promise<void>
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Readings that the test answers, with timers and a clock that it moves. */
function withFakes(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let nowMs = 0
  const open: Reading[] = []
  const all: Reading[] = []
  const blind: number[] = []
  const log = keepingLog()
  let failures = 0
  const options = {
    log,
    now: () => nowMs,
    isAway: (error: unknown) => error instanceof Error && error.message === 'away',
    metrics: {
      dependencyReadingFailed: () => void failures++,
      dependenciesBlind: (projects: number) => void blind.push(projects),
    },
    read: (project: string, parents: readonly string[], withinMs: number) =>
      new Promise<ReadonlyMap<string, ParentState>>((resolve, reject) => {
        const end = async (how: () => void) => {
          open.splice(open.indexOf(reading), 1)
          how()
          await settled()
        }
        const reading: Reading = {
          project,
          parents,
          withinMs,
          atMs: nowMs,
          done: (states = {}) => end(() => resolve(new Map(Object.entries(states)))),
          fail: (message) => end(() => reject(new Error(message))),
        }
        open.push(reading)
        all.push(reading)
      }),
  }
  return {
    options,
    open,
    all,
    blind,
    log,
    failures: () => failures,
    advance: async (ms: number) => {
      nowMs += ms
      t.mock.timers.tick(ms)
      await settled()
    },
    of: (project: string) => all.filter((reading) => reading.project === project),
  }
}

test("one project's readings that never end in time delay no other's", async (t) => {
  const { options, open, advance, of } = withFakes(t)
  const readings = new DependencyReadings(options)
  t.after(() => readings.destroy())
  readings.setPool('attacker', 'a', ['x'])
  readings.setPool('bystander', 'b', ['y'])
  for (let elapsedMs = 0; elapsedMs < 30_000; elapsedMs += 50) {
    for (const reading of open) {
      const isLate = elapsedMs - reading.atMs >= reading.withinMs
      if (reading.project === 'bystander') await reading.done()
      else if (isLate) await reading.fail('statement timeout')
    }
    await advance(50)
  }
  const gaps = of('bystander').map(({ atMs }, i, all) => atMs - (all[i - 1]?.atMs ?? 0))
  assert.ok(gaps.length >= 20, `${gaps.length} readings in 30 s`)
  assert.ok(Math.max(...gaps) <= DEPENDENCY_POLL_MS + DEPENDENCY_QUICK_MS + 150, `${Math.max(...gaps)} ms`)
  const limits = of('attacker').map(({ withinMs }) => withinMs)
  assert.deepEqual(limits.slice(0, 3), [DEPENDENCY_QUICK_MS, DEPENDENCY_SLOW_MS, DEPENDENCY_SLOW_MS])
  const rests = of('attacker')
    .slice(2)
    .map(({ atMs }, i) => atMs - (of('attacker')[i + 1]?.atMs ?? 0))
  assert.ok(Math.min(...rests) >= DEPENDENCY_SLOW_MS * (1 + DEPENDENCY_REST_SHARE) - 100, rests.join())
})

test('a project that is quick again returns to the others, and is read once a second', async (t) => {
  const { options, open, advance, all } = withFakes(t)
  const readings = new DependencyReadings(options)
  t.after(() => readings.destroy())
  readings.setPool('p', 'a', ['x'])
  await open[0]?.fail('statement timeout')
  await advance(DEPENDENCY_POLL_MS)
  await open[0]?.done()
  await advance(DEPENDENCY_POLL_MS)
  await open[0]?.done()
  await advance(DEPENDENCY_POLL_MS - 1)
  assert.equal(open.length, 0)
  await advance(1)
  assert.deepEqual(
    all.map(({ withinMs }) => withinMs),
    [DEPENDENCY_QUICK_MS, DEPENDENCY_SLOW_MS, DEPENDENCY_QUICK_MS, DEPENDENCY_QUICK_MS],
  )
})

test('parents are read once, however many pools name them, and as they are named now', async (t) => {
  const { options, open, advance } = withFakes(t)
  const readings = new DependencyReadings(options)
  t.after(() => readings.destroy())
  readings.setPool('p', 'a', ['x', 'y'])
  await open[0]?.done()
  readings.setPool('p', 'b', ['y', 'z'])
  await advance(DEPENDENCY_POLL_MS)
  assert.deepEqual(open[0]?.parents, ['x', 'y', 'z'])
  await open[0].done()
  readings.setPool('p', 'a', [])
  await advance(DEPENDENCY_POLL_MS)
  assert.deepEqual(open[0]?.parents, ['y', 'z'])
  await open[0].done()
  readings.removePool('p', 'b')
  await advance(10 * DEPENDENCY_POLL_MS)
  assert.deepEqual([open.length, readings.of('p')], [0, undefined], 'nobody depends on anything')
})

test('while PostgreSQL is away the last reading stays valid, however long; it is logged once', async (t) => {
  const { options, open, advance, log } = withFakes(t)
  const readings = new DependencyReadings(options)
  t.after(() => readings.destroy())
  readings.setPool('p', 'a', ['x'])
  await open[0]?.done({ x: 'OFFLINE' })
  for (let n = 0; n < 30; n++) {
    await advance(DEPENDENCY_POLL_MS)
    await open[0]?.fail('away')
  }
  assert.deepEqual([readings.of('p')?.isBlind, readings.of('p')?.states.get('x')], [false, 'OFFLINE'])
  await advance(DEPENDENCY_POLL_MS)
  await open[0]?.done()
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ['warn', 'info'],
  )
})

test('a project that leaves and comes back during a reading is read once a second, and not twice', async (t) => {
  const { options, open, all, advance, blind } = withFakes(t)
  const readings = new DependencyReadings(options)
  t.after(() => readings.destroy())
  readings.setPool('p', 'a', ['x'])
  for (const end of ['done', 'fail'] as const) {
    readings.removePool('p', 'a')
    readings.setPool('p', 'a', ['y'])
    await (end === 'done' ? open[0]?.done({ x: 'OFFLINE' }) : open[0]?.fail('statement timeout'))
    assert.deepEqual([...(readings.of('p')?.states ?? [])], [], 'what it depended on before says nothing')
  }
  const before = all.length
  for (let n = 0; n < 10; n++) {
    await open[0]?.done()
    assert.equal(open.length, 0)
    await advance(DEPENDENCY_POLL_MS)
  }
  assert.equal(all.length - before, 10)
  assert.ok(all.slice(-10).every(({ parents }) => parents.join() === 'y'))
  assert.deepEqual(blind, [])
})

test('a project that left during a reading that fails is not counted as blind', async (t) => {
  const { options, open, advance, blind } = withFakes(t)
  const readings = new DependencyReadings(options)
  t.after(() => readings.destroy())
  readings.setPool('p', 'a', ['x'])
  await open[0]?.fail('statement timeout')
  for (let n = 0; n < 600 && open.length === 0; n++) await advance(DEPENDENCY_POLL_MS)
  await open[0]?.fail('statement timeout')
  for (let n = 0; n < 600 && open.length === 0; n++) await advance(DEPENDENCY_POLL_MS)
  readings.removePool('p', 'a')
  await advance(10 * DEPENDENCY_BLIND_MS)
  await open[0]?.fail('statement timeout')
  assert.deepEqual(blind, [])
})

test('a project that cannot be read is counted as blind until it is read, or depends on nothing', async (t) => {
  const { options, open, advance, blind, log } = withFakes(t)
  const readings = new DependencyReadings(options)
  t.after(() => readings.destroy())
  const failed = async (untilBlind: number) => {
    for (let n = 0; n < 600 && blind.length < untilBlind; n++) {
      await open[0]?.fail('statement timeout')
      await advance(DEPENDENCY_POLL_MS)
    }
  }
  readings.setPool('p', 'a', ['x'])
  await failed(1)
  assert.deepEqual([blind, readings.of('p')?.isBlind], [[1], true])
  for (let n = 0; n < 600 && open.length === 0; n++) await advance(DEPENDENCY_POLL_MS)
  await open[0]?.done()
  assert.deepEqual([blind, readings.of('p')?.isBlind], [[1, 0], false])
  await failed(3)
  readings.setPool('p', 'a', [])
  assert.deepEqual(blind, [1, 0, 1, 0])
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ['warn', 'info', 'warn', 'info'],
  )
})

test('in the lane for slow ones the one that is due first is read first, however long another rests', async (t) => {
  const { options, open, advance, of } = withFakes(t)
  const readings = new DependencyReadings(options)
  t.after(() => readings.destroy())
  readings.setPool('long', 'a', ['x'])
  await open[0]?.fail('statement timeout')
  await advance(DEPENDENCY_POLL_MS)
  await advance(DEPENDENCY_SLOW_MS)
  await open[0]?.fail('statement timeout')
  readings.setPool('short', 'b', ['y'])
  for (let n = 1; n <= 3; n++) {
    assert.equal(of('short').length, n)
    await open[0]?.fail('statement timeout')
    await advance(DEPENDENCY_POLL_MS)
  }
  assert.ok(3 * DEPENDENCY_POLL_MS < DEPENDENCY_REST_SHARE * DEPENDENCY_SLOW_MS, 'the other one rests')
  assert.equal(of('long').length, 2)
})

const FAILED: ProbeResult = {
  outcome: 'failed',
  reason: 'CONNECT_REFUSED',
  detail: '',
  phases: { totalMs: 1 },
}

/** Two running checks of two projects, each with a parent, one failure from OFFLINE. */
function twoProjects(t: TestContext) {
  const fakes = withFakes(t)
  const { scheduler } = harness()
  const dependencies = new Dependencies(fakes.options)
  t.after(() => dependencies.destroy())
  const checks = ['attacker', 'bystander'].map((projectId) => {
    const child = config(`child of ${projectId}`, { fall: 1, poolId: projectId, projectId, dependsOn: ['x'] })
    const stored = { ...pool(child), poolId: projectId }
    scheduler.applyPool(stored)
    dependencies.applyChecks(stored)
    dependencies.completePool(stored)
    const check = [...scheduler.checks()].find(({ config: { memberId } }) => memberId === child.memberId)
    if (check === undefined) throw new Error('the check runs')
    check.state = { ...check.state, status: 'ONLINE', decided: true }
    return check
  })
  const [attacker, bystander] = checks
  if (attacker === undefined || bystander === undefined) throw new Error('two checks')
  return { ...fakes, dependencies, attacker, bystander }
}

test('a child is believed where readings fail for longer than the bound, logged once and counted; the other project keeps its rule', async (t) => {
  const { dependencies, attacker, bystander, open, advance, blind, log, failures } = twoProjects(t)
  let nowMs = 0
  for (; nowMs < 2 * DEPENDENCY_BLIND_MS; nowMs += 100) {
    for (const reading of open.slice())
      await (reading.project === 'bystander'
        ? reading.done({ x: 'OFFLINE' })
        : reading.fail('statement timeout'))
    if (nowMs < DEPENDENCY_BLIND_MS / 2)
      assert.equal(dependencies.reconsider(attacker, FAILED, nowMs).outcome, 'inconclusive')
    await advance(100)
  }
  assert.equal(dependencies.reconsider(attacker, FAILED, nowMs).outcome, 'failed')
  assert.equal(dependencies.reconsider(bystander, FAILED, nowMs).reason, 'DEPENDENCY_DOWN')
  assert.ok(failures() > 3)
  assert.deepEqual(blind, [1])
  const warnings = log.lines.filter(({ level }) => level === 'warn')
  assert.deepEqual(
    warnings.map(({ facts }) => facts['project_id']),
    ['attacker'],
  )
  for (let n = 0; n < 100 && blind.length < 2; n++) {
    for (const reading of open.slice()) await reading.done({ x: 'OFFLINE' })
    await advance(100)
  }
  assert.equal(blind.at(-1), 0)
  assert.equal(dependencies.reconsider(attacker, FAILED, nowMs).reason, 'DEPENDENCY_DOWN', 'it sees again')
})

test('a failure that changes no status is believed at once, whatever the state of what the check depends on', async (t) => {
  const { options, open } = withFakes(t)
  const { scheduler } = harness()
  const dependencies = new Dependencies(options)
  t.after(() => dependencies.destroy())
  const child = (memberId: string) => config(memberId, { fall: 2, dependsOn: ['x'] })
  const stored = pool(known(child('online')), known(child('offline'), { ...STORED, status: 'OFFLINE' }))
  scheduler.applyPool(stored)
  dependencies.applyChecks(stored)
  dependencies.completePool(stored)
  await open[0]?.done({ x: 'failing' })
  const reasonOf = (memberId: string): string => {
    const check = [...scheduler.checks()].find((each) => each.config.memberId === memberId)
    return dependencies.reconsider(check ?? assert.fail(), FAILED, 0).reason
  }
  assert.equal(reasonOf('online'), 'CONNECT_REFUSED', 'the first of two failures')
  assert.equal(reasonOf('offline'), 'CONNECT_REFUSED', 'it is OFFLINE already')
})

test('what a pool depends on is what all its parts name, and nothing before the last has come', async (t) => {
  const { options, open, advance } = withFakes(t)
  const dependencies = new Dependencies(options)
  t.after(() => dependencies.destroy())
  const part = (memberId: string, ...dependsOn: string[]) => pool(config(memberId, { dependsOn }))
  dependencies.applyChecks(part('a', 'x'))
  dependencies.applyChecks(pool(config('b')))
  assert.equal(open.length, 0)
  dependencies.applyChecks(part('c', 'y', 'x'))
  dependencies.completePool({ poolId: 'pool' })
  assert.deepEqual(open[0]?.parents, ['x', 'y'])
  await open[0].done()
  dependencies.dropShards(new Set([7]))
  await advance(10 * DEPENDENCY_POLL_MS)
  assert.equal(open.length, 0)
})

test('a prober that ends reads nothing more, also when a reading was under way', async (t) => {
  const { options, open, all, advance } = withFakes(t)
  const readings = new DependencyReadings(options)
  readings.setPool('p', 'a', ['x'])
  readings.setPool('q', 'b', ['y'])
  assert.equal(open.length, 1)
  readings.destroy()
  await open[0]?.done()
  for (let n = 0; n < 3; n++) await advance(DEPENDENCY_POLL_MS)
  assert.equal(all.length, 1)
})
