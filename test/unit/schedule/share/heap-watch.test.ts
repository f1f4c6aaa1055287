import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { getHeapStatistics } from 'node:v8'
import { HeapWatch } from '../../../../src/schedule/share/heap-watch.ts'
import { keepingLog } from '../../../support/prober.ts'

test('a heap that is nearly full lets a tenth of the probes be in flight until it has room, and says both once', () => {
  const log = keepingLog()
  let usedBytes = 0
  const heap = new HeapWatch(log, () => ({ usedBytes, limitBytes: 1000 }))
  const within = (used: number): number => {
    usedBytes = used
    assert.deepEqual(heap.look(), { usedBytes: used, limitBytes: 1000 })
    return heap.within(200)
  }
  assert.deepEqual([899, 900, 950, 800, 799, 899].map(within), [200, 20, 20, 20, 200, 200])
  assert.deepEqual(
    log.lines.map(({ level, facts }) => [level, facts['used_bytes']]),
    [
      ['warn', 900],
      ['info', 799],
    ],
  )
})

test('there is always room for one probe, and the heap of this process is read', () => {
  const tight = new HeapWatch(keepingLog(), () => ({ usedBytes: 1, limitBytes: 1 }))
  tight.look()
  assert.equal(tight.within(1), 1)
  const { usedBytes, limitBytes } = new HeapWatch(keepingLog()).look()
  assert.ok(usedBytes > 0 && usedBytes < limitBytes)
  // Semi-spaces are a small part of the heap of a process that nobody gave limits.
  assert.ok(limitBytes > 0.6 * getHeapStatistics().heap_size_limit, String(limitBytes))
})

/** Fills the heap of a process until it is tight. */
function growth(flags: readonly string[]) {
  const grow = `
    import { HeapWatch } from ${JSON.stringify(new URL('../../../../src/schedule/share/heap-watch.js', import.meta.url).href)}
    const ignore = () => undefined
    const heap = new HeapWatch({ debug: ignore, info: ignore, warn: ignore, error: ignore })
    const kept = []
    while (!heap.isTight) {
      kept.push(new Array(5000).fill(0))
      heap.look()
    }`
  return spawnSync(process.execPath, [...flags, '--input-type=module', '--eval', grow], {
    encoding: 'utf8',
    timeout: 60_000,
  })
}

test('a heap that grows to its limit is tight before V8 aborts, whatever the size of its semi-spaces', () => {
  for (const flags of [[], ['--max-semi-space-size=4'], ['--max_semi_space_size=64']]) {
    const { status, stderr } = growth(['--max-old-space-size=320', ...flags])
    assert.equal(status, 0, `${flags.join()}: ${stderr}`)
  }
})
