/** SCTP against a target of our own on loopback (raw sockets; without the right to open one the tests say so and end). */
import assert from 'node:assert/strict'
import { after, suite, type TestContext, test } from 'node:test'
import type { ProbeResult } from '../../src/domain/result/probe-result.ts'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import { makeProbeSctp } from '../../src/probe/sctp/sctp.ts'
import { SctpChannel } from '../../src/probe/sctp/sctp-channel.ts'
import { type SctpBehaviour, startSctpResponder } from '../support/sctp-responder.ts'
import { closeSctpChannels, probeSctp, sctpChannel } from '../support/probers.ts'

after(closeSctpChannels)

const LOOPBACK = { 4: '127.0.0.1', 6: '::1' } as const
/** No other program of this machine receives them. */
let nextPort = 20_000 + (process.pid % 20_000)

function attempt(target: ProbeTarget, probe = probeSctp) {
  let cancel: (why: 'timeout' | 'shutdown') => void = () => undefined
  const ended = new Promise<ProbeResult>((done) => {
    cancel = probe(target, done)
  })
  return { ended, cancel }
}

for (const family of [4, 6] as const) {
  suite(`SCTP over IPv${family}`, () => {
    const start = (t: TestContext, behaviour: SctpBehaviour) => {
      const { availability } = sctpChannel(family)
      if (!availability.available) {
        t.skip(`not tried: ${availability.why}`)
        return undefined
      }
      const port = nextPort++
      const responder = startSctpResponder(t, family, port, behaviour)
      const target: ProbeTarget = { type: 'SCTP', address: LOOPBACK[family], family, port, timeoutMs: 1000 }
      return { responder, target }
    }

    test('an INIT that is acknowledged passes, and the association is aborted with the tag of the target', async (t) => {
      const started = start(t, 'acknowledge')
      if (started === undefined) return
      const result = await attempt(started.target).ended
      assert.equal(result.reason, 'PASSED', result.detail)
      assert.ok((result.phases.connectMs ?? -1) >= 0)
      while (started.responder.heard.length < 2) await new Promise((turn) => setImmediate(turn))
      assert.deepEqual(
        started.responder.heard.map(({ type }) => type),
        [1, 6],
      )
      assert.equal(started.responder.heard[1]?.tag, 0x0a0b0c0d)
    })

    for (const [behaviour, reason] of [
      ['abort', 'CONNECT_REFUSED'],
      ['unreachable', 'ICMP_UNREACHABLE'],
    ] as const) {
      test(`${behaviour}: ${reason}`, async (t) => {
        const started = start(t, behaviour)
        if (started === undefined) return
        const result = await attempt(started.target).ended
        assert.deepEqual([result.outcome, result.reason], ['failed', reason])
      })
    }

    for (const behaviour of ['silent', 'wrong tag', 'wrong port'] as const) {
      test(`${behaviour}: no answer, CONNECT_TIMEOUT when the deadline says so`, async (t) => {
        const started = start(t, behaviour)
        if (started === undefined) return
        const { ended, cancel } = attempt(started.target)
        while (started.responder.heard.length === 0) await new Promise((turn) => setImmediate(turn))
        // What was answered has arrived once a later question was answered.
        const later = start(t, 'acknowledge')
        assert.ok(later)
        assert.equal((await attempt(later.target).ended).reason, 'PASSED')
        cancel('timeout')
        const result = await ended
        assert.deepEqual([result.outcome, result.reason], ['failed', 'CONNECT_TIMEOUT'])
      })
    }

    test('500 at once each get their own answer', async (t) => {
      const good = start(t, 'acknowledge')
      const bad = start(t, 'abort')
      if (good === undefined || bad === undefined) return
      const results = await Promise.all(
        Array.from({ length: 500 }, (_, i) => attempt((i % 2 ? bad : good).target).ended),
      )
      const counts = { PASSED: 0, CONNECT_REFUSED: 0 }
      for (const { reason } of results) counts[reason as keyof typeof counts]++
      assert.deepEqual(counts, { PASSED: 250, CONNECT_REFUSED: 250 })
    })

    test('a probe that is stopped says nothing about its target', async (t) => {
      const started = start(t, 'silent')
      if (started === undefined) return
      const { ended, cancel } = attempt(started.target)
      cancel('shutdown')
      assert.equal((await ended).reason, 'PROBER_STOPPING')
    })
  })
}

test('without the right to open a raw socket SCTP is inconclusive', async () => {
  const refused = new SctpChannel(4, () => {
    throw new Error('Operation not permitted')
  })
  const target: ProbeTarget = { type: 'SCTP', address: '127.0.0.1', family: 4, port: 9, timeoutMs: 1000 }
  const result = await attempt(
    target,
    makeProbeSctp(() => refused),
  ).ended
  assert.deepEqual([result.outcome, result.reason], ['inconclusive', 'PROBER_FORBIDDEN'])
})
