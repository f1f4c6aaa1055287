import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { SHARE_PER_FREE } from '../../../../src/domain/limits.ts'
import { createMetrics } from '../../../../src/runtime/metrics/metrics.ts'
import { type AddressShare, AddressTable } from '../../../../src/schedule/share/address-slots.ts'
import { Check } from '../../../../src/schedule/loop/check.ts'
import { isLinked } from '../../../../src/schedule/linked-list.ts'
import { ProjectTable } from '../../../../src/schedule/share/project-share.ts'
import { config, harness, pool } from '../../../support/scheduling.ts'

const ADDRESS = '10.0.0.1'

/** A table whose clock only the test moves, and who got slots at which time. */
function world(options: { slots?: number; startsPerSecond?: number } = {}) {
  let nowMs = 10_000
  const admitted: { check: Check; atMs: number }[] = []
  const projects = new ProjectTable<Check>()
  const table = new AddressTable<Check>({
    slots: 512,
    startsPerSecond: 0,
    ...options,
    nowMs,
    onAdmitted: (check) => void admitted.push({ check, atMs: nowMs }),
  })
  const checkOf = (projectId: string, address = ADDRESS): Check => {
    const share = table.hold(address, projects.hold(projectId))
    return new Check(config('m', { projectId }), undefined, {
      nowMs,
      pool: { isGone: false },
      share,
      denied: undefined,
    })
  }
  const request = (check: Check): boolean => {
    const isAdmitted = table.request(check.share, check, nowMs) === 'admitted'
    if (isAdmitted) admitted.push({ check, atMs: nowMs })
    return isAdmitted
  }
  const pass = (ms: number): void => {
    for (const endMs = nowMs + ms; nowMs < endMs; ) {
      nowMs = Math.min(endMs, nowMs + 10)
      table.advance(nowMs)
    }
  }
  const giveBack = (share: AddressShare<Check>): void => table.giveBack(share, nowMs)
  const timesOf = (projectId: string): readonly number[] =>
    admitted.filter(({ check }) => check.config.projectId === projectId).map(({ atMs }) => atMs)
  return { table, projects, checkOf, request, pass, giveBack, timesOf, admitted, now: () => nowMs }
}

describe('starts towards one address', () => {
  it('may come at once for a second’s worth, then they are spread evenly', () => {
    const { checkOf, request, pass, timesOf, now } = world({ startsPerSecond: 10 })
    const startMs = now()
    for (let i = 0; i < 30; i++) request(checkOf('a'))
    pass(2000)
    const waits = timesOf('a').map((ms) => ms - startMs)
    assert.deepEqual(waits.slice(0, 11), [...Array<number>(10).fill(0), 100])
    assert.equal(waits[29], 2000)
    // After a quiet while there is a second's worth again, not more.
    pass(60_000)
    const laterMs = now()
    for (let i = 0; i < 12; i++) request(checkOf('b'))
    pass(1000)
    assert.deepEqual(
      timesOf('b').map((ms) => ms - laterMs),
      [...Array<number>(10).fill(0), 100, 200],
    )
  })

  it('are each as often as they want below the bound, and without one', () => {
    const bounded = world({ startsPerSecond: 10 })
    for (let i = 0; i < 100; i++) {
      assert.ok(bounded.request(bounded.checkOf('a')))
      bounded.pass(100)
    }
    const free = world({ slots: 1_000_000 })
    for (let i = 0; i < 10_000; i++) assert.ok(free.request(free.checkOf('a')))
  })

  it('are served in turn by project once the rate is used up: a second project waits for one start of the first', () => {
    const { checkOf, request, pass, timesOf, now } = world({ startsPerSecond: 10 })
    for (let i = 0; i < 200; i++) request(checkOf('attacker'))
    pass(1000)
    const dueMs = now()
    assert.equal(request(checkOf('bystander')), false)
    pass(1000)
    const [startedMs = Number.POSITIVE_INFINITY] = timesOf('bystander')
    assert.ok(startedMs - dueMs <= 200, `${startedMs - dueMs} ms late`)
    assert.equal(timesOf('attacker').length + 1, 10 + 20, 'and no start of the rate is left out')
  })

  it('are put off by the scheduler and counted, and every check has its turn', async () => {
    const metrics = createMetrics('test')
    const { scheduler, attempts, run } = harness({ probesPerSecondPerAddress: 10, metrics })
    scheduler.applyPool(pool(...Array.from({ length: 40 }, (_, i) => config(`member ${i}`))))
    run(2000)
    assert.ok(attempts.length <= 10 + 20 + 1, `${attempts.length} in two seconds`)
    run(2500)
    assert.equal(attempts.length, 40)
    const text = await metrics.registry.metrics()
    const delayed = Number(/^hm_probes_delayed_total (\d+)$/m.exec(text)?.[1])
    assert.ok(delayed >= 20 && delayed <= 30, String(delayed))
  })
})

describe('slots of one address', () => {
  it('are four fifths for a lone project, and there is one at once for the next', () => {
    const { checkOf, request } = world({ slots: 100 })
    const taken = Array.from({ length: 200 }, () => request(checkOf('attacker'))).filter(Boolean).length
    assert.equal(taken, 80)
    for (let i = 0; i < 16; i++) assert.ok(request(checkOf('bystander')), `${i} of its own`)
    assert.equal(request(checkOf('attacker')), false)
  })

  it('are given back with the probe, also of a check that has moved or gone, and nothing is kept then', () => {
    const { table, projects, checkOf, request, giveBack } = world()
    const check = checkOf('a')
    request(check)
    table.release(check.share)
    projects.release(check.share.project)
    assert.equal(table.size, 1, 'the probe is under way')
    assert.equal(
      table.hold(ADDRESS, check.share.project),
      check.share,
      'who comes back meanwhile finds it counted',
    )
    table.release(check.share)
    giveBack(check.share)
    assert.deepEqual([table.size, projects.size], [0, 0])
  })

  it('are divided whatever happens in which order: no limit is exceeded, no check is left behind, nothing remains', () => {
    const PROJECTS = ['a', 'b', 'c']
    const step = fc.record({
      what: fc.constantFrom('request', 'request', 'end', 'leave', 'pass'),
      project: fc.constantFrom(...PROJECTS),
      which: fc.nat(50),
    })
    const cases = fc.record({
      slots: fc.integer({ min: 1, max: 12 }),
      startsPerSecond: fc.constantFrom(0, 1, 10, 200),
      steps: fc.array(step, { maxLength: 120 }),
    })
    fc.assert(
      fc.property(cases, ({ steps, ...options }) => {
        const { table, projects, checkOf, request, giveBack, pass, admitted } = world(options)
        const waiting = new Set<Check>()
        const holding: Check[] = []
        let seen = 0
        const look = (): void => {
          for (; seen < admitted.length; seen++) {
            const { check } = admitted[seen] ?? assert.fail()
            waiting.delete(check)
            holding.push(check)
          }
          assert.ok(holding.length <= options.slots)
          const free = options.slots - holding.length
          for (const { share } of options.startsPerSecond === 0 ? waiting : [])
            assert.ok(share.held >= SHARE_PER_FREE * free, 'nobody waits who might have one')
        }
        const letGo = (check: Check): void => {
          table.release(check.share)
          projects.release(check.share.project)
        }
        const end = (check: Check): void => {
          giveBack(check.share)
          letGo(check)
        }
        for (const { what, project, which } of steps) {
          if (what === 'request') {
            const check = checkOf(project)
            const { held } = check.share
            const free = options.slots - check.share.address.held
            if (request(check)) assert.ok(held < SHARE_PER_FREE * free, `${held} of its own, ${free} free`)
            else waiting.add(check)
          } else if (what === 'end' && holding.length > 0)
            end(holding.splice(which % holding.length, 1)[0] ?? assert.fail())
          else if (what === 'leave' && waiting.size > 0) {
            const check = [...waiting][which % waiting.size] ?? assert.fail()
            table.leave(check.share, check)
            waiting.delete(check)
            assert.equal(isLinked(check), false)
            letGo(check)
          } else pass(which * 10)
          look()
        }
        // Waiting checks are served when the others end, within the time that the rate allows.
        for (let i = 0; (waiting.size > 0 || holding.length > 0) && i < 300; i++) {
          pass(1000)
          look()
          for (const check of holding.splice(0)) end(check)
          look()
        }
        assert.equal(waiting.size, 0)
        assert.deepEqual([table.size, projects.size], [0, 0])
      }),
      { numRuns: 300 },
    )
  })
})
