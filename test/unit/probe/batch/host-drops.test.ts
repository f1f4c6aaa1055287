import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  HOST_DROPS_LOOK_MS,
  HOST_DROPS_MIN,
  HOST_DROPS_PAUSE_MS,
  HOST_DROPS_SHARE,
} from '../../../../src/domain/limits.ts'
import { devicesOf, HostDrops, type PacketCounts, softnetOf } from '../../../../src/probe/batch/host-drops.ts'

/** Counts that the test changes, and how often they were read. */
function watched(queues = 1) {
  const counts: PacketCounts[] = Array.from({ length: queues }, () => ({ taken: 5_000_000, dropped: 700 }))
  const seen = { reads: 0 }
  const drops = new HostDrops(() => {
    seen.reads++
    return [...counts]
  })
  const add = (taken: number, dropped: number, queue = 0): void => {
    const { taken: before, dropped: lost } = counts[queue] ?? { taken: 0, dropped: 0 }
    counts[queue] = { taken: before + taken, dropped: lost + dropped }
  }
  return { drops, seen, add }
}

test('what was dropped before the first look, or during a pause, says nothing of a probe', () => {
  const { drops, add } = watched()
  drops.look(1000)
  assert.equal(drops.lostMs, Number.NEGATIVE_INFINITY)
  add(1000, 1000)
  drops.look(1001 + HOST_DROPS_PAUSE_MS)
  assert.equal(drops.lostMs, Number.NEGATIVE_INFINITY)
  add(1000, 1000)
  drops.look(1001 + 2 * HOST_DROPS_PAUSE_MS)
  assert.equal(drops.lostMs, 1001 + 2 * HOST_DROPS_PAUSE_MS)
})

test('packets that are dropped in any queue count, if they are some and a share of its packets', () => {
  const many = 1_000_000
  for (const [taken, dropped, isLost] of [
    [many, 0, false],
    [0, HOST_DROPS_MIN - 1, false],
    [0, HOST_DROPS_MIN, true],
    [many, (many * HOST_DROPS_SHARE) / 2, false],
    [many, many * HOST_DROPS_SHARE * 2, true],
  ] as const) {
    for (const queue of [0, 1]) {
      const { drops, add } = watched(2)
      drops.look(1000)
      add(many * 100, 0, 1 - queue)
      add(taken, dropped, queue)
      drops.look(1000 + HOST_DROPS_LOOK_MS)
      assert.equal(drops.lostMs > 0, isLost, `${dropped} of ${taken + dropped} in queue ${queue}`)
    }
  }
})

test('looks that follow each other closely read nothing', () => {
  const { drops, seen } = watched()
  for (let ms = 0; ms < 10 * HOST_DROPS_LOOK_MS; ms += 10) drops.look(ms)
  assert.equal(seen.reads, 10)
})

test('the files of the kernel are read as they are', (t) => {
  const softnet = '0947 00000003 00000031\n000a 00000002 00000000\n'
  assert.deepEqual(softnetOf(softnet), { taken: 0x0947 + 10, dropped: 5 })
  const devices = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 216065300965 171220030    0    0    0     0          0         0 216065300965 171220030    0    7    0     0       0          0
  eth0:     900      12    5    3    4     0          0         0      700       9    0    0    0     0       0          0
`
  assert.deepEqual(devicesOf(devices), { taken: 171_220_042, dropped: 7 })
  for (const read of [softnetOf, devicesOf]) assert.deepEqual(read(''), { taken: 0, dropped: 0 })
  if (!existsSync('/proc/net/softnet_stat')) return t.skip('no /proc/net here')
  assert.ok(softnetOf(readFileSync('/proc/net/softnet_stat', 'latin1')).taken > 0)
  assert.ok(devicesOf(readFileSync('/proc/net/dev', 'latin1')).taken >= 0)
  const drops = new HostDrops()
  drops.look(1000)
  drops.look(1000 + HOST_DROPS_LOOK_MS)
})
