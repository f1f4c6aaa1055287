import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { detectionWindow } from '../../../../src/domain/timing/detection-window.ts'
import type { MonitorOptions } from '../../../../src/domain/options/monitor-options.ts'

describe('detection window', () => {
  it("is the OTC manual's 14 s plus the wait for the first probe", () => {
    const { down } = detectionWindow({ profile: 'elb', delaySeconds: 4, timeoutSeconds: 2, rise: 3, fall: 3 })
    assert.deepEqual(down, { minSeconds: 8, maxSeconds: 4 + 14 })
  })

  it('counts failures downwards and successes upwards', () => {
    const { down, up } = detectionWindow({
      profile: 'elb',
      delaySeconds: 10,
      timeoutSeconds: 10,
      rise: 2,
      fall: 5,
    })
    assert.deepEqual(down, { minSeconds: 40, maxSeconds: 10 + 90 })
    assert.deepEqual(up, { minSeconds: 10, maxSeconds: 10 + 30 })
  })

  it('uses the floor of the engine where Octavia allows zero', () => {
    const { up } = detectionWindow({ profile: 'elb', delaySeconds: 0, timeoutSeconds: 0, rise: 1, fall: 1 })
    assert.deepEqual(up, { minSeconds: 0, maxSeconds: 2 })
  })
})

describe('detection window of options', () => {
  const PLAIN = {
    profile: 'elb',
    type: 'HTTP',
    delaySeconds: 5,
    timeoutSeconds: 3,
    rise: 2,
    fall: 3,
  } as const
  const windowOf = (options: MonitorOptions, trafficSeen = false) =>
    detectionWindow({ ...PLAIN, options }, trafficSeen)

  it('uses the intervals of each state: wait, then timeouts and pending intervals', () => {
    const { down, up } = windowOf({
      interval_ms: 1000,
      timeout_ms: 200,
      rise: 4,
      intervals: { online_pending_ms: 100, offline_ms: 2000, offline_pending_ms: 300 },
    })
    assert.deepEqual(down, { minSeconds: 0.2, maxSeconds: 1.8 })
    assert.deepEqual(up, { minSeconds: 0.9, maxSeconds: 3.7 })
  })

  it('counts the probes that a kept connection may answer for a listener that is gone', () => {
    const { down } = windowOf({
      interval_ms: 1000,
      timeout_ms: 500,
      connection: { reuse: true, fresh_every: 5 },
    })
    assert.equal(down.maxSeconds, 1 + 4 * 1.5 + 0.5 + 2 * 1.5)
    const byDefault = windowOf({ interval_ms: 1000, timeout_ms: 500, connection: { reuse: true } }).down
    assert.equal(byDefault.maxSeconds, 1 + 9 * 1.5 + 0.5 + 2 * 1.5)
  })

  it('needs no second failure when one is hard, and has no end when OFFLINE is final', () => {
    assert.equal(windowOf({ hard_failures: ['status'] }).down.minSeconds, 0)
    assert.equal(windowOf({ halt_when_offline: true }).up, null)
  })

  it('is as long as jitter can make it, and counts from starts where the anchor is the start', () => {
    const { down } = windowOf({
      interval_ms: 1000,
      timeout_ms: 100,
      jitter: { ms: 50, percent: 10, spread_percent: 20 },
    })
    assert.deepEqual(down, { minSeconds: 1.6, maxSeconds: 4.35 })
    const anchored = windowOf({ interval_ms: 1000, timeout_ms: 2500, anchor: 'start', fall: 2 }).down
    assert.equal(anchored.maxSeconds, 1 + 2.5 + 3)
  })

  it('is that of the no-traffic intervals until the traffic that is reported was seen', () => {
    const unreported = { interval_ms: 1000, timeout_ms: 100, intervals: { no_traffic_ms: 60_000 } }
    assert.equal(windowOf(unreported).down.maxSeconds, 3.3)
    const options = { ...unreported, no_traffic: { reported: true } }
    assert.equal(windowOf(options).down.maxSeconds, 180.3)
    assert.equal(windowOf(options, true).down.maxSeconds, 3.3)
  })
})
