import assert from 'node:assert/strict'
import { test } from 'node:test'
import { octaviaHealthMonitorCreate } from '../../../../src/api/dialect/octavia/schema/health-monitor.ts'
import { octaviaListenerCreate } from '../../../../src/api/dialect/octavia/schema/listener.ts'
import { octaviaLoadBalancerCreate } from '../../../../src/api/dialect/octavia/schema/load-balancer.ts'
import { octaviaMemberCreate } from '../../../../src/api/dialect/octavia/schema/member.ts'
import { octaviaPoolCreate } from '../../../../src/api/dialect/octavia/schema/pool.ts'
import { parseWsme, type WsmeRules } from '../../../../src/api/dialect/octavia/schema/wsme.ts'

const ID = '5f1b3c1e-0000-4000-8000-000000000001'

/** What each create needs beside. */
const CREATES: readonly (readonly [WsmeRules<unknown>, object])[] = [
  [octaviaLoadBalancerCreate, { vip_subnet_id: ID }],
  [octaviaListenerCreate, { loadbalancer_id: ID, protocol: 'TCP', protocol_port: 1 }],
  [octaviaPoolCreate, { loadbalancer_id: ID, protocol: 'TCP', lb_algorithm: 'ROUND_ROBIN' }],
  [octaviaMemberCreate, { address: '127.0.0.1', protocol_port: 1 }],
  [octaviaHealthMonitorCreate, { pool_id: ID, type: 'TCP', delay: 1, timeout: 1, max_retries: 1 }],
]

test('a tenant_id that cannot be one is refused by the name of the attribute that it sets: project_id', () => {
  for (const [rules, needed] of CREATES) {
    const parse = (attributes: object): unknown =>
      parseWsme({ [rules.envelope]: { ...needed, ...attributes } }, rules)
    for (const [value, shown, why] of [
      ['x'.repeat(37), 'x'.repeat(37), 'Value should have a maximum character requirement of 36'],
      [5, '5', 'Value should be string'],
    ] as const) {
      for (const name of ['tenant_id', 'project_id']) {
        assert.throws(() => parse({ [name]: value }), {
          code: 'INVALID_FIELD',
          message: `Invalid input for field/attribute project_id. Value: '${shown}'. ${why}`,
        })
      }
    }
    assert.doesNotThrow(() => parse({ tenant_id: 'x'.repeat(36), project_id: null }))
  }
})
