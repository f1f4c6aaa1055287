import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DomainError } from '../../../../src/domain/errors.ts'
import { FLAP_WINDOW } from '../../../../src/domain/limits.ts'
import type { MonitorOptions } from '../../../../src/domain/options/monitor-options.ts'
import { assertOptionsFit } from '../../../../src/domain/options/option-fit.ts'
import type { MonitorType } from '../../../../src/domain/types.ts'

/** The field that is refused; undefined = all fits. */
function refused(type: MonitorType, options: MonitorOptions): unknown {
  try {
    assertOptionsFit({ type, httpMethod: null, options }, { sourceAddresses: [] })
    return undefined
  } catch (error) {
    assert.ok(error instanceof DomainError)
    return error.facts['field']
  }
}

test('a UDP reply that must have a pattern cannot be shorter than it', () => {
  const reply = (udp: NonNullable<MonitorOptions['udp']>) => refused('UDP-CONNECT', { udp })
  assert.equal(reply({ reply_pattern: 'aabbcc', max_reply_length: 2 }), 'options.udp')
  assert.equal(reply({ reply_pattern: 'aabbcc', max_reply_length: 3 }), undefined)
  for (const max of [0, 1])
    assert.equal(reply({ max_reply_length: max }), undefined, 'without a pattern any length will do')
  assert.equal(reply({ min_reply_length: 2, max_reply_length: 1 }), 'options.udp')
  assert.equal(reply({ min_reply_length: 2, max_reply_length: 2 }), undefined)
})

test('flap damping is off or looks at three results at least, and ends at or below where it begins', () => {
  const flap = (each: NonNullable<MonitorOptions['flap']>) => refused('TCP', { flap: each })
  assert.equal(flap({ window: 0 }), undefined)
  assert.equal(flap({ window: FLAP_WINDOW.min - 1 }), 'options.flap.window')
  assert.equal(flap({ window: FLAP_WINDOW.min }), undefined)
  assert.equal(flap({ low_percent: 31, high_percent: 30 }), 'options.flap.low_percent')
  assert.equal(flap({ low_percent: 30, high_percent: 30 }), undefined)
  assert.equal(flap({ low_percent: 30 }), undefined)
})

test('bytes that an answer must have fit into the bytes that are searched, counted as UTF-8', () => {
  const http = (each: NonNullable<MonitorOptions['http']>) => refused('HTTP', { http: each })
  const field = 'options.http.expected_body'
  assert.equal(http({ expected_body: ['ab', 'ü'], searched_body_bytes: 3 }), field)
  assert.equal(http({ expected_body: ['ab', 'ü'], searched_body_bytes: 4 }), undefined)
  assert.equal(http({ expected_body: ['ab'], searched_body_bytes: 0 }), undefined, '0: all that is read')
  assert.equal(http({ expected_body: ['ab'], method: 'HEAD' }), field, 'HEAD has no body')
})

test('a request body is taken with a method that has one', () => {
  for (const method of ['POST', 'PUT', 'PATCH', 'OPTIONS'] as const) {
    assert.equal(refused('HTTP', { http: { method, body: 'x' } }), undefined, method)
  }
  for (const method of ['GET', 'HEAD', 'DELETE'] as const) {
    assert.equal(refused('HTTP', { http: { method, body: 'x' } }), 'options.http.body', method)
  }
  assert.equal(refused('HTTP', { http: { body: 'x' } }), 'options.http.body', 'GET, when nothing is set')
})

test('the server name of TLS is a name and no address', () => {
  const named = (server_name: string) => refused('HTTPS', { tls: { server_name } })
  for (const address of ['192.0.2.1', '10.0.0.5'])
    assert.equal(named(address), 'options.tls.server_name', address)
  for (const name of ['192.0.2.1.example', 'a.test', 'localhost']) assert.equal(named(name), undefined, name)
})

test('an option and a group of another type are refused by their names, with the types that they fit', () => {
  assert.equal(refused('TCP', { http: { method: 'GET' } }), 'options.http')
  assert.equal(refused('PING', { udp: { max_reply_length: 1 } }), 'options.udp')
  assert.equal(refused('HTTP', { tls: { server_name: 'a.test' } }), 'options.tls.server_name')
  assert.equal(refused('PING', { tls: { expiry_warning_days: 7 } }), 'options.tls')
  assert.equal(refused('HTTP', { tls: { expiry_warning_days: 7 } }), undefined)
  assert.equal(refused('HTTP', { http: { method: 'GET' } }), undefined)
  assert.equal(refused('HTTPS', { tls: { server_name: 'a.test' } }), undefined)
})
