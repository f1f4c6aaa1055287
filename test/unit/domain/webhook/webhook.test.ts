import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServiceEvent } from '../../../../src/domain/event/event.ts'
import { WEBHOOK_SECRET_BYTES } from '../../../../src/domain/limits.ts'
import { backOffMs } from '../../../../src/domain/webhook/back-off.ts'
import { isSecret } from '../../../../src/domain/webhook/secret.ts'
import {
  eventFilterOf,
  receivesEvent,
  subjectOf,
  type WebhookFormat,
} from '../../../../src/domain/webhook/webhook.ts'

const EVENT: ServiceEvent = {
  position: 5,
  type: 'pool.status',
  at: new Date(0),
  projectId: 'p',
  pool: { id: 'pool-1' },
  loadBalancer: { id: 'lb-1' },
  from: 'ONLINE',
  to: 'DEGRADED',
  data: {},
}

function receives(
  event: Partial<ServiceEvent>,
  { afterPosition = 0, format = 'cloudevents' as WebhookFormat, projectId = 'p' as string | null } = {},
): boolean {
  const filter = eventFilterOf(projectId, { to: ['DEGRADED', 'OFFLINE'] })
  const webhook = { id: 'w', projectId, url: '', format, secrets: [], filter, afterPosition }
  return receivesEvent(webhook, { ...EVENT, ...event })
}

test('a webhook gets events that are newer than it, in its project, and match its filter', () => {
  assert.deepEqual(
    [
      receives({}),
      receives({}, { afterPosition: 5 }),
      receives({ projectId: 'q' }),
      receives({ to: 'ONLINE' }),
      receives({ to: null }),
    ],
    [true, false, false, false, false],
  )
  assert.equal(receives({ projectId: null }, { projectId: null }), true)
  assert.equal(receives({ projectId: null }), false)
  assert.equal(receives({ type: 'config.changed' }, { format: 'alertmanager' }), false)
})

test('events about one object have one subject, and others have other ones', () => {
  const { pool: _, loadBalancer: __, ...service } = EVENT
  const { pool: ___, ...ofBalancer } = EVENT
  const subjects = [
    subjectOf({ ...EVENT, member: { id: 'm' } }),
    subjectOf(EVENT),
    subjectOf(ofBalancer),
    subjectOf({ ...service, type: 'prober.lost' }),
  ]
  assert.deepEqual(subjects, ['member/m', 'pool/pool-1', 'loadbalancer/lb-1', 'prober.lost/p'])
})

test('the pause doubles up to its limit, and chance takes at most half of it away', () => {
  const range = { min: 1000, max: 60_000 }
  assert.deepEqual(
    [1, 2, 3, 7, 1000].map((failures) => backOffMs(failures, range, 0)),
    [1000, 2000, 4000, 60_000, 60_000],
  )
  assert.equal(backOffMs(2, range, 1), 1000)
})

test('a secret has the prefix, whole base64, and as many bytes as Standard Webhooks allows', () => {
  const ofBytes = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`
  const { min, max } = WEBHOOK_SECRET_BYTES
  assert.deepEqual(
    [min - 1, min, min + 1, min + 2, max, max + 1].map((bytes) => isSecret(ofBytes(bytes))),
    [false, true, true, true, true, false],
  )
  for (const text of ['', 'whsec_', ofBytes(32).slice(6), `${ofBytes(32)}=`, ofBytes(32).replace('B', '-')])
    assert.equal(isSecret(text), false, text)
})
