import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEADLINES_PER_TURN } from '../../../../src/domain/limits.ts'
import { config, harness, pool, poolOf, TIMEOUT_MS } from '../../../support/scheduling.ts'

/** Lets time pass until the first probe of the check is 100 ms before its deadline. */
function shortBeforeDeadline({ run, now, attempts }: ReturnType<typeof harness>): void {
  while (attempts.length === 0) run(10)
  run((attempts[0]?.startedMs ?? 0) + TIMEOUT_MS - 100 - now())
}

test('an answer that is read after its deadline was found expired still counts', () => {
  const world = harness()
  world.scheduler.applyPool(pool(config('m')))
  shortBeforeDeadline(world)
  const attempt = world.last()
  // Too short for a stall, long enough for the deadline to pass while nobody listens.
  world.stall(200)
  world.scheduler.tick()
  assert.equal(attempt.cancelledBy, undefined, 'not before the sockets were heard')
  world.scheduler.tick()
  assert.equal(attempt.cancelledBy, undefined, 'nor before what they told had its turn')
  attempt.end('PASSED')
  world.run(1000)
  assert.equal(attempt.cancelledBy, undefined)
  assert.deepEqual(
    world.verdicts.map(({ status }) => status),
    ['ONLINE'],
  )
})

test('a deadline asks for the ticks that it needs, and then counts', () => {
  let woken = 0
  const world = harness({ wake: (inMs) => void (inMs === 0 && woken++) })
  world.scheduler.applyPool(pool(config('m')))
  shortBeforeDeadline(world)
  const attempt = world.last()
  world.run(150)
  assert.equal(attempt.cancelledBy, 'timeout')
  assert.equal(woken, 2)
})

test('deadlines of thousands are ended over some turns of the event loop, and others start meanwhile', () => {
  const world = harness({ budget: 100_000 })
  world.scheduler.applyPool(
    poolOf('attacker', 1000, (i, { target }) => ({
      target: { ...target, address: `10.1.${i >> 8}.${i & 255}` },
    })),
  )
  world.run(1000)
  assert.equal(world.attempts.length, 1000)
  world.stall(TIMEOUT_MS)
  world.scheduler.applyPool(poolOf('bystander', 1, (_, { target }) => ({ target: { ...target, port: 81 } })))
  const ended = () => world.attempts.filter(({ cancelledBy }) => cancelledBy === 'timeout').length
  let turns = 0
  for (let before = 0; ended() < 1000; before = ended(), turns++) {
    world.stall(5)
    world.scheduler.tick()
    assert.ok(ended() - before <= DEADLINES_PER_TURN)
    assert.ok(turns < 200, 'all of them are ended')
  }
  assert.ok(turns >= 1000 / DEADLINES_PER_TURN)
})
