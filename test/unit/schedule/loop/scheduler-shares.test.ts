/** What one project does to another: an attacker and a bystander in one prober. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { IN_FLIGHT_PER_ADDRESS_MAX, SHARE_PER_FREE, WHEEL_TICK_MS } from '../../../../src/domain/limits.ts'
import { statePolicy } from '../../../../src/domain/options/profiles.ts'
import {
  type Attempt,
  harness,
  checkpointEntry,
  poolOf,
  START_MS,
  STORED,
} from '../../../support/scheduling.ts'

const HOUR_MS = 3_600_000
/** Milliseconds between probes of the bystander at the most: its delay, and two ticks of the wheel. */
const LATEST_MS = 1000 + 2 * WHEEL_TICK_MS

function every(delaySeconds: number) {
  return statePolicy({ profile: 'elb', rise: 2, fall: 2, delaySeconds, timeoutSeconds: 3 })
}

/** Members that accept and stay silent, each at an address of its own unless `address` is given. */
function silent(count: number, address?: string, delaySeconds = 1) {
  return poolOf('attacker', count, (i, { target }) => ({
    policy: every(delaySeconds),
    target: {
      ...target,
      address: address ?? `10.1.${i >> 8}.${i & 255}`,
      port: 1024 + (i % 60_000),
      timeoutMs: HOUR_MS,
    },
  }))
}

function bystander(address = '10.0.0.1') {
  return poolOf('bystander', 1, (_, { target }) => ({ policy: every(1), target: { ...target, address } }))
}

/** Lets time pass while every probe of the bystander ends at once, with `answer`; returns when each started. */
function watch(
  { attempts, run }: Pick<ReturnType<typeof harness>, 'attempts' | 'run'>,
  forMs: number,
  answer: 'PASSED' | 'CONNECT_REFUSED' = 'PASSED',
): readonly Attempt[] {
  const before = attempts.length
  const isHis = ({ target }: Attempt) => target.port === 80
  for (let ms = 0; ms < forMs; ms += WHEEL_TICK_MS) {
    run(WHEEL_TICK_MS)
    for (const attempt of attempts.slice(before)) if (isHis(attempt)) attempt.end(answer)
  }
  return attempts.slice(before).filter(isHis)
}

function longestGapMs(starts: readonly Attempt[]): number {
  const times = starts.map(({ startedMs }) => startedMs)
  return Math.max(...times.slice(1).map((ms, i) => ms - (times[i] ?? 0)))
}

describe('a project whose members never answer', () => {
  it('holds four fifths of the slots of an address, and another project’s member there keeps its delay', () => {
    const world = harness({ random: Math.random })
    const { scheduler, attempts, verdicts, run } = world
    scheduler.applyPool(silent(520, '10.0.0.1'))
    run(3000)
    assert.equal(attempts.length, Math.ceil((IN_FLIGHT_PER_ADDRESS_MAX * 4) / 5))
    scheduler.applyPool(bystander())
    const starts = watch(world, 20_000)
    assert.ok(starts.length >= 19)
    assert.ok(longestGapMs(starts) <= LATEST_MS, `${longestGapMs(starts)} ms`)
    watch(world, 2 * LATEST_MS, 'CONNECT_REFUSED')
    assert.equal(verdicts.at(-1)?.status, 'OFFLINE')
  })

  it('holds four fifths of the prober’s probes in flight, and another project’s member keeps its delay', () => {
    const world = harness({ random: Math.random, budget: 4032 })
    const { scheduler, attempts, verdicts, run } = world
    scheduler.applyPool(silent(5000))
    run(5000)
    assert.equal(scheduler.inFlight, Math.ceil((4032 * 4) / 5))
    assert.equal(attempts.length, scheduler.inFlight)
    scheduler.applyPool(bystander())
    const starts = watch(world, 20_000)
    assert.ok(starts.length >= 19)
    assert.ok(longestGapMs(starts) <= LATEST_MS, `${longestGapMs(starts)} ms`)
    watch(world, 2 * LATEST_MS, 'CONNECT_REFUSED')
    assert.equal(verdicts.at(-1)?.status, 'OFFLINE')
  })

  it('gives way when the budget shrinks, as something ends, and another project starts before it', () => {
    let budget = 4032
    const world = harness({
      random: Math.random,
      get budget() {
        return budget
      },
    })
    const { scheduler, attempts, run } = world
    scheduler.applyPool(silent(5000))
    scheduler.applyPool(bystander())
    watch(world, 5000)
    budget = 3000
    run(2000)
    const held = attempts.filter(({ ended, target }) => !ended && target.port !== 80)
    for (const attempt of held.slice(0, 400)) attempt.end('PASSED')
    const starts = watch(world, 10_000)
    assert.ok(longestGapMs(starts) <= LATEST_MS)
    assert.ok(scheduler.inFlight <= 3000)
    const own = attempts.filter(({ ended, target }) => !ended && target.port !== 80).length
    assert.ok(own <= held.length - 400, 'what ended was not started again beyond four times what is free')
  })

  it('has at most what the operator allows a project, whatever is free', () => {
    const { scheduler, run } = harness({ random: Math.random, inFlightPerProject: 100 })
    scheduler.applyPool(silent(5000))
    run(5000)
    assert.equal(scheduler.inFlight, 100)
  })
})

describe('a project that is busy', () => {
  it('uses up the rate of an address, and another project’s member there keeps its delay', () => {
    const world = harness({ random: Math.random, probesPerSecondPerAddress: 100 })
    const { scheduler, attempts, run } = world
    scheduler.applyPool(
      poolOf('attacker', 1000, (i, { target }) => ({
        policy: every(1),
        target: { ...target, port: 1024 + i },
      })),
    )
    const answer = (forMs: number): readonly Attempt[] => {
      const before = attempts.length
      for (let ms = 0; ms < forMs; ms += WHEEL_TICK_MS) {
        run(WHEEL_TICK_MS)
        for (const attempt of attempts.slice(before)) attempt.end('PASSED')
      }
      return attempts.slice(before)
    }
    answer(5000)
    scheduler.applyPool(bystander())
    const all = answer(20_000)
    assert.ok(all.length >= 1900 && all.length <= 2101, `${all.length}: the whole rate is used`)
    const starts = all.filter(({ target }) => target.port === 80)
    assert.ok(longestGapMs(starts) <= LATEST_MS + 2 * WHEEL_TICK_MS, `${longestGapMs(starts)} ms`)
  })

  it('adds 100 000 members, and another project’s new member is probed within a second', () => {
    const { scheduler, attempts, run } = harness({ random: Math.random, budget: 1_000_000 })
    scheduler.applyPool(silent(100_000, undefined, 20))
    scheduler.applyPool(bystander('10.9.9.9'))
    run(1000)
    assert.ok(attempts.some(({ target }) => target.address === '10.9.9.9'))
    assert.ok(attempts.length <= 5000, 'and its own come at the pace of their delay')
  })

  it('has 100 000 checks due at once, and another project’s is among the first that start', () => {
    const { scheduler, attempts, stall, run } = harness({ budget: 1_000_000, random: () => 0.5 })
    const crowd = silent(100_000)
    const due = START_MS + 200
    scheduler.applyPool({
      ...crowd,
      checks: crowd.checks.map(({ config: each }) => ({
        config: each,
        verdict: STORED,
        checkpoint: checkpointEntry(each, due),
      })),
    })
    const his = bystander('10.9.9.9')
    scheduler.applyPool({
      ...his,
      checks: his.checks.map(({ config: each }) => ({
        config: each,
        verdict: STORED,
        checkpoint: checkpointEntry(each, due),
      })),
    })
    stall(200)
    run(WHEEL_TICK_MS)
    const turn = attempts.findIndex(({ target }) => target.address === '10.9.9.9')
    assert.ok(turn >= 0 && turn <= 1, `it was number ${turn}`)
  })
})

describe('checks of three projects, whatever happens to them in which order', () => {
  const PROJECTS = ['a', 'b', 'c']
  const step = fc.record({
    what: fc.constantFrom('apply', 'apply', 'run', 'run', 'end', 'end', 'move', 'change', 'remove', 'reborn'),
    project: fc.nat(2),
    count: fc.nat(12),
  })

  it('never have more in flight than their project may, leave no count behind, and none is stranded', () => {
    const cases = fc.record({
      budget: fc.integer({ min: 1, max: 12 }),
      probesPerSecondPerAddress: fc.constantFrom(0, 5, 100),
      steps: fc.array(step, { maxLength: 60 }),
    })
    fc.assert(
      fc.property(cases, ({ steps, ...options }) => {
        const { scheduler, attempts, run } = harness({ ...options, random: Math.random })
        const shape = PROJECTS.map(() => ({ count: 0, generation: 1, address: 1, port: 80 }))
        const apply = (i: number): void => {
          const { count, generation, address, port } = shape[i] ?? assert.fail()
          scheduler.applyPool(
            poolOf(PROJECTS[i] ?? '', count, (m, { target }) => ({
              generation,
              policy: every(1),
              target: { ...target, address: `10.0.${address}.${m % 3}`, port: port + i },
            })),
          )
        }
        const open = () => attempts.filter(({ ended }) => !ended)
        for (const { what, project, count } of steps) {
          const each = shape[project] ?? assert.fail()
          if (what === 'apply') each.count = count
          if (what === 'move') each.address = 1 + (count % 3)
          if (what === 'change') each.port = 80 + 10 * (count % 5)
          if (what === 'reborn') each.generation++
          if (what === 'remove') {
            each.count = 0
            scheduler.removePool(`pool of ${PROJECTS[project]}`)
          } else if (what === 'run') run(count * 100)
          else if (what === 'end') for (const attempt of open().slice(0, count)) attempt.end('PASSED')
          else apply(project)
          assert.ok(scheduler.inFlight <= options.budget)
          assert.equal(scheduler.inFlight, open().length)
          assert.ok(scheduler.queued >= 0)
          for (const [i] of PROJECTS.entries()) {
            const own = open().filter(({ target }) => target.port % 10 === i).length
            assert.ok(own <= Math.ceil((options.budget * SHARE_PER_FREE) / (SHARE_PER_FREE + 1)))
          }
          const members = Object.values(scheduler.members).reduce((sum, n) => sum + n, 0)
          assert.equal(members, scheduler.size)
          const counted = { UNKNOWN: 0, ONLINE: 0, OFFLINE: 0 }
          for (const check of scheduler.checks()) counted[check.decidedStatus]++
          assert.deepEqual({ ...scheduler.members }, counted)
        }
        // Everybody is probed again, soon, when probes end.
        const before = attempts.length
        for (let i = 0; i < 400; i++) {
          run(50)
          for (const attempt of open()) attempt.end('PASSED')
        }
        const probed = new Set(
          attempts.slice(before).map(({ target: { address, port } }) => `${address} ${port % 10}`),
        )
        for (const check of scheduler.checks()) {
          const { address, port } = check.config.target
          assert.ok(probed.has(`${address} ${port % 10}`), 'its target is probed')
          assert.ok(check.lastResult !== undefined, 'it has a result')
        }
        scheduler.dropShards(new Set([7]))
        assert.deepEqual([scheduler.size, scheduler.inFlight, scheduler.queued, open().length], [0, 0, 0, 0])
        assert.deepEqual({ ...scheduler.members }, { UNKNOWN: 0, ONLINE: 0, OFFLINE: 0 })
      }),
      { numRuns: 150 },
    )
  })
})
