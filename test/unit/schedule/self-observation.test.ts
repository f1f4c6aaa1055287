import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../../../src/runtime/metrics/metrics.ts'
import { SelfObservation } from '../../../src/schedule/self-observation.ts'
import { keepingLog } from '../../support/prober.ts'

const NO_SOCKET = {
  outcome: 'inconclusive',
  reason: 'PROBER_NO_SOCKET',
  detail: 'connect EMFILE',
  phases: { totalMs: 0 },
} as const
const PASSED = { outcome: 'passed', reason: 'PASSED', detail: '', phases: { totalMs: 1 } } as const

test('a reason of inconclusive results is logged when it first occurs, and once a minute while it lasts', () => {
  const self = new SelfObservation(createMetrics('test'))
  const log = keepingLog()
  const told = () => log.lines.map(({ facts }) => [facts['reason'], facts['probes'], facts['last']])
  self.probeEnded('TCP', PASSED)
  self.report(log, 0)
  assert.deepEqual(told(), [])
  for (let i = 0; i < 3; i++) self.probeEnded('TCP', NO_SOCKET)
  self.report(log, 1000)
  self.probeEnded('TCP', { ...NO_SOCKET, detail: 'connect ENOMEM' })
  self.report(log, 2000)
  assert.deepEqual(told(), [['PROBER_NO_SOCKET', 3, 'connect EMFILE']])
  self.report(log, 62_000)
  self.report(log, 200_000)
  assert.deepEqual(told(), [
    ['PROBER_NO_SOCKET', 3, 'connect EMFILE'],
    ['PROBER_NO_SOCKET', 1, 'connect ENOMEM'],
  ])
  assert.deepEqual(self.inconclusive, { PROBER_NO_SOCKET: 4 })
  assert.deepEqual(self.inconclusiveLast, { PROBER_NO_SOCKET: 'connect ENOMEM' })
})

test('lag is measured since the last reading: the maximum and the 99th percentile', () => {
  const self = new SelfObservation(createMetrics('test'))
  for (let i = 0; i < 99; i++) self.probeStarted(3)
  self.probeStarted(700)
  assert.deepEqual(self.takeLag(), { p99Ms: 5, maxMs: 700 })
  assert.deepEqual(self.takeLag(), { p99Ms: 0, maxMs: 0 })
})
