import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventLine } from '../../../../src/client/terminal/event-view.ts'
import type { ApiEvent } from '../../../../src/client/wire.ts'

const PIPE = { width: Infinity, height: Infinity, hasColours: false, isTerminal: false }
const BASE = { id: '1', time: '2026-11-30T12:00:00Z', project_id: 'p' }
const OF_MEMBER = {
  pool: { id: 'pool-id', name: 'app' },
  member: { id: 'member-id', name: 'web-1', address: '2001:db8::1', protocol_port: 80 },
}
/** Without the time, which is that of this host. */
const words = (event: Partial<ApiEvent> & { readonly type: string }): string =>
  eventLine({ ...BASE, ...event }, PIPE).slice('2026-11-30 12:00:00  '.length)

test('an event is one line: when, the new status, what, and why', () => {
  const reason = 'CONNECT_REFUSED'
  const down = { type: 'member.status', ...OF_MEMBER, to: 'OFFLINE', reason, detail: 'connect ECONNREFUSED' }
  assert.equal(
    words(down),
    'OFFLINE   member web-1 ([2001:db8::1]:80) of app: the target refused the connection (connect ECONNREFUSED)',
  )
  assert.equal(
    words({ type: 'pool.status', pool: OF_MEMBER.pool, from: 'ONLINE', to: 'ERROR' }),
    'ERROR     pool app: was ONLINE',
  )
})

test('who gets the traffic of a pool is said in words, and a new word is shown as it is', () => {
  const event = { type: 'pool.effective_members', pool: OF_MEMBER.pool, from: 'healthy' }
  assert.match(
    words({ ...event, to: 'fail_open' }),
    /^ +pool app: too few members pass: all get traffic, also those that do not pass$/,
  )
  assert.match(words({ ...event, to: 'new_kind' }), /^ +pool app: new_kind$/)
})

test('a reason that is not known here is shown as it is', () => {
  assert.match(
    words({ type: 'member.status', ...OF_MEMBER, to: 'OFFLINE', reason: 'NEW_REASON' }),
    /: NEW_REASON$/,
  )
})

test('changes say what and who, maintenances until when and why', () => {
  const changed = {
    ...OF_MEMBER,
    object: 'member',
    action: 'changed',
    fields: ['weight'],
    by: { user_id: 'u' },
  }
  assert.equal(
    words({ type: 'config.changed', ...changed }).trim(),
    'member web-1 ([2001:db8::1]:80) of app changed: weight, by user u',
  )
  const monitor = { object: 'healthmonitor', object_id: 'hm', object_name: '', action: 'deleted' }
  assert.equal(
    words({ type: 'config.changed', pool: OF_MEMBER.pool, ...monitor }).trim(),
    'healthmonitor hm deleted',
  )
  assert.match(
    words({ type: 'maintenance.begun', ...OF_MEMBER, end: null, note: 'kernel' }),
    /: maintenance begun, until it is ended: kernel$/,
  )
})

test('what is not known here is shown by its type', () => {
  assert.equal(
    words({ type: 'prober.lost', prober: { id: 'x', host: 'node-1', pid: 7 } }).trim(),
    'prober.lost node-1, pid 7',
  )
  assert.equal(words({ type: 'something.new', pool: OF_MEMBER.pool }).trim(), 'something.new pool app')
})

test('certificates say whose they are and when they end', () => {
  const detail = 'www.example.org, not valid after 2026-12-30T18:13:00Z'
  assert.equal(
    words({ type: 'certificate.expiring', ...OF_MEMBER, detail }).trim(),
    `member web-1 ([2001:db8::1]:80) of app: the certificate expires soon: ${detail}`,
  )
  assert.match(
    words({ type: 'certificate.expired', ...OF_MEMBER, detail }),
    /: the certificate has expired: www/,
  )
})

test('stale members say why, one by one or as so many of a pool', () => {
  const type = 'member.stale'
  assert.equal(
    words({ type, ...OF_MEMBER, to: 'STALE', reason: 'NEW_REASON' }),
    'STALE     member web-1 ([2001:db8::1]:80) of app: the status may be wrong, NEW_REASON',
  )
  const { pool } = OF_MEMBER
  assert.equal(
    words({ type, pool, to: 'STALE', reason: 'NO_PROBER', members: 7 }),
    'STALE     7 members of pool app: the status may be wrong, no prober probes it',
  )
  assert.equal(
    words({ type, pool, to: 'FRESH', reason: 'PROBED_AGAIN', members: 1 }),
    'FRESH     1 member of pool app: the status can be trusted again, a prober probes it again',
  )
})

test('a deleted member has its id', () => {
  const member = { id: 'member-id', name: null, address: null, protocol_port: null }
  assert.match(words({ type: 'member.status', member, to: 'ONLINE' }), /member member-id$/)
})

test('names of others steer no terminal', () => {
  const pool = { id: 'x', name: 'a\u001b[2Jb\nc' }
  const line = words({ type: 'pool.status', pool, to: 'ERROR' })
  assert.ok(!line.includes('\n') && !line.includes('\u001b'), JSON.stringify(line))
})
