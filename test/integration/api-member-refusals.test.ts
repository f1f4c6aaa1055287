import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { configVersion, makePool, startPoolApi } from '../support/pool-api.ts'

const SUBNET = '03e1458a-fe0d-4e2f-bc4a-44f25a045287'
const member = (extra: object = {}) => ({
  address: '127.0.0.1',
  protocol_port: 8080,
  subnet_id: SUBNET,
  ...extra,
})

test('members: every refusal has its status, code and sentence, and changes nothing', async (t) => {
  const api = await startPoolApi(t)
  const { poolId } = await makePool(api.db)
  const without = (key: string) =>
    Object.fromEntries(Object.entries(member()).filter(([name]) => name !== key))
  const invalid = (field: string, reason: string) => `Invalid input for ${field}. Reason: ${reason}.`
  const cases: readonly (readonly [object, string, string])[] = [
    [{}, 'ELB.0002', 'Member is null, request is invalid.'],
    [{ member: null }, 'ELB.0002', 'Member is null, request is invalid.'],
    [{ member: [] }, 'ELB.0002', 'Member is null, request is invalid.'],
    [
      { member: without('address') },
      'ELB.9805',
      'RequestBody member[address] is null, this is a required parameter.',
    ],
    [
      { member: without('protocol_port') },
      'ELB.9805',
      'RequestBody member[protocol_port] is null, this is a required parameter.',
    ],
    [
      { member: without('subnet_id') },
      'ELB.9805',
      'RequestBody member[subnet_id] is null, this is a required parameter.',
    ],
    [
      { member: member({ address: 'x'.repeat(65) }) },
      'ELB.9805',
      `RequestBody member[address]'s length is 65, greater than 64.`,
    ],
    [
      { member: member({ name: 'x'.repeat(256) }) },
      'ELB.9805',
      `RequestBody member[name]'s length is 256, greater than 255.`,
    ],
    [
      { member: member({ address: 'web.example' }) },
      'ELB.9899',
      invalid('address', `'web.example' is not a valid IP address`),
    ],
    [
      { member: member({ address: '127.1' }) },
      'ELB.9899',
      invalid('address', `'127.1' is not a valid IP address`),
    ],
    [
      { member: member({ address: '0177.0.0.1' }) },
      'ELB.9899',
      invalid('address', `'0177.0.0.1' is not a valid IP address`),
    ],
    [
      { member: member({ address: 'fe80::1%eth0' }) },
      'ELB.9899',
      invalid('address', `'fe80::1%eth0' is not a valid IP address`),
    ],
    [{ member: member({ address: 5 }) }, 'ELB.9899', invalid('address', `'5' is not a valid string`)],
    [
      { member: member({ address: '169.254.169.254' }) },
      'ELB.9899',
      invalid('address', 'link-local 169.254.0.0/16 is never probed'),
    ],
    [
      { member: member({ address: '::ffff:169.254.169.254' }) },
      'ELB.9899',
      invalid('address', 'link-local 169.254.0.0/16 is never probed'),
    ],
    [
      { member: member({ protocol_port: 9876 }) },
      'ELB.9899',
      invalid('address', 'a listener of this service is never probed'),
    ],
    [
      { member: member({ protocol_port: 0 }) },
      'ELB.9899',
      invalid('protocol_port', `'0' is too small - must be at least '1'`),
    ],
    [
      { member: member({ protocol_port: 65_536 }) },
      'ELB.9899',
      invalid('protocol_port', `'65536' is too large - must be no larger than '65535'`),
    ],
    [
      { member: member({ protocol_port: 80.5 }) },
      'ELB.9899',
      invalid('protocol_port', `'80.5' is not an integer`),
    ],
    [
      { member: member({ weight: 101 }) },
      'ELB.9899',
      invalid('weight', `'101' is too large - must be no larger than '100'`),
    ],
    [
      { member: member({ weight: -1 }) },
      'ELB.9899',
      invalid('weight', `'-1' is too small - must be at least '0'`),
    ],
    [{ member: member({ weight: null }) }, 'ELB.9899', invalid('weight', `'None' is not an integer`)],
    [
      { member: member({ admin_state_up: 'maybe' }) },
      'ELB.9899',
      invalid('admin_state_up', `'maybe' cannot be converted to boolean`),
    ],
    [
      { member: member({ subnet_id: 'here' }) },
      'ELB.9899',
      invalid('subnet_id', `'here' is not a valid UUID`),
    ],
    [{ member: member({ backup: true }) }, 'ELB.9899', `Unrecognized attribute(s) 'backup'`],
    [{ member: member({ id: randomUUID() }) }, 'ELB.9899', 'Cannot update read-only attribute id'],
    [
      { member: member({ tenant_id: 'other' }) },
      'ELB.9808',
      'Tenant_id in token mismatches with tenant_id in body.',
    ],
    [
      { member: member({ tenant_id: 'a', project_id: 'b' }) },
      'ELB.9808',
      `'project_id' and 'tenant_id' do not match`,
    ],
    [{ member: member({ name: 'a\0b' }) }, 'ELB.8902', 'The body contains a NUL character.'],
    [{ member: member({ name: '\ud800' }) }, 'ELB.8902', 'The body contains a lone surrogate.'],
  ]
  for (const [body, code, message] of cases) {
    const answer = await api.call('POST', `/pools/${poolId}/members`, { body })
    assert.deepEqual(
      [answer.status, answer.body['error_code'], answer.body['error_msg']],
      [400, code, message],
    )
    assert.equal(answer.body['request_id'], answer.headers['x-openstack-request-id'])
  }
  assert.deepEqual(await query(api.db, 'select id from member'), [])
  assert.equal(await configVersion(api.db, poolId), 1)
})
