import assert from 'node:assert/strict'
import { test } from 'node:test'
import { octaviaLoadBalancers } from '../../../../src/api/dialect/octavia/load-balancer.ts'
import { sharerOf } from '../../../../src/api/http/sharer.ts'
import { DomainError } from '../../../../src/domain/errors.ts'
import { parseCidr } from '../../../../src/domain/address/ip-address.ts'
import { vipRangeOf } from '../../../../src/domain/address/vip-range.ts'

test('users without a project have a share each, and those of a project have one together', () => {
  const [one, other] = [sharerOf({ projectId: '', userId: 'a' }), sharerOf({ projectId: '', userId: 'b' })]
  assert.notEqual(one, other)
  assert.notEqual(one, sharerOf({ projectId: '' }))
  assert.equal(sharerOf({ projectId: 'p', userId: 'a' }), sharerOf({ projectId: 'p', userId: 'b' }))
})

test('a create without a permitted project is refused before its body is parsed', async () => {
  const dialect = octaviaLoadBalancers({
    vipRange: vipRangeOf(parseCidr('192.0.2.0/24')),
    allowPing: true,
    udpMinDelaySeconds: 3,
  })
  const identity = { projectId: '', assumed: false, scope: 'unscoped' as const, roles: [], confined: false }
  const authorise = (): void => {
    throw new DomainError('FORBIDDEN', 'not for you')
  }
  const asker = { identity, access: { byId: undefined, inLists: '', authorise } }
  const create = async (attributes: object) =>
    await dialect.parseCreate({ loadbalancer: { pools: 'no list at all', ...attributes } }, asker)
  await assert.rejects(create({}), /Missing project ID/)
  await assert.rejects(create({ project_id: 'another' }), /not for you/)
  await assert.rejects(create({ project_id: null, tenant_id: 'another' }), /not for you/)
})
