import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSecureContext } from 'node:tls'
import {
  TLS_RESUMED_MAX,
  TLS_SESSION_MAX_BYTES,
  TLS_SESSION_PAUSE_MS,
  TLS_WHOLE_HANDSHAKE_MS,
} from '../../../../src/domain/limits.ts'
import type { ProbeTarget } from '../../../../src/domain/target/probe-target.ts'
import { type Handshake, TlsSessions } from '../../../../src/probe/tls/tls-sessions.ts'

const CONTEXT = createSecureContext()
/** Of the wall clock, which stands still unless a test moves it. */
const NOW = Date.parse('2026-12-01T00:00:00Z')
const WHOLE: Handshake = {
  context: CONTEXT,
  atMs: 0,
  wasOffered: false,
  wasResumed: false,
  notAfter: NOW + 1000,
  takeSession: () => Buffer.from('session'),
}
const RESUMED: Handshake = { ...WHOLE, wasOffered: true, wasResumed: true, notAfter: undefined }

const targetWith = (more: Partial<ProbeTarget> = {}): ProbeTarget => ({
  type: 'HTTPS',
  address: '127.0.0.1',
  family: 4,
  port: 443,
  timeoutMs: 1000,
  ...more,
})

/** Sessions with one target that is probed. */
function begin(
  more: Partial<ProbeTarget> = {},
  { places = 10, wall = () => NOW }: { readonly places?: number; readonly wall?: () => number } = {},
) {
  const sessions = new TlsSessions(places, wall)
  const target = targetWith(more)
  sessions.adopt(target, 'project')
  return {
    sessions,
    target,
    /** Whether the next probe offers a session; it has it then. */
    offers: (nowMs = 1, context = CONTEXT) => sessions.take(target, context, nowMs) !== undefined,
    passes: (more: Partial<Handshake> = {}) => sessions.passed(target, { ...WHOLE, ...more }),
  }
}

test('the first probe offers no session, the second that of the first, and each session is offered once', () => {
  const { offers, passes } = begin()
  assert.equal(offers(), false)
  passes()
  assert.equal(offers(), true)
  assert.equal(offers(), false)
})

test('after so many probes that resumed one makes a whole handshake, and then sessions are resumed again', () => {
  const { offers, passes } = begin()
  const whole: number[] = []
  for (let n = 0; n < 3 * (TLS_RESUMED_MAX + 1); n++) {
    const isResumed = offers()
    if (!isResumed) whole.push(n)
    passes(isResumed ? RESUMED : WHOLE)
  }
  assert.deepEqual(whole, [0, TLS_RESUMED_MAX + 1, 2 * (TLS_RESUMED_MAX + 1)])
})

test('so long after a whole handshake the next probe makes one, however few have resumed since', () => {
  const { offers, passes } = begin()
  passes()
  assert.equal(offers(1), true)
  passes({ ...RESUMED, atMs: 1 })
  assert.equal(offers(TLS_WHOLE_HANDSHAKE_MS - 1), true)
  passes({ ...RESUMED, atMs: TLS_WHOLE_HANDSHAKE_MS - 1 })
  assert.equal(offers(TLS_WHOLE_HANDSHAKE_MS), false)
})

test('after a probe that failed the next makes a whole handshake, whether it had offered a session or not', () => {
  for (const wasOffered of [false, true]) {
    const { sessions, target, offers, passes } = begin()
    passes()
    sessions.failed(target, wasOffered, 0)
    assert.equal(offers(), false)
    passes()
    assert.equal(offers(), !wasOffered, 'a target that failed with a session is offered none for a time')
    passes({ atMs: TLS_SESSION_PAUSE_MS })
    assert.equal(offers(TLS_SESSION_PAUSE_MS), true)
  }
})

test('a target that refuses a session, or gives none that can be kept, is offered none for a time', () => {
  for (const given of [
    { wasOffered: true },
    { takeSession: () => undefined },
    { takeSession: () => Buffer.alloc(TLS_SESSION_MAX_BYTES + 1) },
  ]) {
    const { offers, passes } = begin()
    passes(given)
    assert.equal(offers(), false)
    passes({ atMs: TLS_SESSION_PAUSE_MS - 1, takeSession: () => assert.fail('it is not even asked') })
    assert.equal(offers(TLS_SESSION_PAUSE_MS - 1), false)
    passes({ atMs: TLS_SESSION_PAUSE_MS })
    assert.equal(offers(TLS_SESSION_PAUSE_MS), true)
  }
})

test('once the certificate has ended, every probe makes a whole handshake', () => {
  let wall = NOW
  const { offers, passes } = begin({}, { wall: () => wall })
  passes({ notAfter: NOW + 1 })
  wall = NOW + 1
  assert.equal(offers(), false)
  passes({ notAfter: NOW + 1 })
  assert.equal(offers(), false)
  passes({ notAfter: NOW + 2 })
  assert.equal(offers(), true)
})

test('nothing is resumed where no certificate was seen', () => {
  const { offers, passes } = begin()
  passes({ notAfter: undefined })
  assert.equal(offers(), false)
})

test('a session is offered with the context that it came from and no other', () => {
  const { offers, passes } = begin()
  passes()
  assert.equal(offers(1, createSecureContext()), false)
  assert.equal(offers(), false)
})

test('a target that is probed more rarely than whole handshakes are due holds no session', () => {
  const { offers, passes } = begin()
  passes()
  assert.equal(offers(TLS_WHOLE_HANDSHAKE_MS), false)
  passes({ atMs: TLS_WHOLE_HANDSHAKE_MS, takeSession: () => assert.fail('it is not even asked') })
})

test('sessions are kept where the monitor may resume: not where it verifies, keeps connections, asks for handshakes, or says no', () => {
  const offersWith = (more: Partial<ProbeTarget>) => {
    const { offers, passes } = begin(more)
    passes()
    return offers()
  }
  assert.equal(offersWith({}), true)
  assert.equal(offersWith({ type: 'HTTP', tls: { verify: false } }), true)
  assert.equal(offersWith({ type: 'TCP', tls: { verify: false, resume: true } }), true)
  assert.equal(offersWith({ tls: { verify: true } }), false)
  assert.equal(offersWith({ tls: { verify: false, resume: false } }), false)
  assert.equal(offersWith({ reuse: { freshEvery: 10, idleCloseIsFailure: false } }), false)
  assert.equal(offersWith({ type: 'TLS-HELLO', tls: { verify: false } }), false)
  assert.equal(offersWith({ type: 'HTTP' }), false)
})

test('of a target that nobody announced, or that is gone, nothing is kept', () => {
  const { sessions, target, offers, passes } = begin()
  passes()
  sessions.forget(target)
  assert.equal(offers(), false)
  passes()
  assert.equal(offers(), false)
  const stranger = targetWith()
  sessions.passed(stranger, WHOLE)
  assert.equal(sessions.take(stranger, CONTEXT, 1), undefined)
})

test('a project holds its share of the sessions, and what it gives back others may have', () => {
  const sessions = new TlsSessions(10, () => NOW)
  const keep = (projectId: string): ProbeTarget => {
    const target = targetWith()
    sessions.adopt(target, projectId)
    sessions.passed(target, WHOLE)
    return target
  }
  const many = Array.from({ length: 20 }, () => keep('many'))
  const other = keep('other')
  const kept = many.filter((target) => sessions.take(target, CONTEXT, 1) !== undefined)
  assert.equal(kept.length, 8, 'four fifths')
  assert.notEqual(sessions.take(other, CONTEXT, 1), undefined)
  for (const target of kept) sessions.forget(target)
  for (const target of many) sessions.forget(target)
  const next = Array.from({ length: 20 }, () => keep('next'))
  for (const target of next) sessions.adopt(target, 'next')
  assert.equal(next.filter((target) => sessions.take(target, CONTEXT, 1) !== undefined).length, 8)
})
