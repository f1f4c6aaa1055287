import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { makePool, startPoolApi } from '../support/pool-api.ts'

const invalid = (field: string, reason: string) => `Invalid input for ${field}. Reason: ${reason}.`
const tooLong = (field: string, length: number, max: number) =>
  `RequestBody healthmonitor[${field}]'s length is ${length}, greater than ${max}.`
const required = (field: string) =>
  `RequestBody healthmonitor[${field}] is null, this is a required parameter.`
const small = (value: number, min: number) => `'${value}' is too small - must be at least '${min}'`
const large = (value: number, max: number) => `'${value}' is too large - must be no larger than '${max}'`

type Refusal = readonly [object, string, string]

/** Wrong values, refused alike at create and at update. */
const VALUES: readonly Refusal[] = [
  ...(['delay', 'timeout'] as const).flatMap((field): Refusal[] => [
    [{ [field]: 0 }, 'ELB.9899', invalid(field, small(0, 1))],
    [{ [field]: 51 }, 'ELB.9899', invalid(field, large(51, 50))],
    [{ [field]: 'x' }, 'ELB.9899', invalid(field, `'x' is not an integer`)],
    [{ [field]: 1.5 }, 'ELB.9899', invalid(field, `'1.5' is not an integer`)],
    [{ [field]: [1] }, 'ELB.9899', invalid(field, `'[1]' is not an integer`)],
    [{ [field]: true }, 'ELB.9899', invalid(field, `'true' is not an integer`)],
    [{ [field]: null }, 'ELB.9899', invalid(field, `'None' is not an integer`)],
  ]),
  ...(['max_retries', 'max_retries_down'] as const).flatMap((field): Refusal[] => [
    [{ [field]: 0 }, 'ELB.9899', invalid(field, small(0, 1))],
    [{ [field]: 11 }, 'ELB.9899', invalid(field, large(11, 10))],
  ]),
  [{ monitor_port: 0 }, 'ELB.9899', invalid('monitor_port', small(0, 1))],
  [{ monitor_port: 65_536 }, 'ELB.9899', invalid('monitor_port', large(65_536, 65_535))],
  [{ name: 'x'.repeat(256) }, 'ELB.9805', tooLong('name', 256, 255)],
  [{ name: 5 }, 'ELB.9899', invalid('name', `'5' is not a valid string`)],
  [{ name: 'a\0b' }, 'ELB.8902', 'The body contains a NUL character.'],
  [{ name: '\udc00' }, 'ELB.8902', 'The body contains a lone surrogate.'],
  [{ url_path: `/${'x'.repeat(80)}` }, 'ELB.9805', tooLong('url_path', 81, 80)],
  [{ url_path: 'x' }, 'ELB.9899', invalid('url_path', `'x' is not a valid input`)],
  [{ url_path: '/a b' }, 'ELB.9899', invalid('url_path', `'/a b' is not a valid input`)],
  [{ url_path: '/a\r\nb' }, 'ELB.9899', invalid('url_path', `'/a\r\nb' is not a valid input`)],
  [{ domain_name: 'x'.repeat(101) }, 'ELB.9805', tooLong('domain_name', 101, 100)],
  [{ domain_name: '-a' }, 'ELB.9899', invalid('domain_name', `'-a' is not a valid input`)],
  [{ domain_name: 'a\nb' }, 'ELB.9899', invalid('domain_name', `'a\nb' is not a valid input`)],
  [{ domain_name: 'a:80' }, 'ELB.9899', invalid('domain_name', `'a:80' is not a valid input`)],
  [{ expected_codes: '2'.repeat(65) }, 'ELB.9805', tooLong('expected_codes', 65, 64)],
  [{ expected_codes: '20' }, 'ELB.9899', invalid('expected_codes', `'20' is not a valid input`)],
  [{ expected_codes: '204-200' }, 'ELB.9899', invalid('expected_codes', `'204-200' is not a valid input`)],
  [{ expected_codes: '999' }, 'ELB.9899', invalid('expected_codes', `'999' is not a valid input`)],
  [
    { http_method: 'get' },
    'ELB.9899',
    invalid(
      'http_method',
      `'get' is not in ('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'TRACE', 'OPTIONS', 'CONNECT', 'PATCH')`,
    ),
  ],
  [
    { admin_state_up: 'maybe' },
    'ELB.9899',
    invalid('admin_state_up', `'maybe' cannot be converted to boolean`),
  ],
  [{ admin_state_up: null }, 'ELB.9899', invalid('admin_state_up', `'None' cannot be converted to boolean`)],
  [{ foo: 1 }, 'ELB.9899', `Unrecognized attribute(s) 'foo'`],
  [{ id: randomUUID() }, 'ELB.9899', 'Cannot update read-only attribute id'],
]

test('health monitors: every refusal has its status, code and sentence, and changes nothing', async (t) => {
  const api = await startPoolApi(t)
  const { poolId } = await makePool(api.db)
  const { poolId: usedPool } = await makePool(api.db)
  const draft = { pool_id: poolId, type: 'TCP', delay: 5, timeout: 3, max_retries: 2 }
  const without = (key: string) => Object.fromEntries(Object.entries(draft).filter(([name]) => name !== key))
  const made = await api.call('POST', '/healthmonitors', {
    body: { healthmonitor: { ...draft, pool_id: usedPool } },
  })
  const { id } = made.body.healthmonitor as { id: string }
  const before = await query(api.db, 'select * from health_monitor')
  const types = `is not in ('HTTP', 'TCP', 'UDP_CONNECT')`
  const creates: readonly Refusal[] = [
    [{}, 'ELB.0002', 'healthmonitor is null,request is invalid.'],
    [{ healthmonitor: null }, 'ELB.0002', 'healthmonitor is null,request is invalid.'],
    [{ healthmonitor: [] }, 'ELB.0002', 'healthmonitor is null,request is invalid.'],
    ...['delay', 'max_retries', 'pool_id', 'timeout', 'type'].map(
      (field): Refusal => [{ healthmonitor: without(field) }, 'ELB.9805', required(field)],
    ),
    ...VALUES.map(
      ([change, code, message]): Refusal => [{ healthmonitor: { ...draft, ...change } }, code, message],
    ),
    ...['UDP-CONNECT', 'PING', 'HTTPS', 'tcp'].map(
      (type): Refusal => [
        { healthmonitor: { ...draft, type } },
        'ELB.9899',
        invalid('type', `'${type}' ${types}`),
      ],
    ),
    [
      { healthmonitor: { ...draft, pool_id: 'x' } },
      'ELB.9899',
      invalid('pool_id', `'x' is not a valid UUID`),
    ],
    [
      { healthmonitor: { ...draft, tenant_id: 'other' } },
      'ELB.9808',
      'Tenant_id in token mismatches with tenant_id in body.',
    ],
    [
      { healthmonitor: { ...draft, tenant_id: 'a', project_id: 'b' } },
      'ELB.9808',
      `'project_id' and 'tenant_id' do not match`,
    ],
  ]
  const updates: readonly Refusal[] = [
    [{}, 'ELB.0002', 'healthmonitor is null,request is invalid.'],
    ...VALUES.map(([change, code, message]): Refusal => [{ healthmonitor: change }, code, message]),
    ...['pool_id', 'tenant_id', 'project_id'].map(
      (field): Refusal => [
        { healthmonitor: { [field]: 'x' } },
        'ELB.9899',
        `Cannot update read-only attribute ${field}`,
      ],
    ),
    [{ healthmonitor: { type: 'UDP-CONNECT' } }, 'ELB.9899', invalid('type', `'UDP-CONNECT' ${types}`)],
  ]
  const tries = [
    ...creates.map((refusal) => ['POST', '/healthmonitors', ...refusal] as const),
    ...updates.map((refusal) => ['PUT', `/healthmonitors/${id}`, ...refusal] as const),
  ]
  for (const [method, path, body, code, message] of tries) {
    const answer = await api.call(method, path, { body })
    const what = `${method} ${JSON.stringify(body).slice(0, 200)}`
    assert.deepEqual(
      [answer.status, answer.body.error_code, answer.body.error_msg],
      [400, code, message],
      what,
    )
    assert.equal(answer.body.request_id, answer.headers['x-openstack-request-id'])
  }
  assert.ok(tries.length > 80, `${tries.length} refusals`)
  assert.deepEqual(await query(api.db, 'select * from health_monitor'), before)
})
