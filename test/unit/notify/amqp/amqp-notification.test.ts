import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServiceEvent } from '../../../../src/domain/event/event.ts'
import type { Json } from '../../../support/api.ts'
import { amqpNotification, notificationType } from '../../../../src/notify/amqp/amqp-notification.ts'

const LB = '6ba7b810-9dad-11d1-80b4-00c04fd430c8'
const EVENT: ServiceEvent = {
  position: 7,
  type: 'member.status',
  at: new Date('2026-11-30T11:32:24.243Z'),
  projectId: 'project',
  member: { id: 'member-1', address: '10.0.0.1', protocolPort: 80 },
  from: 'ONLINE',
  to: 'OFFLINE',
  data: { reason: 'CONNECT_REFUSED' },
}

function changed(action: string, more: Partial<ServiceEvent> = {}): ServiceEvent {
  return {
    ...EVENT,
    type: 'config.changed',
    loadBalancer: { id: LB, name: 'web' },
    data: { object: 'loadbalancer', object_id: LB, object_name: 'web', action },
    ...more,
  }
}

/** The fields of the notification, and those of its payload. */
function sent(event: ServiceEvent): Json {
  const envelope = JSON.parse(amqpNotification(event, 'healthmonitor.host').body.toString())
  assert.equal(envelope['oslo.version'], '2.0')
  return JSON.parse(envelope['oslo.message'])
}

test('a notification is the envelope of oslo.messaging 2.0 around its fields (docs/peers/oslo-messaging.md 1, 2)', () => {
  const { message_id, _unique_id, payload, ...rest } = sent(EVENT)
  assert.deepEqual(rest, {
    publisher_id: 'healthmonitor.host',
    event_type: 'octavia.member.status',
    priority: 'INFO',
    timestamp: '2026-11-30 11:32:24.243000',
    _context_project_id: 'project',
    _context_tenant: 'project',
  })
  assert.match(message_id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.match(_unique_id, /^[0-9a-f]{32}$/)
  assert.deepEqual(
    [payload.id, payload.event_id, payload.type, payload.member.address, payload.to, payload.reason],
    ['7', '7', 'member.status', '10.0.0.1', 'OFFLINE', 'CONNECT_REFUSED'],
  )
})

test('an event that is sent again has the same message id, and never the same unique id (docs/peers/oslo-messaging.md 4)', () => {
  const [one, two] = [sent(EVENT), sent(EVENT)]
  assert.equal(one['message_id'], two['message_id'])
  assert.notEqual(one['_unique_id'], two['_unique_id'])
  assert.notEqual(one['message_id'], sent({ ...EVENT, position: 8 })['message_id'])
})

test('event types: those of Octavia for load balancers and statuses, ours for the rest (docs/peers/oslo-messaging.md 6)', () => {
  const types = [
    changed('created'),
    changed('changed'),
    changed('deleted'),
    { ...EVENT, type: 'pool.status' },
    { ...EVENT, type: 'loadbalancer.status' },
    changed('created', { data: { object: 'pool', action: 'created' } }),
    { ...EVENT, type: 'prober.lost' },
  ].map(notificationType)
  assert.deepEqual(types, [
    'octavia.loadbalancer.create.end',
    'octavia.loadbalancer.update.end',
    'octavia.loadbalancer.delete.end',
    'octavia.pool.status',
    'octavia.loadbalancer.status',
    'healthmonitor.config.changed',
    'healthmonitor.prober.lost',
  ])
})

test("id and name of a load balancer's notification are its own, as in Octavia", () => {
  const { payload } = sent(changed('created'))
  assert.deepEqual(
    [payload.id, payload.name, payload.project_id, payload.event_id],
    [LB, 'web', 'project', '7'],
  )
  const bare = changed('deleted', {
    data: { object: 'loadbalancer', action: 'deleted' },
    loadBalancer: { id: LB },
  })
  assert.deepEqual([sent(bare)['payload'].id, sent(bare)['payload'].name], [LB, ''])
})
