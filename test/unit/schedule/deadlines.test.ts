import assert from 'node:assert/strict'
import { test } from 'node:test'
import { config, harness, pool, TIMEOUT_MS } from '../../support/scheduling.ts'

/** Lets time pass until the first probe of the check is 100 ms before its deadline. */
function shortBeforeDeadline({ run, now, attempts }: ReturnType<typeof harness>): void {
  while (attempts.length === 0) run(10)
  run((attempts[0]?.startedMs ?? 0) + TIMEOUT_MS - 100 - now())
}

test('an answer that is heard after its deadline was found expired still counts', () => {
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
