import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { detectionWindow } from '../../../src/domain/detection-window.ts'

describe('detection window', () => {
  it("is the OTC manual's 14 s plus the wait for the first probe", () => {
    const { down } = detectionWindow({ delaySeconds: 4, timeoutSeconds: 2, rise: 3, fall: 3 })
    assert.deepEqual(down, { minSeconds: 8, maxSeconds: 4 + 14 })
  })

  it('counts failures downwards and successes upwards', () => {
    const { down, up } = detectionWindow({ delaySeconds: 10, timeoutSeconds: 10, rise: 2, fall: 5 })
    assert.deepEqual(down, { minSeconds: 40, maxSeconds: 10 + 90 })
    assert.deepEqual(up, { minSeconds: 10, maxSeconds: 10 + 30 })
  })

  it('uses the floor of the engine where Octavia allows zero', () => {
    const { up } = detectionWindow({ delaySeconds: 0, timeoutSeconds: 0, rise: 1, fall: 1 })
    assert.deepEqual(up, { minSeconds: 0, maxSeconds: 2 })
  })
})
