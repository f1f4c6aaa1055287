import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CANARY_TIMEOUT_MS } from '../../../../src/domain/limits.ts'
import type { ProbeResult } from '../../../../src/domain/result/probe-result.ts'
import type { Probe } from '../../../../src/probe/probe.ts'
import { tcpCanaries } from '../../../../src/schedule/judge/canaries.ts'

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

test('a canary with a name is probed at the address that the name has now', async () => {
  const asked: string[] = []
  const probe: Probe = ({ address, family, port }, done) => {
    asked.push(`${address} ${family} ${port}`)
    setImmediate(done, PASSED)
    return () => undefined
  }
  const addresses = ['127.0.0.5', '::1']
  const { ask } = tcpCanaries([{ host: 'gateway.example', port: 80 }], probe, () =>
    Promise.resolve({ address: addresses.shift() ?? assert.fail() }),
  )
  assert.equal(await ask(), true)
  assert.equal(await ask(), true)
  assert.deepEqual(asked, ['127.0.0.5 4 80', '::1 6 80'])
})

test('a canary whose name cannot be resolved, or not in time, does not answer, and others do', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const passes: Probe = (_target, done) => {
    setImmediate(done, PASSED)
    return () => undefined
  }
  const named = { host: 'gateway.example', port: 80 }
  const resolvers = {
    'that fails': () => Promise.reject(new Error('queryA ESERVFAIL gateway.example')),
    'that is silent': () => new Promise<never>(() => undefined),
  }
  for (const [name, lookUp] of Object.entries(resolvers)) {
    const alone = tcpCanaries([named], passes, lookUp).ask()
    t.mock.timers.tick(CANARY_TIMEOUT_MS)
    assert.equal(await alone, false, `a resolver ${name}`)
    assert.equal(await tcpCanaries([named, { host: '127.0.0.1', port: 1 }], passes, lookUp).ask(), true)
  }
})

test('a name is not looked up again while its resolver is still silent, and anew once it has spoken', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const passes: Probe = (_target, done) => {
    setImmediate(done, PASSED)
    return () => undefined
  }
  const lookUps: { resolve(found: { address: string }): void; reject(error: Error): void }[] = []
  const { ask } = tcpCanaries([{ host: 'gateway.example', port: 80 }], passes, () => {
    return new Promise((resolve, reject) => void lookUps.push({ resolve, reject }))
  })
  for (let round = 0; round < 3; round++) {
    const asked = ask()
    t.mock.timers.tick(CANARY_TIMEOUT_MS)
    assert.equal(await asked, false)
  }
  assert.equal(lookUps.length, 1)
  lookUps[0]?.reject(new Error('queryA ETIMEOUT gateway.example'))
  await new Promise((resolve) => setImmediate(resolve))
  const asked = ask()
  assert.equal(lookUps.length, 2)
  lookUps[1]?.resolve({ address: '127.0.0.1' })
  assert.equal(await asked, true)
})
