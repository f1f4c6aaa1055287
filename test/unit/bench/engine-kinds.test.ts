import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_KINDS, kindOf } from '../../../bench/engine-kinds.ts'

test('every kind that runs by default is known by its name', () => {
  assert.ok(DEFAULT_KINDS.length > 5)
  for (const name of DEFAULT_KINDS) assert.equal(kindOf(name).name, name)
})

test('handshakes of TLS, HTTP/2 and gRPC run only when they are asked for', () => {
  for (const name of ['https', 'https-rsa', 'http2', 'http2-reused', 'grpc', 'grpc-reused']) {
    assert.equal(kindOf(name).name, name)
    assert.ok(!DEFAULT_KINDS.includes(name), name)
  }
})

test('kept connections are those of kinds that say so', () => {
  assert.deepEqual(
    ['http', 'http-reused', 'grpc', 'grpc-reused-no-postgres'].map((name) => kindOf(name).isReused),
    [false, true, false, true],
  )
  assert.equal(kindOf('grpc-reused').monitor.options?.connection?.reuse, true)
  assert.equal(kindOf('grpc').monitor.options?.connection, undefined)
})

test('sessions are resumed over TLS alone', () => {
  assert.ok(kindOf('https-resumed').isResumed && kindOf('https-rsa-resumed-no-postgres').isResumed)
  assert.ok(!kindOf('https').isResumed)
  assert.equal(kindOf('https').monitor.options?.tls?.resume, false)
  assert.equal(kindOf('https-resumed').monitor.options, null)
  for (const name of ['http-resumed', 'tcp-resumed']) assert.throws(() => kindOf(name), /no type/)
})
