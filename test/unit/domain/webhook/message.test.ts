import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServiceEvent } from '../../../../src/domain/event/event.ts'
import { SLACK_LINES_MAX, WEBHOOK_BODY_BYTES } from '../../../../src/domain/limits.ts'
import { type Message, messageOf } from '../../../../src/domain/webhook/message.ts'
import type { WebhookFormat } from '../../../../src/domain/webhook/webhook.ts'

const AT = new Date('2026-11-30T11:32:24.243Z')
const POOL = '11111111-1111-4111-8111-111111111111'
const MEMBER = '22222222-2222-4222-8222-222222222222'
const BALANCER = '33333333-3333-4333-8333-333333333333'

function event(position: number, more: Partial<ServiceEvent> = {}): ServiceEvent {
  return {
    position,
    type: 'member.status',
    at: AT,
    projectId: 'p',
    loadBalancer: { id: BALANCER, name: 'web' },
    pool: { id: POOL, name: 'app' },
    member: { id: MEMBER, name: 'one', address: '10.0.0.5', protocolPort: 80 },
    from: 'ONLINE',
    to: 'OFFLINE',
    data: { reason: 'CONNECT_REFUSED', detail: 'connect ECONNREFUSED' },
    ...more,
  }
}

function message(format: WebhookFormat, events: readonly ServiceEvent[], base?: string): Message {
  const origin = { source: 'urn:hm', ...(base === undefined ? {} : { base }) }
  return messageOf({ url: 'http://r.test/x', format }, events, { origin, nowMs: AT.getTime() })
}

test('one event is a CloudEvent, several are a batch, and a copy has the same id', () => {
  const one = message('cloudevents', [event(7)])
  assert.deepEqual([one.id, one.contentType], ['evt_7', 'application/cloudevents+json; charset=utf-8'])
  const { data, ...attributes } = JSON.parse(one.body)
  assert.deepEqual(attributes, {
    specversion: '1.0',
    id: '7',
    source: 'urn:hm',
    type: 'healthmonitor.member.status',
    subject: `loadbalancers/${BALANCER}/pools/${POOL}/members/${MEMBER}`,
    time: '2026-11-30T11:32:24.243Z',
    datacontenttype: 'application/json',
  })
  assert.deepEqual([data.to, data.reason, data.member.protocol_port], ['OFFLINE', 'CONNECT_REFUSED', 80])
  const several = message('cloudevents', [event(7), event(9)])
  assert.deepEqual(
    [several.id, several.contentType, several.count],
    ['evt_7_9_2', 'application/cloudevents-batch+json; charset=utf-8', 2],
  )
  assert.deepEqual(
    JSON.parse(several.body).map(({ id }: { id: string }) => id),
    ['7', '9'],
  )
})

test('an event without an object has no subject, which may not be empty', () => {
  const { loadBalancer: _, pool: __, member: ___, ...rest } = event(1)
  assert.ok(!('subject' in JSON.parse(message('cloudevents', [rest]).body)))
})

test('a request has as many events as fit, counted in bytes, and one at least', () => {
  const large = (position: number) => event(position, { data: { detail: 'ä'.repeat(60_000) } })
  const cut = message('cloudevents', [large(1), large(2), large(3)])
  assert.equal(cut.count, 2)
  assert.ok(Buffer.byteLength(cut.body) <= WEBHOOK_BODY_BYTES)
  assert.equal(cut.id, 'evt_1_2_2')
  const huge = event(1, { data: { detail: 'x'.repeat(2 * WEBHOOK_BODY_BYTES) } })
  assert.equal(message('cloudevents', [huge, event(2)]).count, 1)
})

test('a message of Slack says what, from, to, why, when and where to look', () => {
  const { text } = JSON.parse(message('slack', [event(1)], 'https://hm.test').body)
  assert.equal(
    text,
    '*member one 10.0.0.5:80 of pool app of load balancer web* ONLINE → OFFLINE: CONNECT_REFUSED, connect ECONNREFUSED ' +
      `(2026-11-30T11:32:24.243Z) <https://hm.test/v2.0/lbaas/pools/${POOL}/members/${MEMBER}/health|health>`,
  )
})

test('a name in a message of Slack makes no link, mentions nobody and does not end the line', () => {
  const named = event(1, { member: { id: MEMBER, name: '<!channel> a&b *x*\nsecond line' } })
  const { text } = JSON.parse(message('slack', [named]).body)
  assert.match(text, /^\*member &lt;!channel&gt; a&amp;b {2}x {2}second line of pool/)
  assert.ok(!text.includes('\n') && !text.includes('<'))
})

test('many events are one message of Slack: the first ones in full, the rest as counts', () => {
  const many = Array.from({ length: SLACK_LINES_MAX + 5 }, (_, index) => event(index + 1))
  const { count, body } = message('slack', [...many, event(99, { to: 'ONLINE' })])
  const lines = JSON.parse(body).text.split('\n')
  assert.deepEqual([count, lines.length], [SLACK_LINES_MAX + 6, SLACK_LINES_MAX + 1])
  assert.equal(lines.at(-1), '… and 6 more: 5 member.status OFFLINE, 1 member.status ONLINE')
})

test('an alert keeps its labels through every change of names and status', () => {
  const alerts = (events: readonly ServiceEvent[]) => JSON.parse(message('alertmanager', events).body)
  const [fired] = alerts([event(1)])
  const renamed = { member: { id: MEMBER, name: 'two' }, loadBalancer: { id: BALANCER, name: 'other' } }
  const [ended] = alerts([event(2, { ...renamed, from: 'OFFLINE', to: 'ONLINE' })])
  assert.deepEqual(fired.labels, {
    alertname: 'HealthMonitorMember',
    project_id: 'p',
    pool_id: POOL,
    member_id: MEMBER,
  })
  assert.deepEqual(ended.labels, fired.labels)
  assert.equal(ended.endsAt, AT.toISOString())
  assert.ok(Date.parse(fired.endsAt) > AT.getTime())
  assert.deepEqual(
    alerts([event(1), event(2, { to: 'ONLINE' })]).map(
      ({ annotations }: { annotations: object }) => annotations,
    ),
    [{ ...fired.annotations, status: 'ONLINE' }],
    'the last state of one object',
  )
})

test('alerts go to the API of Alertmanager, whether the URL names it or not', () => {
  const urlOf = (url: string) =>
    messageOf({ url, format: 'alertmanager' }, [event(1)], { origin: { source: 'x' }, nowMs: 0 }).url
  assert.equal(urlOf('http://a.test:9093'), 'http://a.test:9093/api/v2/alerts')
  assert.equal(urlOf('http://a.test/prefix/'), 'http://a.test/prefix/api/v2/alerts')
  assert.equal(urlOf('http://a.test/api/v2/alerts?x=1'), 'http://a.test/api/v2/alerts?x=1')
})
