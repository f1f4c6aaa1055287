/**
 * openapi.yaml has the values of the code: defaults, bounds and words. The checks of bodies are compared in
 * openapi-bodies.test.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  OCTAVIA_HTTP_METHODS,
  OCTAVIA_HTTP_VERSIONS,
} from '../../src/api/dialect/octavia/schema/health-monitor.ts'
import * as limitsOfElb from '../../src/api/dialect/elb/limits.ts'
import * as limitsOfOctavia from '../../src/api/dialect/octavia/limits.ts'
import {
  OCTAVIA_LB_ALGORITHMS,
  OCTAVIA_LISTENER_PROTOCOLS,
  OCTAVIA_MONITOR_TYPES,
  OCTAVIA_POOL_PROTOCOLS,
} from '../../src/api/dialect/octavia/words.ts'
import * as limitsOfAll from '../../src/domain/limits.ts'
import { MEMBER_STATUS_RULES } from '../../src/domain/status/member-status.ts'
import { REASONS } from '../../src/domain/result/reasons.ts'
import { OPERATING_STATUSES } from '../../src/domain/status/roll-up.ts'
import { optionsSchema } from '../../src/api/schema/option-schemas.ts'
import { document, resolved, type Schema } from '../support/openapi.ts'

const limits = { ...limitsOfAll, ...limitsOfElb, ...limitsOfOctavia }

/** The attributes of a request, by the schema's name; below the envelope. */
function attributesOf(schemaName: string): Readonly<Record<string, Schema>> {
  const schema = document.components.schemas[schemaName]
  assert.ok(schema !== undefined, `no schema ${schemaName}`)
  const [envelope] = Object.values(schema['properties'] as Record<string, Schema>)
  return (resolved<Schema>(envelope ?? {})['properties'] ?? {}) as Record<string, Schema>
}

const range = (of: limitsOfAll.Range) => ({ minimum: of.min, maximum: of.max })

const NUMBER_KEYWORDS = ['minimum', 'maximum', 'maxLength', 'maxItems']

function boundsOf(schema: Schema | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schema ?? {}).filter(([keyword]) => NUMBER_KEYWORDS.includes(keyword)),
  )
}

test('the defaults of every request schema are those of limits.ts', () => {
  assert.equal(
    attributesOf('ElbHealthMonitorCreate')['max_retries_down']?.['default'],
    limits.MAX_RETRIES_DOWN_DEFAULT,
  )
  assert.equal(attributesOf('ElbMemberCreate')['weight']?.['default'], limits.ELB_WEIGHT_DEFAULT)
  assert.equal(
    attributesOf('OctaviaHealthMonitorCreate')['max_retries_down']?.['default'],
    limits.MAX_RETRIES_DOWN_DEFAULT,
  )
  assert.equal(attributesOf('OctaviaMemberCreate')['weight']?.['default'], limits.OCTAVIA_WEIGHT_DEFAULT)
  const persistence = attributesOf('ElbPoolCreate')['session_persistence']?.['properties'] as Record<
    string,
    Schema
  >
  assert.deepEqual(boundsOf(persistence['persistence_timeout']), range(limits.ELB_PERSISTENCE_MINUTES_HTTP))
  assert.deepEqual(boundsOf(persistence['cookie_name']), { maxLength: limits.COOKIE_NAME_MAX })
  assert.equal(boundsOf(document.components.schemas['ProjectId'])['maxLength'], limits.PROJECT_ID_MAX)
})

test('batches, tags and pages are bounded as limits.ts says', () => {
  const { schemas } = document.components
  const property = (name: string, attribute: string) =>
    (schemas[name]?.['properties'] as Record<string, Schema> | undefined)?.[attribute]
  const items = (schema: Schema = {}) => (schema['items'] as Schema)['properties'] as Record<string, Schema>
  assert.deepEqual(boundsOf(property('ElbMemberBatchOfNew', 'members')), { maxItems: limits.ELB_BATCH_MAX })
  assert.deepEqual(boundsOf(property('ElbMemberBatchOfGone', 'members')), { maxItems: limits.ELB_BATCH_MAX })
  assert.deepEqual(boundsOf(property('OctaviaMemberBatch', 'members')), {
    maxItems: limits.OCTAVIA_BATCH_MAX,
  })
  for (const name of ['HealthMonitor', 'Member', 'Pool', 'Listener', 'LoadBalancer']) {
    for (const change of ['Create', 'Update']) {
      const attributes = attributesOf(`Octavia${name}${change}`)
      assert.deepEqual(boundsOf(attributes['tags']?.['items'] as Schema), {
        maxLength: limits.OCTAVIA_TAG_MAX,
      })
    }
  }
  const innerMembers = property('OctaviaInnerNewPool', 'members')
  assert.deepEqual(boundsOf(innerMembers), { maxItems: limits.OCTAVIA_TREE_MEMBERS_MAX })
  const tags = property('ElbTagsAction', 'tags')
  assert.deepEqual(boundsOf(tags), { maxItems: limits.TAGS_MAX })
  assert.deepEqual(boundsOf(items(tags)['key']), { maxLength: limits.TAG_KEY_MAX })
  assert.deepEqual(boundsOf(items(tags)['value']), { maxLength: limits.TAG_VALUE_MAX })
  assert.deepEqual(boundsOf(property('Transition', 'detail')), { maxLength: limits.MAX_DETAIL_BYTES })
  for (const [number, text] of [
    [limits.PAGE_MAX_DEFAULT, document.info.description],
    [limits.PAGE_MAX_BYTES, document.info.description],
    [limits.BODY_DEPTH_MAX, document.info.description],
    [limits.BODY_KEYS_MAX, document.info.description],
    [limits.BODY_VALUES_MAX, document.info.description],
    [limits.LARGE_BODY_VALUES_MAX, document.info.description],
    ...[limits.BODY_MAX_BYTES, limits.LARGE_BODY_MAX_BYTES].flatMap((bytes): [number, string][] =>
      ['ElbPayloadTooLarge', 'OctaviaPayloadTooLarge'].map((name) => [
        bytes,
        document.components.responses[name]?.description ?? '',
      ]),
    ),
    [
      limits.STATUS_TREE_MEMBERS_MAX,
      JSON.stringify(document.paths['/elb/v2.0/lbaas/loadbalancers/{loadbalancer_id}/statuses']),
    ],
    [
      limits.TRANSITION_DAYS_DEFAULT,
      JSON.stringify(document.paths['/elb/v2.0/lbaas/pools/{pool_id}/members/{member_id}/transitions']),
    ],
    [
      limits.TRANSITIONS_PER_MEMBER_DEFAULT,
      JSON.stringify(document.paths['/elb/v2.0/lbaas/pools/{pool_id}/members/{member_id}/transitions']),
    ],
  ] as const) {
    assert.match(text, new RegExp(`\\b${number}\\b`))
  }
})

test('the options of a monitor are described by the rules that bodies are checked with', () => {
  const { MonitorOptions, MonitorOptionsPatch } = document.components.schemas
  assert.deepEqual(MonitorOptions, optionsSchema('answer'))
  assert.deepEqual(MonitorOptionsPatch, optionsSchema('patch'))
})

test('the words of octavia are those of its lists', () => {
  const words = (name: string, attribute: string) => attributesOf(name)[attribute]?.['enum']
  assert.deepEqual(words('OctaviaHealthMonitorCreate', 'type'), OCTAVIA_MONITOR_TYPES)
  assert.deepEqual(words('OctaviaHealthMonitorCreate', 'http_method'), [...OCTAVIA_HTTP_METHODS, null])
  assert.deepEqual(words('OctaviaHealthMonitorCreate', 'http_version'), [
    ...OCTAVIA_HTTP_VERSIONS.map(Number),
    null,
  ])
  assert.deepEqual(words('OctaviaPoolCreate', 'protocol'), OCTAVIA_POOL_PROTOCOLS)
  assert.deepEqual(words('OctaviaPoolCreate', 'lb_algorithm'), OCTAVIA_LB_ALGORITHMS)
  assert.deepEqual(words('OctaviaListenerCreate', 'protocol'), OCTAVIA_LISTENER_PROTOCOLS)
  assert.deepEqual(document.components.schemas['OctaviaOperatingStatus']?.['enum'], OPERATING_STATUSES)
})

test('every reason that a status can have is described', () => {
  const codes = [
    ...Object.keys(REASONS),
    ...MEMBER_STATUS_RULES.map(({ reason }) => reason),
    'NOT_YET_PROBED',
  ]
  const text = String(document.components.schemas['Reason']?.['description'])
  const described = new Set(text.match(/\b[A-Z]+(?:_[A-Z]+)+\b|\bPASSED\b/g))
  assert.deepEqual(new Set(codes), described)
})

test('how far the webhooks count what waits is that of limits.ts', () => {
  const webhook = document.components.schemas['Webhook']?.['properties'] as Record<string, Schema>
  const counted = (name: string, count: string) =>
    (webhook[name]?.['properties'] as Record<string, Schema> | undefined)?.[count]?.['maximum']
  assert.equal(counted('lag', 'events'), limits.WEBHOOK_COUNTED_MAX)
  assert.equal(counted('dead_letters', 'kept'), limits.WEBHOOK_COUNTED_MAX)
})
