/** openapi.yaml says what the code goes by: each number, default, pattern and word of its schemas. */
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
import { MEMBER_STATUS_RULES } from '../../src/domain/member-status.ts'
import { REASONS } from '../../src/domain/reasons.ts'
import { OPERATING_STATUSES } from '../../src/domain/roll-up.ts'
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

/** What a request's attributes are bounded by: schema, attribute, keywords. `Create` and `Update` alike. */
const BOUNDS: readonly (readonly [string, string, Readonly<Record<string, number>>])[] = [
  ['ElbHealthMonitor', 'delay', range(limits.ELB_DELAY_SECONDS)],
  ['ElbHealthMonitor', 'timeout', range(limits.ELB_TIMEOUT_SECONDS)],
  ['ElbHealthMonitor', 'max_retries', range(limits.RETRIES)],
  ['ElbHealthMonitor', 'max_retries_down', range(limits.RETRIES)],
  ['ElbHealthMonitor', 'name', { maxLength: limits.NAME_MAX }],
  ['ElbHealthMonitor', 'monitor_port', range(limits.PORT)],
  ['ElbHealthMonitor', 'domain_name', { maxLength: limits.ELB_DOMAIN_NAME_MAX }],
  ['ElbHealthMonitor', 'url_path', { maxLength: limits.ELB_URL_PATH_MAX }],
  ['ElbHealthMonitor', 'expected_codes', { maxLength: limits.ELB_EXPECTED_CODES_MAX }],
  ['ElbMember', 'name', { maxLength: limits.NAME_MAX }],
  ['ElbMember', 'weight', range(limits.ELB_WEIGHT)],
  ...['ElbMember', 'ElbPool', 'OctaviaMember', 'OctaviaPool'].map(
    (name) => [name, 'depends_on', { maxItems: limits.DEPENDS_ON_MAX }] as const,
  ),
  ['ElbPool', 'name', { maxLength: limits.NAME_MAX }],
  ['ElbPool', 'description', { maxLength: limits.DESCRIPTION_MAX }],
  ['ElbListener', 'name', { maxLength: limits.NAME_MAX }],
  ['ElbListener', 'description', { maxLength: limits.DESCRIPTION_MAX }],
  ['ElbListener', 'connection_limit', range(limits.CONNECTION_LIMIT)],
  ['ElbListener', 'default_tls_container_ref', { maxLength: limits.ELB_CONTAINER_REF_MAX }],
  ['ElbListener', 'client_ca_tls_container_ref', { maxLength: limits.ELB_CONTAINER_REF_MAX }],
  ['ElbListener', 'sni_container_refs', { maxItems: limits.ELB_SNI_REFS_MAX }],
  ['ElbLoadBalancer', 'name', { maxLength: limits.NAME_MAX }],
  ['ElbLoadBalancer', 'description', { maxLength: limits.DESCRIPTION_MAX }],
  ...['HealthMonitor', 'Member', 'Pool', 'Listener', 'LoadBalancer'].map(
    (name) => [`Octavia${name}`, 'name', { maxLength: limits.NAME_MAX }] as const,
  ),
  ...['Pool', 'Listener', 'LoadBalancer'].map(
    (name) => [`Octavia${name}`, 'description', { maxLength: limits.DESCRIPTION_MAX }] as const,
  ),
  ...['HealthMonitor', 'Member', 'Pool', 'Listener', 'LoadBalancer'].map(
    (name) => [`Octavia${name}`, 'tags', { maxItems: limits.OCTAVIA_TAGS_MAX }] as const,
  ),
  ['OctaviaListener', 'allowed_cidrs', { maxItems: limits.OCTAVIA_CIDRS_MAX }],
  ['OctaviaListener', 'sni_container_refs', { maxItems: limits.OCTAVIA_SNI_REFS_MAX }],
  ...['OctaviaPool', 'OctaviaListener'].flatMap((name) => [
    [name, 'tls_versions', { maxItems: limits.OCTAVIA_TLS_VERSIONS_MAX }] as const,
    [name, 'alpn_protocols', { maxItems: limits.OCTAVIA_ALPN_PROTOCOLS_MAX }] as const,
  ]),
  ['OctaviaLoadBalancer', 'vip_sg_ids', { maxItems: limits.OCTAVIA_SECURITY_GROUPS_MAX }],
  ['OctaviaHealthMonitor', 'delay', range({ min: 0, max: limits.INT4_MAX })],
  ['OctaviaHealthMonitor', 'timeout', range({ min: 0, max: limits.INT4_MAX })],
  ['OctaviaHealthMonitor', 'max_retries', range(limits.RETRIES)],
  ['OctaviaHealthMonitor', 'max_retries_down', range(limits.RETRIES)],
  ['OctaviaHealthMonitor', 'url_path', { maxLength: limits.URL_PATH_MAX }],
  ['OctaviaHealthMonitor', 'expected_codes', { maxLength: limits.EXPECTED_CODES_MAX }],
  ['OctaviaHealthMonitor', 'domain_name', { maxLength: limits.OCTAVIA_DOMAIN_NAME_MAX }],
  ['OctaviaMember', 'weight', range(limits.OCTAVIA_WEIGHT)],
  ...['Pool', 'Listener'].flatMap((name) => [
    [`Octavia${name}`, 'tls_ciphers', { maxLength: limits.OCTAVIA_TLS_CIPHERS_MAX }] as const,
  ]),
  ...['tls_container_ref', 'ca_tls_container_ref', 'crl_container_ref'].map(
    (name) => ['OctaviaPool', name, { maxLength: limits.OCTAVIA_REFERENCE_MAX }] as const,
  ),
  ...['default_tls_container_ref', 'client_ca_tls_container_ref', 'client_crl_container_ref'].map(
    (name) => ['OctaviaListener', name, { maxLength: limits.OCTAVIA_REFERENCE_MAX }] as const,
  ),
  ...['timeout_client_data', 'timeout_member_connect', 'timeout_member_data', 'timeout_tcp_inspect'].map(
    (name) => ['OctaviaListener', name, range(limits.OCTAVIA_TIMEOUT_MS)] as const,
  ),
  ['OctaviaListener', 'connection_limit', range(limits.CONNECTION_LIMIT)],
  ['OctaviaListener', 'hsts_max_age', range(limits.OCTAVIA_HSTS_SECONDS)],
]

/** Attributes that only a create has, or that a create bounds otherwise. */
const CREATE_BOUNDS: typeof BOUNDS = [
  ['OctaviaMember', 'protocol_port', range(limits.PORT)],
  ['OctaviaMember', 'monitor_port', range(limits.PORT)],
  ['OctaviaListener', 'protocol_port', range(limits.PORT)],
  ['OctaviaListener', 'l7policies', { maxItems: 0 }],
  ['OctaviaLoadBalancer', 'additional_vips', { maxItems: limits.OCTAVIA_ADDITIONAL_VIPS_MAX }],
  ['OctaviaLoadBalancer', 'pools', { maxItems: limits.OCTAVIA_TREE_PARENTS_MAX }],
  ['OctaviaLoadBalancer', 'listeners', { maxItems: limits.OCTAVIA_TREE_PARENTS_MAX }],
  ['OctaviaLoadBalancer', 'provider', { maxLength: limits.OCTAVIA_PROVIDER_MAX }],
  ['OctaviaLoadBalancer', 'availability_zone', { maxLength: limits.OCTAVIA_ZONE_MAX }],
  ...['HealthMonitor', 'Member', 'Pool', 'Listener', 'LoadBalancer'].flatMap((name) => [
    [`Octavia${name}`, 'tenant_id', { maxLength: limits.OCTAVIA_PROJECT_ID_MAX }] as const,
    [`Octavia${name}`, 'project_id', { maxLength: limits.OCTAVIA_PROJECT_ID_MAX }] as const,
  ]),
  ['ElbMember', 'address', { maxLength: limits.ELB_ADDRESS_MAX }],
  ['ElbMember', 'protocol_port', range(limits.PORT)],
  ['ElbListener', 'protocol_port', range(limits.PORT)],
  ['ElbLoadBalancer', 'vip_address', { maxLength: limits.ELB_ADDRESS_MAX }],
  ...['ElbHealthMonitor', 'ElbMember', 'ElbPool', 'ElbListener', 'ElbLoadBalancer'].flatMap((name) => [
    [name, 'tenant_id', { maxLength: limits.PROJECT_ID_MAX }] as const,
    [name, 'project_id', { maxLength: limits.PROJECT_ID_MAX }] as const,
  ]),
]

/** Attributes that only an update has, or that an update bounds otherwise. */
const UPDATE_BOUNDS: typeof BOUNDS = [
  // 0 clears.
  ['OctaviaMember', 'monitor_port', range({ min: 0, max: limits.PORT.max })],
  ...[
    'loadbalancer',
    'load_balancer',
    'listener',
    'member',
    'pool',
    'healthmonitor',
    'health_monitor',
    'l7policy',
    'l7rule',
  ].map((name) => ['OctaviaQuota', name, range(limits.OCTAVIA_QUOTA)] as const),
]

const NUMBER_KEYWORDS = ['minimum', 'maximum', 'maxLength', 'maxItems']

function boundsOf(schema: Schema | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schema ?? {}).filter(([keyword]) => NUMBER_KEYWORDS.includes(keyword)),
  )
}

test('the numbers of every request schema are those of limits.ts', () => {
  const table = [
    ...BOUNDS.flatMap(([name, attribute, bounds]) => [
      [`${name}Create`, attribute, bounds] as const,
      [`${name}Update`, attribute, bounds] as const,
    ]),
    ...CREATE_BOUNDS.map(([name, attribute, bounds]) => [`${name}Create`, attribute, bounds] as const),
    ...UPDATE_BOUNDS.map(([name, attribute, bounds]) => [`${name}Update`, attribute, bounds] as const),
  ]
  for (const [name, attribute, bounds] of table) {
    assert.deepEqual(boundsOf(attributesOf(name)[attribute]), bounds, `${name}: ${attribute}`)
  }
  // Nothing with a number may be missing above.
  const known = new Set(table.map(([name, attribute]) => `${name}: ${attribute}`))
  for (const name of Object.keys(document.components.schemas).filter((each) =>
    /^(Elb[A-U]|Octavia)\w+(Create|Update)$/.test(each),
  )) {
    for (const [attribute, schema] of Object.entries(attributesOf(name))) {
      const bounded = Object.keys(boundsOf(schema)).length > 0
      assert.ok(
        !bounded || known.has(`${name}: ${attribute}`),
        `${name}: ${attribute} is in no table of this test`,
      )
    }
  }
})

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
