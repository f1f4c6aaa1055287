import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProbeResult } from '../../../src/domain/results.ts'
import type { Probe } from '../../../src/probe/probe.ts'
import { tcpCanaries } from '../../../src/schedule/canaries.ts'

const PASSED: ProbeResult = { outcome: 'passed', reason: 'PASSED', detail: '', phases: { totalMs: 1 } }
const REFUSED: ProbeResult = { ...PASSED, outcome: 'failed', reason: 'CONNECT_REFUSED' }
const STOPPED: ProbeResult = { ...PASSED, outcome: 'inconclusive', reason: 'PROBER_STOPPING' }

/** Canaries on ports 1, 2, …: each answers with its result, or with none until it is cancelled. */
function canaries(answers: readonly (ProbeResult | undefined)[]) {
  const open = new Set<number>()
  const probe: Probe = ({ port }, done) => {
    const end = (result: ProbeResult): void => {
      if (open.delete(port)) done(result)
    }
    open.add(port)
    const answer = answers[port - 1]
    if (answer !== undefined) setImmediate(end, answer)
    return () => end(STOPPED)
  }
  const endpoints = answers.map((_, i) => ({ host: '127.0.0.1', port: i + 1 }))
  return { ...tcpCanaries(endpoints, probe), open }
}

test('once a canary has answered, no connection to another stays open', async () => {
  const { ask, open } = canaries([undefined, PASSED, undefined])
  assert.equal(await ask(), true)
  assert.deepEqual([...open], [])
})

test('an answer that came before another canary refused counts', async () => {
  assert.equal(await canaries([PASSED, REFUSED]).ask(), true)
  assert.equal(await canaries([REFUSED, PASSED]).ask(), true)
  assert.equal(await canaries([REFUSED, REFUSED]).ask(), false)
  assert.equal(await canaries([]).ask(), false)
})
