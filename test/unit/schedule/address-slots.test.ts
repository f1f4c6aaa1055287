import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AddressTable } from '../../../src/schedule/address-slots.ts'
import { createMetrics } from '../../../src/runtime/metrics.ts'
import type { Check } from '../../../src/schedule/check.ts'
import { config, harness, pool } from '../../support/scheduling.ts'

describe('starts towards one address', () => {
  it('may come at once for a second’s worth, then they are spread evenly', () => {
    const slots = new AddressTable<Check>(10).hold('127.0.0.1')
    const starts = Array.from({ length: 30 }, () => slots.startMs(5000))
    assert.deepEqual(starts.slice(0, 11), [...Array<number>(10).fill(5000), 5100])
    assert.equal(starts[29], 7000)
    // After a quiet while there is a second's worth again, not more.
    const later = Array.from({ length: 12 }, () => slots.startMs(60_000))
    assert.deepEqual(later.slice(9), [60_000, 60_100, 60_200])
  })

  it('are each as often as they want below the bound, and without one', () => {
    const bounded = new AddressTable<Check>(10).hold('127.0.0.1')
    for (let ms = 0; ms < 100_000; ms += 100) assert.equal(bounded.startMs(ms), ms)
    const free = new AddressTable<Check>().hold('127.0.0.1')
    for (let i = 0; i < 10_000; i++) assert.equal(free.startMs(7), 7)
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
