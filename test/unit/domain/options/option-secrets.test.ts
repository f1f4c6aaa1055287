import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DomainError } from '../../../../src/domain/errors.ts'
import type { MonitorOptions } from '../../../../src/domain/options/monitor-options.ts'
import { maskedOptions, unmaskedOptions } from '../../../../src/domain/options/option-secrets.ts'
import { isSecretHeader, MASK, maskedHeaders } from '../../../../src/domain/options/secret-headers.ts'

const pair = (name: string, value: string) => ({ name, value })
const headers = (...all: { name: string; value: string }[]): MonitorOptions => ({ http: { headers: all } })
const metadata = (...all: { name: string; value: string }[]): MonitorOptions => ({ grpc: { metadata: all } })

test('credentials are masked in headers and in metadata, however their names are written; nothing else is', () => {
  for (const of of [headers, metadata]) {
    const shown = maskedOptions(of(pair('AUTHORIZATION', 'a'), pair('x-plain', 'b'), pair('Cookie', 'c')))
    assert.deepEqual(shown, of(pair('AUTHORIZATION', MASK), pair('x-plain', 'b'), pair('Cookie', MASK)))
  }
  assert.equal(isSecretHeader('Proxy-Authorization'), true)
  assert.equal(isSecretHeader('X-Authorization'), false)
  assert.deepEqual(maskedOptions({ fall: 2 }), { fall: 2 })
  assert.deepEqual(maskedHeaders([pair('Cookie', 'c'), { name: 'Cookie' }]), [
    pair('Cookie', MASK),
    { name: 'Cookie' },
  ])
  assert.equal(maskedHeaders(undefined), undefined)
})

test('a mask that is sent back keeps the stored value of its name and place, in headers and in metadata', () => {
  for (const of of [headers, metadata]) {
    const stored = of(pair('Cookie', 'first'), pair('authorization', 'key'), pair('cookie', 'second'))
    const sent = of(pair('COOKIE', MASK), pair('cookie', 'new'), pair('Authorization', MASK))
    assert.deepEqual(
      unmaskedOptions(sent, stored),
      of(pair('COOKIE', 'first'), pair('cookie', 'new'), pair('Authorization', 'key')),
    )
    assert.deepEqual(
      unmaskedOptions(of(pair('cookie', 'new'), pair('cookie', MASK)), stored),
      of(pair('cookie', 'new'), pair('cookie', 'second')),
    )
    const plain = of(pair('x-plain', MASK))
    assert.deepEqual(unmaskedOptions(plain, null), plain, 'no secret: the text itself')
  }
})

test('a mask for which nothing is stored is refused with the list in which it stands', () => {
  for (const [field, of, other] of [
    ['options.http.headers', headers, metadata],
    ['options.grpc.metadata', metadata, headers],
  ] as const) {
    const sent = of(pair('Cookie', MASK))
    for (const stored of [null, {}, of(pair('authorization', 'key')), other(pair('Cookie', 'c'))])
      assert.throws(
        () => unmaskedOptions(sent, stored),
        (error) =>
          error instanceof DomainError && error.code === 'INVALID_FIELD' && error.facts['field'] === field,
      )
  }
})
