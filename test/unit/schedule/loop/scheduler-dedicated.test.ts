/** Checks whose answers are lost on a shared socket: probed on sockets of their own until the flood has passed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DEDICATED_IN_FLIGHT_MAX,
  DEDICATED_PROBES,
  LOST_BEFORE_DEDICATED,
} from '../../../../src/domain/limits.ts'
import { statePolicy } from '../../../../src/domain/options/profiles.ts'
import { createMetrics } from '../../../../src/runtime/metrics/metrics.ts'
import type { SchedulerOptions } from '../../../../src/schedule/loop/scheduler.ts'
import { FakeCore } from '../../../support/fake-core.ts'
import { config, DELAY_MS, harness, known, pool, poolOf, TIMEOUT_MS } from '../../../support/scheduling.ts'

const FALL = 3
/** From the start of one probe that times out to that of the next: its delay, the deadline and two ticks. */
const WINDOW_MS = DELAY_MS + TIMEOUT_MS + 20

/** A shared core and a dedicated one: each answers as the test says, at once or at the deadline. */
function withCores(options: Partial<SchedulerOptions> = {}) {
  const shared = new FakeCore()
  const dedicated = new FakeCore()
  const metrics = createMetrics('test')
  const flood = (isOn: boolean): void => {
    shared.immediately = isOn ? undefined : ['PASSED', 700]
    shared.expiresWith = isOn ? 'PROBER_OVERLOAD' : 'ICMP_TIMEOUT'
  }
  flood(false)
  dedicated.immediately = ['PASSED', 900]
  const scheduling = harness({ coreOf: () => shared, dedicatedCoreOf: () => dedicated, metrics, ...options })
  const counted = async (): Promise<number> => {
    const text = await metrics.registry.metrics()
    return Number(/^hm_probes_dedicated_total\{type="TCP"\} (\d+)$/m.exec(text)?.[1])
  }
  return { shared, dedicated, flood, counted, ...scheduling }
}

const started = ({ batches }: FakeCore): number => batches.flat().length

function member(id = 'a', fall = FALL) {
  return config(id, {
    policy: statePolicy({
      profile: 'elb',
      rise: 2,
      fall,
      delaySeconds: DELAY_MS / 1000,
      timeoutSeconds: 3,
    }),
  })
}

test('a member that dies during a flood is OFFLINE after two probes more than without one', () => {
  for (const isFlooded of [false, true]) {
    const { shared, dedicated, flood, scheduler, run, verdicts } = withCores()
    scheduler.applyPool(pool(known(member())))
    run(3 * DELAY_MS)
    flood(isFlooded)
    shared.immediately = undefined
    dedicated.immediately = undefined
    dedicated.expiresWith = 'ICMP_TIMEOUT'
    const probes = FALL + (isFlooded ? LOST_BEFORE_DEDICATED : 0)
    run((probes - 1) * (DELAY_MS + TIMEOUT_MS))
    assert.ok(!verdicts.some(({ status }) => status === 'OFFLINE'), 'not before')
    run(2 * WINDOW_MS - TIMEOUT_MS)
    assert.equal(verdicts.at(-1)?.status, 'OFFLINE', isFlooded ? 'with a flood' : 'without one')
    assert.ok(isFlooded ? started(dedicated) >= FALL : started(dedicated) === 0)
  }
})

test('a member that dies in the middle of a flood is OFFLINE at most as late, whenever the shared socket is tried', () => {
  for (let passes = 0; passes <= 2 * DEDICATED_PROBES; passes++) {
    const { dedicated, flood, scheduler, run, verdicts } = withCores()
    scheduler.applyPool(pool(known(member())))
    run(DELAY_MS)
    flood(true)
    run(LOST_BEFORE_DEDICATED * WINDOW_MS + passes * DELAY_MS)
    assert.ok(!verdicts.some(({ status }) => status === 'OFFLINE'), 'an answering member never falls')
    dedicated.immediately = undefined
    dedicated.expiresWith = 'ICMP_TIMEOUT'
    run((FALL + LOST_BEFORE_DEDICATED) * WINDOW_MS + DELAY_MS)
    assert.equal(verdicts.at(-1)?.status, 'OFFLINE', `it died after ${passes} dedicated probes`)
  }
})

test('however many failures in a row a member may have, its death is seen two probes later at most', () => {
  const fall = 3 * DEDICATED_PROBES
  const { shared, dedicated, flood, scheduler, run, verdicts } = withCores()
  scheduler.applyPool(pool(known(member('a', fall))))
  run(DELAY_MS)
  flood(true)
  dedicated.immediately = undefined
  dedicated.expiresWith = 'ICMP_TIMEOUT'
  const before = started(shared)
  run((fall + LOST_BEFORE_DEDICATED) * WINDOW_MS + DELAY_MS)
  assert.equal(verdicts.at(-1)?.status, 'OFFLINE')
  // And perhaps one when it is OFFLINE.
  assert.ok(started(shared) - before <= LOST_BEFORE_DEDICATED + 1)
  assert.ok(started(dedicated) >= fall)
})

test('after the flood the check is back on the shared socket, and its second seat is given back', async () => {
  const { shared, dedicated, flood, counted, scheduler, run } = withCores()
  scheduler.applyPool(pool(known(member())))
  run(DELAY_MS)
  flood(true)
  run(LOST_BEFORE_DEDICATED * WINDOW_MS + 3 * DELAY_MS)
  assert.ok(started(dedicated) >= 2)
  assert.equal(await counted(), started(dedicated))
  flood(false)
  run((DEDICATED_PROBES + 3) * DELAY_MS)
  const before = [started(shared), started(dedicated)]
  assert.equal(before[1], DEDICATED_PROBES)
  assert.deepEqual(
    dedicated.targets.filter((target) => target !== undefined),
    [],
  )
  run(4 * DELAY_MS)
  assert.ok(started(shared) > (before[0] ?? 0))
  assert.equal(started(dedicated), before[1])
  const [check] = scheduler.checks()
  assert.equal(check?.lastPhases?.totalMs, 0.7)
})

test('a pass on a socket of its own is the last result, with its own phases', () => {
  const { shared, flood, scheduler, run } = withCores()
  scheduler.applyPool(pool(known(member())))
  run(3 * DELAY_MS)
  flood(true)
  shared.phasesOf = () => ({ totalMs: 7 })
  run(LOST_BEFORE_DEDICATED * WINDOW_MS + 4 * DELAY_MS)
  const [check] = scheduler.checks()
  assert.deepEqual([check?.lastResult?.reason, check?.lastPhases?.totalMs], ['PASSED', 0.9])
})

test('without a core for sockets of their own, or where it does not take the target, lost answers are inconclusive', () => {
  const refusing = new FakeCore()
  refusing.hold = () => -1
  for (const dedicatedCoreOf of [() => undefined, () => refusing]) {
    const { shared, flood, scheduler, run, verdicts } = withCores({ dedicatedCoreOf })
    scheduler.applyPool(pool(known(member())))
    run(DELAY_MS)
    flood(true)
    run(10 * WINDOW_MS)
    assert.ok(started(shared) >= 10)
    const [check] = scheduler.checks()
    assert.equal(check?.lastResult?.reason, 'PROBER_OVERLOAD')
    assert.ok(!verdicts.some(({ status }) => status === 'OFFLINE'))
  }
})

test('a check that is removed, moved or stopped during its dedicated probe leaves nothing behind', () => {
  const { shared, dedicated, flood, scheduler, run } = withCores()
  const members = ['removed', 'moved', 'stopped'].map((id) => member(id))
  scheduler.applyPool(pool(...members.map((each) => known(each))))
  run(DELAY_MS)
  flood(true)
  dedicated.immediately = undefined
  while (dedicated.inFlight < 3) run(100)
  const [, moved = member(), stopped = member()] = members
  const elsewhere = { ...moved, generation: 2, target: { ...moved.target, address: '10.0.0.9' } }
  scheduler.applyPool({ ...pool(elsewhere, stopped), configVersion: 2 })
  assert.equal(dedicated.inFlight, 1)
  assert.equal(dedicated.targets.filter((target) => target !== undefined).length, 1)
  scheduler.removePool('pool')
  assert.deepEqual([shared.inFlight, dedicated.inFlight], [0, 0])
  for (const { targets } of [shared, dedicated])
    assert.deepEqual(
      targets.filter((target) => target !== undefined),
      [],
    )
})

test('a project whose dead members take all the room they may leaves room for those of another', () => {
  const { dedicated, flood, scheduler, run, verdicts } = withCores({ budget: 20_000 })
  const many = 2 * DEDICATED_IN_FLIGHT_MAX
  const hostile = poolOf('attacker', many, (i, { target }) => ({
    target: { ...target, address: `10.1.${i >> 8}.${i & 255}`, timeoutMs: 4 * WINDOW_MS },
  }))
  const bystander = poolOf('bystander', 2, (_, base) => ({
    ...member(base.memberId),
    projectId: 'bystander',
    poolId: base.poolId,
  }))
  for (const each of [hostile, bystander])
    scheduler.applyPool({ ...each, checks: each.checks.map(({ config: of }) => known(of)) })
  run(2000)
  flood(true)
  dedicated.immediately = undefined
  dedicated.expiresWith = 'ICMP_TIMEOUT'
  run(12 * WINDOW_MS)
  const full = dedicated.inFlight
  assert.ok(full > DEDICATED_IN_FLIGHT_MAX / 2 && full <= DEDICATED_IN_FLIGHT_MAX, `${full} in flight`)
  const fallen = verdicts.filter(
    ({ member: id, status }) => id.startsWith('bystander') && status === 'OFFLINE',
  )
  assert.equal(fallen.length, 2)
  // Their room is free when they are removed, in flight or not.
  scheduler.removePool(hostile.poolId)
  assert.ok(dedicated.inFlight <= 2)
  const next = poolOf('next', many, (i, { target }) => ({
    target: { ...target, address: `10.2.${i >> 8}.${i & 255}`, timeoutMs: 4 * WINDOW_MS },
  }))
  scheduler.applyPool({ ...next, checks: next.checks.map(({ config: of }) => known(of)) })
  run(12 * WINDOW_MS)
  assert.ok(dedicated.inFlight > DEDICATED_IN_FLIGHT_MAX / 2, `${dedicated.inFlight} in flight`)
})
