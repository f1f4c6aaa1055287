import assert from 'node:assert/strict'
import { test } from 'node:test'
import { healthLines } from '../../../../src/client/terminal/health-view.ts'
import type { Certificate, Member } from '../../../../src/client/wire.ts'

const PIPE = { width: Infinity, height: Infinity, hasColours: false, isTerminal: false }
const MEMBER: Member = {
  id: 'member-id',
  name: 'web-1',
  project_id: 'p',
  pool_id: 'pool-id',
  address: '10.0.0.1',
  protocol_port: 443,
  status: 'ONLINE',
  since: null,
  why: 'the target passed',
  reason: 'PASSED',
  detail: null,
  pending: false,
  stale: false,
  counters: null,
  last_probe: null,
  next_probe_at: null,
  detection_window: null,
}
const CERTIFICATE: Certificate = {
  not_after: '2026-12-30T12:00:00.000Z',
  days_left: 30,
  expiring: false,
  subject: 'www.example.org',
  issuer: 'Example CA',
}

/** The line of the certificate, without the time, which is that of this host. */
function line(certificate: Certificate): string | undefined {
  const found = healthLines({ ...MEMBER, certificate }, PIPE, 0).find((each) =>
    each.startsWith('certificate'),
  )
  return found?.replace(/ \(2026-.*\)$/, '')
}

test('the certificate of a member says whose it is, by whom, and when it ends', () => {
  assert.equal(line(CERTIFICATE), 'certificate  www.example.org, issued by Example CA: expires in 30 days')
  assert.equal(
    line({ ...CERTIFICATE, days_left: 1, expiring: true, issuer: 'www.example.org' }),
    'certificate  www.example.org: expires in 1 day, soon',
  )
  assert.equal(
    line({ ...CERTIFICATE, days_left: -1, expiring: true, subject: null, issuer: null }),
    'certificate  without a name: has expired',
  )
  const hostile = line({ ...CERTIFICATE, subject: 'a\u001b[2Jb' }) ?? ''
  assert.ok(hostile.startsWith('certificate  a') && !hostile.includes('\u001b'), hostile)
})

test('a member that shows no certificate has no line for one', () => {
  assert.ok(healthLines(MEMBER, PIPE, 0).every((each) => !each.startsWith('certificate')))
})

test('the sites of a member are one line on who sees what, and one for each', () => {
  const site = { since: null, reason: 'PASSED', latency_ms: null, votes: true, served: true }
  const sites: Member['sites'] = [
    { ...site, site: 'local', status: 'ONLINE', latency_ms: 0.4 },
    { ...site, site: 'fra', status: 'OFFLINE', reason: 'CONNECT_TIMEOUT' },
    { ...site, site: 'ams', status: 'ONLINE', votes: false, served: false, reason: 'NO_PROBER' },
    { ...site, site: 'nyc', status: null, votes: false, reason: 'NEW_REASON' },
  ]
  const lines = healthLines({ ...MEMBER, sites }, PIPE, 0)
  const from = lines.findIndex((each) => each.startsWith('seen'))
  assert.deepEqual(
    lines.slice(from, from + 5).map((each) => each.replace(/ +/g, ' ').trim()),
    [
      'seen OFFLINE from fra, ONLINE from local, nothing known from ams and nyc',
      'local ONLINE: the probe passed, 0.4 ms',
      'fra OFFLINE: no connection within the timeout',
      'ams ONLINE before: no prober of this site lives',
      'nyc no verdict: NEW_REASON',
    ],
  )
  assert.ok(healthLines(MEMBER, PIPE, 0).every((each) => !each.startsWith('seen')))
})
