/**
 * openapi.yaml describes every body as joi describes its own schema: attributes, types, ranges, words, what is
 * required.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type Joi from 'joi'
import { OCTAVIA_LIST_BOUNDS } from '../../src/api/dialect/octavia/list-bounds.ts'
import * as elbMonitor from '../../src/api/dialect/elb/schema/health-monitor.ts'
import * as elbListener from '../../src/api/dialect/elb/schema/listener.ts'
import * as elbLoadBalancer from '../../src/api/dialect/elb/schema/load-balancer.ts'
import * as elbMember from '../../src/api/dialect/elb/schema/member.ts'
import * as elbPool from '../../src/api/dialect/elb/schema/pool.ts'
import { elbTagsAction } from '../../src/api/dialect/elb/schema/tags.ts'
import { publicPageCreate, publicPageUpdate } from '../../src/api/v1/public-page-body.ts'
import { webhookCreate, webhookUpdate } from '../../src/api/v1/webhook-body.ts'
import { NAME_MAX, PASSWORD_MAX } from '../../src/domain/limits.ts'
import { maintenanceBody } from '../../src/api/schema/maintenance.ts'
import { probeBody } from '../../src/api/schema/probe.ts'
import * as octaviaMonitor from '../../src/api/dialect/octavia/schema/health-monitor.ts'
import * as octaviaListener from '../../src/api/dialect/octavia/schema/listener.ts'
import * as octaviaLoadBalancer from '../../src/api/dialect/octavia/schema/load-balancer.ts'
import * as octaviaMember from '../../src/api/dialect/octavia/schema/member.ts'
import * as octaviaPool from '../../src/api/dialect/octavia/schema/pool.ts'
import { octaviaQuotaUpdate } from '../../src/api/dialect/octavia/schema/quota.ts'
import { type Described, keywordsOf, ofDocument, ofJoi } from '../support/joi-shapes.ts'
import { document, operations } from '../support/openapi.ts'

const BODIES: Readonly<Record<string, { readonly schema: Joi.Schema }>> = {
  ElbHealthMonitorCreate: elbMonitor.elbHealthMonitorCreate,
  ElbHealthMonitorUpdate: elbMonitor.elbHealthMonitorUpdate,
  ElbListenerCreate: elbListener.elbListenerCreate,
  ElbListenerUpdate: elbListener.elbListenerUpdate,
  ElbV3ListenerUpdate: elbListener.elbV3ListenerUpdate,
  ElbLoadBalancerCreate: elbLoadBalancer.elbLoadBalancerCreate,
  ElbLoadBalancerUpdate: elbLoadBalancer.elbLoadBalancerUpdate,
  ElbMemberCreate: elbMember.elbMemberCreate,
  ElbMemberUpdate: elbMember.elbMemberUpdate,
  ElbPoolCreate: elbPool.elbPoolCreate,
  ElbPoolUpdate: elbPool.elbPoolUpdate,
  ElbTagsAction: elbTagsAction,
  MaintenanceBody: maintenanceBody,
  OctaviaHealthMonitorCreate: octaviaMonitor.octaviaHealthMonitorCreate,
  OctaviaHealthMonitorUpdate: octaviaMonitor.octaviaHealthMonitorUpdate,
  OctaviaListenerCreate: octaviaListener.octaviaListenerCreate,
  OctaviaListenerUpdate: octaviaListener.octaviaListenerUpdate,
  OctaviaLoadBalancerCreate: octaviaLoadBalancer.octaviaLoadBalancerCreate,
  OctaviaLoadBalancerUpdate: octaviaLoadBalancer.octaviaLoadBalancerUpdate,
  OctaviaMemberCreate: octaviaMember.octaviaMemberCreate,
  OctaviaMemberUpdate: octaviaMember.octaviaMemberUpdate,
  OctaviaPoolCreate: octaviaPool.octaviaPoolCreate,
  OctaviaPoolUpdate: octaviaPool.octaviaPoolUpdate,
  OctaviaQuotaUpdate: octaviaQuotaUpdate,
  ProbeBody: probeBody,
  PublicPageCreate: publicPageCreate,
  PublicPageUpdate: publicPageUpdate,
  WebhookCreate: webhookCreate,
  WebhookUpdate: webhookUpdate,
}

/** What the document says on purpose otherwise, by body and keyword (`*`: any body of octavia), and why. */
const ON_PURPOSE: Readonly<Record<string, string>> = {
  'ElbHealthMonitorUpdate type enum': 'the rules decide: the stored type, sent again, is no change',
  'ElbHealthMonitorUpdate type maxLength': 'the same',
  '* domain_name maxLength': 'the pattern holds fewer characters than Octavia names in its refusal',
  '* provider enum': 'which providers are enabled is not a matter of form',
  '* request_sriov enum': 'refused where ports are asked for: there are none',
  '* request_sriov required': 'not offered inside a load balancer',
  '* request_sriov type': 'the same',
  '* healthmonitor required': 'read and refused: an object of its own makes it',
  '* members required': 'the same',
  'OctaviaLoadBalancerCreate listeners[].default_pool_id required': 'names what cannot exist yet',
  'OctaviaLoadBalancerCreate listeners[].default_pool_id type': 'the same',
  'OctaviaLoadBalancerCreate listeners[].default_pool_id format': 'the same',
}

/** Lists that are bounded after WSME has read them, in its place (list-bounds.ts). */
function isBoundedLater(keyword: string, told: unknown): boolean {
  const [, attribute = ''] = /(\w+) maxItems$/.exec(keyword) ?? []
  return told !== undefined && OCTAVIA_LIST_BOUNDS[attribute] === told
}

function isOnPurpose(body: string, keyword: string): boolean {
  const last = keyword.split('.').at(-1) ?? keyword
  return `${body} ${keyword}` in ON_PURPOSE || (body.startsWith('Octavia') && `* ${last}` in ON_PURPOSE)
}

/** The attributes that a schema of the document describes, below its envelope. */
function described(name: string): Readonly<Record<string, unknown>> {
  const schema = document.components.schemas[name]
  assert.ok(schema !== undefined, `no schema ${name}`)
  const whole = ofDocument(schema)
  const [inner, ...others] = Object.values(whole.properties ?? {})
  return keywordsOf(inner !== undefined && others.length === 0 ? inner : whole)
}

for (const [name, { schema }] of Object.entries(BODIES)) {
  test(`${name} has the attributes, types, ranges and words that the API holds bodies against`, () => {
    const ofDocuments = described(name)
    const ofCode = keywordsOf(ofJoi(schema))
    const keywords = [...new Set([...Object.keys(ofDocuments), ...Object.keys(ofCode)])]
    assert.ok(keywords.length > 2, 'the body has attributes')
    const differences = keywords.filter((keyword) => {
      const told = ofDocuments[keyword]
      return (
        !isDeepStrictEqual(told, ofCode[keyword]) &&
        !isOnPurpose(name, keyword) &&
        !(name.startsWith('Octavia') && isBoundedLater(keyword, told))
      )
    })
    assert.deepEqual(
      differences.map((keyword) => ({ keyword, document: ofDocuments[keyword], code: ofCode[keyword] })),
      [],
    )
  })
}

test('the members of batches have the attributes that the API holds them against', () => {
  const itemOf = (name: string): Described => {
    const { properties } = ofDocument(document.components.schemas[name] ?? {})
    const { items } = properties?.['members'] ?? {}
    assert.ok(items !== undefined, name)
    return items
  }
  assert.deepEqual(itemOf('ElbMemberBatchOfNew'), ofJoi(elbMember.elbMemberCreate.schema))
  assert.deepEqual(itemOf('ElbMemberBatchOfGone'), ofJoi(elbMember.elbMemberRemoval.schema))
  assert.deepEqual(
    keywordsOf(itemOf('OctaviaMemberBatch')),
    { ...described('OctaviaMemberCreate') },
    'as of one member, which is compared above',
  )
  assert.deepEqual(
    ofJoi(octaviaMember.octaviaMemberItem.schema),
    ofJoi(octaviaMember.octaviaMemberCreate.schema),
  )
  const actions = ['ElbMemberBatchOfNew', 'ElbMemberBatchOfGone'].flatMap(
    (name) => ofDocument(document.components.schemas[name] ?? {}).properties?.['action']?.enum ?? [],
  )
  assert.deepEqual(new Set(actions), new Set(elbMember.ELB_BATCH_ACTIONS))
})

test('every body that the document describes is compared', () => {
  const bodies = operations.flatMap(({ operation: { requestBody } }) => {
    const schema = requestBody?.content['application/json']?.schema
    return schema === undefined ? [] : [String(schema['$ref']).split('/').at(-1) ?? '']
  })
  const uncompared = [...new Set(bodies)].filter((name) => !(name in BODIES))
  assert.deepEqual(uncompared.toSorted(), ['ElbMemberBatch', 'OctaviaMemberBatch', 'SessionCredentials'])
})

test('the credentials of a sign-in are described with the limits that hold', () => {
  const credentials = document.components.schemas['SessionCredentials'] as {
    required: readonly string[]
    properties: Readonly<Record<string, { minLength: number; maxLength: number }>>
  }
  assert.deepEqual(Object.keys(credentials.properties), credentials.required)
  for (const [name, { minLength, maxLength }] of Object.entries(credentials.properties)) {
    assert.deepEqual([minLength, maxLength], [1, name === 'password' ? PASSWORD_MAX : NAME_MAX], name)
  }
})

test('what the document says otherwise on purpose still differs', () => {
  const differing = Object.entries(BODIES).flatMap(([name, { schema }]) => {
    const [ofDocuments, ofCode] = [described(name), keywordsOf(ofJoi(schema))]
    const keywords = [...Object.keys(ofDocuments), ...Object.keys(ofCode)]
    return keywords
      .filter((keyword) => !isDeepStrictEqual(ofDocuments[keyword], ofCode[keyword]))
      .map((keyword) => ({ name, keyword, last: keyword.split('.').at(-1) ?? keyword }))
  })
  for (const purpose of Object.keys(ON_PURPOSE)) {
    const isNeeded = differing.some(
      ({ name, keyword, last }) => purpose === `${name} ${keyword}` || purpose === `* ${last}`,
    )
    assert.ok(isNeeded, purpose)
  }
})
