import assert from 'node:assert/strict'
import { test } from 'node:test'
import { figuresOf, type Figures, type Measured } from '../../../bench/engine-figures.ts'

const SECONDS = 2
const CHECKS = 100

/** After so many seconds in which a prober took 50 us a probe, and HAProxy made as many checks and took `peerCpuSeconds`. */
function measured(seconds: number, peerCpuSeconds: number, theirs = (seconds / SECONDS) * CHECKS): Measured {
  const started = (seconds / SECONDS) * CHECKS
  return {
    probers: [
      {
        cpuMicroseconds: 50 * started,
        userMicroseconds: 20 * started,
        atMs: seconds * 1000,
        started,
        outcomes: { PASSED: started },
        lateness: [started],
        gcMs: 0,
        descriptors: 1,
        inFlight: 0,
        online: 1,
        liveBytes: 0,
        residentBytes: 0,
      },
    ],
    host: { allSeconds: seconds, treeSeconds: seconds },
    peerCpuSeconds,
    ours: started,
    theirs,
    tls: undefined,
    postgres: undefined,
  }
}

function figures(before: Measured, after: Measured): Figures {
  const lifetime = { started: after.ours, arrived: after.ours }
  return figuresOf({ members: 1, empty: before.probers, before, after, descriptors: 1, lifetime })
}

test("our CPU per probe is divided by HAProxy's per check in the same window, less than a tick of it too", () => {
  // 2 ms for 100 checks.
  const { peer, ratio } = figures(measured(0, 0.061), measured(SECONDS, 0.063))
  assert.equal(peer?.checksPerSecond, CHECKS / SECONDS)
  assert.ok(Math.abs(peer.cpuMicrosecondsPerCheck - 20) < 1e-6)
  assert.ok(ratio !== undefined && Math.abs(ratio - 2.5) < 1e-6)
})

test('there is no ratio when HAProxy did not run, made no check, or its CPU could not be told', () => {
  for (const after of [measured(SECONDS, 0), measured(SECONDS, 0.063, 0)]) {
    const { peer, ratio } = figures(measured(0, 0), after)
    assert.deepEqual([peer, ratio], [undefined, undefined])
  }
  const { peer, ratio } = figures(measured(0, 0.06), measured(SECONDS, 0.06))
  assert.deepEqual([peer, ratio], [undefined, undefined])
})
