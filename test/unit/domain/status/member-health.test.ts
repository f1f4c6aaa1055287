import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packFlags, unpackFlags } from '../../../../src/domain/result/flags.ts'
import { type HealthFacts, isProbed, memberHealth } from '../../../../src/domain/status/member-health.ts'

const NOTHING = { echoMs: null, connectMs: null, tlsMs: null, firstByteMs: null, totalMs: null }
const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second))

const FACTS: HealthFacts = {
  member: { address: '192.0.2.1', protocolPort: 80, monitorAddress: null, monitorPort: null },
  state: 'ONLINE',
  reason: 'PASSED',
  pending: false,
  since: at(0),
  monitor: {
    type: 'TCP',
    profile: 'elb',
    delaySeconds: 5,
    timeoutSeconds: 3,
    rise: 2,
    fall: 3,
    monitorPort: null,
    options: null,
  },
  generation: 7,
  isOwned: true,
  readAt: at(22),
}
const SEEN = {
  generation: 7,
  asOf: at(20),
  at: at(10),
  nextAt: at(15),
  outcome: 'passed',
  reason: 'PASSED',
  phases: NOTHING,
  okRun: 2,
  badRun: 0,
  stale: false,
  flags: unpackFlags(0),
} as const
const VERDICT = { generation: 7, detail: '', evidence: {}, okRun: 0, badRun: 1, writtenAt: at(1) }

test('a check is stale without a live owner, or when its prober says so in this generation', () => {
  const stale = (facts: Partial<HealthFacts>) => memberHealth({ ...FACTS, ...facts }).stale
  assert.equal(stale({}), false)
  assert.equal(stale({ isOwned: false }), true)
  assert.equal(stale({ checkpointed: { ...SEEN, stale: true } }), true)
  assert.equal(stale({ checkpointed: { ...SEEN, stale: true, generation: 6 } }), false)
  for (const state of ['NO_MONITOR', 'DISABLED'] as const)
    assert.equal(stale({ state, isOwned: false }), false)
  assert.equal(isProbed({ state: 'UNKNOWN', pending: false }), false)
  assert.equal(isProbed({ state: 'NO_MONITOR', pending: true }), true)
})

test('the days that are left of a certificate are whole ones, and its end is near from the time of the warning on', () => {
  const DAY = 86_400_000
  const certificate = (leftMs: number, warnDays: number | null, facts: Partial<HealthFacts> = {}) => {
    const notAfter = new Date(FACTS.readAt.getTime() + leftMs)
    const warnAt = warnDays === null ? null : new Date(notAfter.getTime() - warnDays * DAY)
    const shown = { notAfter, warnAt, subject: 'a', issuer: '' }
    return memberHealth({ ...FACTS, ...facts, certificate: shown }).certificate
  }
  const brief = (...of: Parameters<typeof certificate>) => {
    const shown = certificate(...of)
    return [shown?.daysLeft, shown?.expiring]
  }
  assert.deepEqual(brief(14 * DAY + 1, 14), [14, false])
  assert.deepEqual(brief(14 * DAY, 14), [14, true])
  assert.deepEqual(brief(1, 14), [0, true])
  assert.deepEqual(brief(-1, 14), [-1, true])
  assert.deepEqual(brief(-1, null), [-1, false])
  assert.deepEqual(certificate(DAY, 14), {
    notAfter: new Date(FACTS.readAt.getTime() + DAY),
    subject: 'a',
    issuer: '',
    daysLeft: 1,
    expiring: true,
  })
  // Nobody looks at it any more.
  assert.equal(certificate(DAY, 14, { state: 'DISABLED' }), undefined)
  assert.equal(memberHealth(FACTS).certificate, undefined)
})

test('the newer of verdict and checkpoint has the counters, within thresholds that may have changed', () => {
  const counters = (facts: Partial<HealthFacts>) => {
    const told = memberHealth({ ...FACTS, ...facts }).counters
    return [told?.rise.run, told?.fall.run]
  }
  assert.deepEqual(counters({}), [0, 0])
  assert.deepEqual(counters({ verdict: VERDICT }), [0, 1])
  assert.deepEqual(counters({ verdict: VERDICT, checkpointed: SEEN }), [2, 0])
  assert.deepEqual(counters({ verdict: { ...VERDICT, writtenAt: at(21) }, checkpointed: SEEN }), [0, 1])
  assert.deepEqual(counters({ checkpointed: { ...SEEN, okRun: 9, badRun: 9 } }), [2, 3])
  assert.deepEqual(counters({ state: 'OFFLINE', checkpointed: { ...SEEN, okRun: 0 } }), [0, 3])
  assert.deepEqual(counters({ state: 'OFFLINE', checkpointed: { ...SEEN, okRun: 1 } }), [1, 0])
})

test('the last probe is the checkpointed one, unless a later one changed the status', () => {
  const last = (facts: Partial<HealthFacts>) => memberHealth({ ...FACTS, ...facts }).lastProbe
  assert.equal(last({}), null)
  assert.deepEqual(last({ verdict: VERDICT, checkpointed: SEEN })?.at, at(10))
  const changed: Partial<HealthFacts> = {
    state: 'OFFLINE',
    reason: 'CONNECT_REFUSED',
    since: at(12),
    verdict: { ...VERDICT, evidence: { phases: { total_ms: 0.5 } } },
    checkpointed: SEEN,
  }
  assert.deepEqual(last(changed), {
    at: at(12),
    outcome: 'failed',
    reason: 'CONNECT_REFUSED',
    phases: { ...NOTHING, totalMs: 0.5 },
    target: '192.0.2.1:80',
  })
})

test('the flags of a target are shown while it is ONLINE, of this generation, all false where nothing is known', () => {
  const flags = unpackFlags(packFlags({ degraded: true, warning: false, draining: true }))
  assert.deepEqual(flags, { degraded: true, warning: false, draining: true })
  const told = (facts: Partial<HealthFacts>) => memberHealth({ ...FACTS, ...facts }).flags
  const checkpointed = { ...SEEN, flags }
  assert.deepEqual(told({ checkpointed }), flags)
  const none = unpackFlags(0)
  assert.deepEqual(told({}), none)
  assert.deepEqual(told({ checkpointed: { ...checkpointed, generation: 6 } }), none)
  for (const state of ['OFFLINE', 'UNKNOWN', 'DISABLED', 'NO_MONITOR'] as const)
    assert.deepEqual(told({ state, checkpointed }), none)
})

test('the next probe is reckoned on from the last that is known, and never lies in the past', () => {
  const next = (facts: Partial<HealthFacts>) => memberHealth({ ...FACTS, ...facts }).nextProbeAt
  // Announced for 15, every 5 s.
  assert.deepEqual(next({ checkpointed: SEEN, readAt: at(12) }), at(15))
  assert.deepEqual(next({ checkpointed: SEEN, readAt: at(22) }), at(25))
  // A later probe decided: what was announced is over.
  assert.deepEqual(next({ checkpointed: SEEN, since: at(16), verdict: VERDICT, readAt: at(17) }), at(21))
  // A check that nobody has probed yet is probed at once, one that nobody owns nobody knows when, one that has ended never.
  const unseen = { state: 'UNKNOWN', pending: true, since: null } as const
  assert.deepEqual(next({ ...unseen, readAt: at(22) }), at(22))
  assert.equal(next({ checkpointed: SEEN, isOwned: false }), null)
  const halted = { ...FACTS.monitor, options: { halt_when_offline: true } } as NonNullable<
    HealthFacts['monitor']
  >
  assert.equal(next({ monitor: halted, state: 'OFFLINE', checkpointed: SEEN, verdict: VERDICT }), null)
})

test('a verdict of an older generation is published, and says nothing of counters and probes', () => {
  const old = { ...VERDICT, generation: 6, detail: 'got 503', okRun: 2 }
  const told = memberHealth({ ...FACTS, state: 'OFFLINE', pending: true, verdict: old, checkpointed: SEEN })
  assert.equal(told.pending, true)
  assert.equal(told.detail, 'got 503')
  assert.deepEqual(told.since, at(0))
  const alone = memberHealth({ ...FACTS, state: 'OFFLINE', pending: true, verdict: old })
  assert.deepEqual([alone.counters?.rise.run, alone.counters?.fall.run], [0, 0])
  assert.equal(alone.lastProbe, null)
  assert.equal(alone.asOf, null)
})

test('a check that got nothing but inconclusive results says why', () => {
  const checkpointed = { ...SEEN, outcome: 'inconclusive', reason: 'PROBER_FORBIDDEN' } as const
  const unknown = { state: 'UNKNOWN', reason: 'NOT_YET_PROBED', pending: true, since: null } as const
  const detail = 'PROBER_FORBIDDEN: the host of the prober does not permit this packet'
  assert.equal(memberHealth({ ...FACTS, ...unknown, checkpointed }).detail, detail)
  assert.equal(memberHealth({ ...FACTS, ...unknown }).detail, null)
  const old = { ...VERDICT, generation: 6, detail: 'got 200' }
  assert.equal(memberHealth({ ...FACTS, pending: true, verdict: old, checkpointed }).detail, detail)
  assert.equal(memberHealth({ ...FACTS, verdict: { ...old, generation: 7 }, checkpointed }).detail, 'got 200')
})

test('the target is spelled with a port, except for PING', () => {
  const monitor = {
    type: 'TCP',
    profile: 'elb',
    delaySeconds: 5,
    timeoutSeconds: 3,
    rise: 2,
    fall: 3,
    monitorPort: 81,
    options: null,
  } as const
  const target = (facts: Partial<HealthFacts>) =>
    memberHealth({ ...FACTS, checkpointed: SEEN, ...facts }).lastProbe?.target
  const v6 = { ...FACTS.member, monitorAddress: '2001:db8::1' }
  assert.equal(target({ monitor }), '192.0.2.1:81')
  assert.equal(target({ monitor, member: { ...v6, monitorPort: 82 } }), '[2001:db8::1]:82')
  assert.equal(target({ monitor: { ...monitor, type: 'PING' }, member: v6 }), '2001:db8::1')
})

test('thresholds and the window are those of the options', () => {
  const monitor = { ...FACTS.monitor, options: { rise: 40, fall: 20, interval_ms: 100, timeout_ms: 50 } }
  const told = memberHealth({ ...FACTS, monitor: monitor as NonNullable<HealthFacts['monitor']> })
  assert.deepEqual([told.counters?.rise.threshold, told.counters?.fall.threshold], [40, 20])
  assert.equal(told.window?.down.maxSeconds, 0.1 + 20 * 0.05 + 19 * 0.1)
  const halted = { ...FACTS.monitor, options: { halt_when_offline: true } }
  assert.equal(
    memberHealth({ ...FACTS, monitor: halted as NonNullable<HealthFacts['monitor']> }).window?.up,
    null,
  )
})

test('the recent results are those that end later, whoever wrote them', () => {
  const ending = (second: number) => [
    { at: at(second), outcome: 'passed', reason: 'PASSED', latencyMs: 1 } as const,
  ]
  const recent = (written: number | undefined, checkpointed: number | undefined) => {
    const facts = {
      ...FACTS,
      verdict: { ...VERDICT, ...(written === undefined ? {} : { recent: ending(written) }) },
      checkpointed: { ...SEEN, ...(checkpointed === undefined ? {} : { recent: ending(checkpointed) }) },
    }
    return memberHealth(facts).recentResults?.[0]?.at
  }
  assert.deepEqual(recent(5, 9), at(9))
  assert.deepEqual(recent(9, 5), at(9))
  assert.deepEqual(recent(5, undefined), at(5))
  assert.deepEqual(recent(undefined, 5), at(5))
  assert.equal(recent(undefined, undefined), undefined)
})
