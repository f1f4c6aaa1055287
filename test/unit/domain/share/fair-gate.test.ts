/** How places are divided by key, and in which order waiting requests are served. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as settled } from 'node:timers/promises'
import { FairGate } from '../../../../src/domain/share/fair-gate.ts'
import { FairShare, mayTake } from '../../../../src/domain/share/fair-share.ts'

const gateOf = (places: number, waitingMax = 100) => new FairGate({ places, waitingMax })

function enterAll(gate: FairGate, key: string, times: number): number {
  return Array.from({ length: times }, () => gate.tryEnter(key)).filter(Boolean).length
}

test('a key alone holds four fifths at most, and the next ones find a place', () => {
  const gate = gateOf(100)
  assert.equal(enterAll(gate, 'attacker', 1000), 80)
  assert.equal(enterAll(gate, 'second', 1000), 16)
  assert.ok(gate.tryEnter('bystander'))
})

test('a key that holds nothing takes the last place', () => {
  assert.equal(mayTake(0, 1), true)
  assert.equal(mayTake(0, 0), false)
  assert.equal(mayTake(1, 1), false)
})

test('what is held never exceeds four times what is then free, beyond the first unit', () => {
  for (let free = 0; free <= 50; free++) {
    for (let held = 1; held <= 200; held++) {
      assert.equal(mayTake(held, free), held + 1 <= 4 * (free - 1), `${held} held, ${free} free`)
    }
  }
})

const NO_CLOCK = () => () => undefined

test('who waits is served in turn by key, however many of one key came before', async () => {
  const gate = gateOf(5)
  const served: string[] = []
  const waits = (key: string) => {
    void gate.enter(key, NO_CLOCK).then(() => served.push(key))
  }
  assert.equal(enterAll(gate, 'attacker', 100), 4)
  assert.ok(gate.tryEnter('holder'))
  for (let i = 0; i < 50; i++) waits('attacker')
  for (const key of ['first', 'second', 'third']) waits(key)
  // One place becomes free at a time: those who hold nothing come before more of the attacker's.
  for (let i = 0; i < 3; i++) gate.leave('attacker')
  await settled()
  assert.deepEqual(served, ['first', 'second', 'third'])
  for (const key of ['first', 'second', 'third', 'holder']) gate.leave(key)
  await settled()
  assert.deepEqual(served.slice(3), ['attacker', 'attacker', 'attacker'])
})

test('within a key no request is overtaken', async () => {
  const gate = gateOf(2)
  const served: number[] = []
  assert.ok(gate.tryEnter('a'))
  for (const number of [1, 2]) void gate.enter('a', NO_CLOCK).then(() => served.push(number))
  gate.leave('a')
  await settled()
  assert.deepEqual(served, [1])
  assert.equal(gate.tryEnter('a'), false)
  gate.leave('a')
  await settled()
  assert.deepEqual(served, [1, 2])
})

test('the queue of one key is bounded, and full for this key alone', async () => {
  const gate = gateOf(1, 2)
  assert.ok(gate.tryEnter('a'))
  void gate.enter('a', NO_CLOCK)
  void gate.enter('a', NO_CLOCK)
  assert.equal(await gate.enter('a', NO_CLOCK), false)
  void gate.enter('b', NO_CLOCK)
  assert.deepEqual([gate.waiting('a'), gate.waiting('b')], [2, 1])
})

test('whose time is over is not served, and a clock that is late takes no place away', async () => {
  const gate = gateOf(1)
  const expire: (() => void)[] = []
  let stopped = 0
  const clock = (end: () => void) => {
    expire.push(end)
    return () => stopped++
  }
  gate.tryEnter('a')
  const first = gate.enter('b', clock)
  const second = gate.enter('b', clock)
  expire[0]?.()
  assert.equal(await first, false)
  gate.leave('a')
  assert.equal(await second, true)
  assert.equal(stopped, 1)
  expire[1]?.()
  gate.leave('b')
  assert.equal(gate.free, 1)
  assert.equal(gate.waiting('b'), 0)
})

test('units are taken all or not at all, and all come back', () => {
  const share = new FairShare(1000)
  assert.equal(share.take('a', 1001), false)
  assert.equal(share.take('a', 500), true)
  assert.equal(share.take('a', 301), false)
  assert.equal(share.take('a', 300), true)
  assert.equal(share.take('b', 100), true)
  share.give('a', 800)
  share.give('b', 100)
  assert.equal(share.free, 1000)
  assert.throws(() => share.give('a', 1), /more was given back/)
})
