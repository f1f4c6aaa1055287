import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IDLE_CONNECTION_MAX_MS } from '../../../../src/domain/limits.ts'
import type { ProbeTarget } from '../../../../src/domain/target/probe-target.ts'
import { IdleConnections } from '../../../../src/probe/wire/idle-connections.ts'
import { IdleRoom } from '../../../../src/probe/wire/idle-room.ts'
import type { StreamConnection } from '../../../../src/probe/wire/stream-connection.ts'

const target = (): ProbeTarget => ({
  type: 'HTTP',
  address: '127.0.0.1',
  family: 4,
  port: 80,
  timeoutMs: 1000,
  reuse: { freshEvery: 1000, idleCloseIsFailure: false },
})

/** A pool at a time of the test's choosing, and probes of targets that take no time. */
function harness(t: { after(end: () => void): void }, capacity: number) {
  let nowMs = 0
  let dice = 0
  const room = new IdleRoom()
  room.capacity = capacity
  const pool = new IdleConnections(
    room,
    () => (dice = (dice + 0.37) % 1),
    () => nowMs,
  )
  t.after(() => pool.closeAll())
  let reused = 0
  const connect = (of: ProbeTarget): StreamConnection => {
    const connection = {
      target: of,
      uses: 0,
      idleIndex: -1,
      idleSince: 0,
      gapMs: Number.POSITIVE_INFINITY,
      isUsable: true,
      close: () => (connection.isUsable = false),
    }
    return connection as unknown as StreamConnection
  }
  const probe = (of: ProbeTarget): void => {
    const kept = pool.take(of)
    if (kept !== undefined) reused++
    const connection = kept ?? connect(of)
    connection.uses++
    if (!pool.keep(connection)) connection.close()
  }
  return { pool, room, probe, connect, reused: () => reused, at: (ms: number) => (nowMs = ms) }
}

test('with twice as many checks as room, half of the probes still find their connection', (t) => {
  const { pool, probe, reused, at } = harness(t, 50)
  const targets = Array.from({ length: 100 }, target)
  const rounds = 40
  for (let round = 0; round < rounds; round++) {
    targets.forEach((each, index) => {
      at(round * 5000 + index * 50)
      probe(each)
    })
  }
  assert.equal(pool.size, 50)
  assert.ok(reused() > rounds * 50 * 0.8, `${reused()} of ${rounds * 100} probes found one`)
})

test('a check that is probed often drives out one that is probed seldom', (t) => {
  const { pool, probe, at } = harness(t, 10)
  const seldom = Array.from({ length: 10 }, target)
  const often = Array.from({ length: 10 }, target)
  for (let ms = 0; ms <= 600_000; ms += 1000) {
    at(ms)
    if (ms % 60_000 === 0) for (const each of seldom) probe(each)
    if (ms % 2000 === 0) for (const each of often) probe(each)
  }
  assert.equal(pool.size, 10)
  const kept = often.filter((each) => pool.take(each) !== undefined).length
  assert.ok(kept >= 8, `${kept} of the frequent ones were kept`)
})

test('a connection of another probe of the same target is not lost', (t) => {
  const { pool, probe } = harness(t, 10)
  const one = target()
  probe(one)
  const first = pool.take(one) ?? assert.fail()
  probe(one)
  assert.equal(pool.keep(first), false)
  assert.equal(pool.size, 1)
})

test('an unused connection is closed after a while', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { pool, probe, at } = harness(t, 10)
  probe(target())
  at(IDLE_CONNECTION_MAX_MS - 1)
  probe(target())
  t.mock.timers.tick(60_000)
  assert.equal(pool.size, 2)
  at(IDLE_CONNECTION_MAX_MS + 1)
  t.mock.timers.tick(60_000)
  assert.equal(pool.size, 1)
})

test('a probe that is in flight when its target is gone leaves no connection behind', (t) => {
  const { pool, probe, connect } = harness(t, 10)
  const old = target()
  const inFlight = connect(old)
  pool.forget(old)
  inFlight.uses++
  assert.equal(pool.keep(inFlight), false)
  assert.equal(pool.size, 0)
  probe(target())
  assert.equal(pool.size, 1, 'the new target object has one of its own')
})

test('what others keep in the same room is left to them, and takes from it', (t) => {
  const { pool, room, probe } = harness(t, 3)
  room.held = 2
  const targets = Array.from({ length: 3 }, target)
  for (const each of targets) probe(each)
  assert.deepEqual([pool.size, room.held], [1, 3])
  room.capacity = 2
  probe(target())
  assert.equal(pool.size, 1)
  pool.closeAll()
  assert.equal(room.held, 2)
  probe(target())
  assert.deepEqual([pool.size, room.held], [0, 2])
})
