import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { LEAF_CERTIFICATES_MAX, MAX_DETAIL_BYTES } from '../../../../src/domain/limits.ts'
import { LeafCertificates } from '../../../../src/probe/tls/leaf-certificates.ts'
import { selfSigned } from '../../../support/certificate.ts'

const certificate = (name: string, notAfter?: Date): X509Certificate =>
  new X509Certificate(selfSigned(name, notAfter).cert)

/** A certificate as Node shows it, with some fields that the test chooses. */
const shownAs = (fields: Partial<X509Certificate>): X509Certificate =>
  ({
    fingerprint256: JSON.stringify(fields),
    subject: '',
    subjectAltName: undefined,
    issuer: '',
    validTo: 'Jan  1 00:00:00 2030 GMT',
    ...fields,
  }) as X509Certificate

test('of a certificate its end, its name and its issuer are known', () => {
  for (const notAfter of [
    '2026-02-03T04:05:06Z',
    '2049-12-31T23:59:59Z',
    '2050-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
  ]) {
    const shown = certificate('www.example.org', new Date(notAfter))
    assert.deepEqual(new LeafCertificates().of(shown), {
      fingerprint: shown.fingerprint256,
      notAfter: Date.parse(notAfter),
      subject: 'www.example.org',
      issuer: 'www.example.org',
    })
  }
})

test('a certificate that was seen before is not parsed again, and all who show it share what is known', () => {
  const certificates = new LeafCertificates()
  const { cert } = selfSigned('a.example')
  const first = certificates.of(new X509Certificate(cert))
  const again = new X509Certificate(cert)
  Object.defineProperty(again, 'validTo', {
    get: () => assert.fail('it was parsed again'),
  })
  assert.equal(certificates.of(again), first)
  assert.notEqual(certificates.of(certificate('a.example')), first)
})

test('as many certificates are kept as the limit says: the one that was seen longest ago is parsed again', () => {
  const certificates = new LeafCertificates()
  const parsed: string[] = []
  const shown = (n: number): X509Certificate =>
    Object.defineProperty(shownAs({ fingerprint256: `${n}` }), 'validTo', {
      get: () => {
        parsed.push(`${n}`)
        return 'Jan  1 00:00:00 2030 GMT'
      },
    })
  for (let n = 0; n < LEAF_CERTIFICATES_MAX; n++) certificates.of(shown(n))
  certificates.of(shown(0))
  certificates.of(shown(LEAF_CERTIFICATES_MAX))
  parsed.length = 0
  for (const n of [0, 2, LEAF_CERTIFICATES_MAX]) certificates.of(shown(n))
  assert.deepEqual(parsed, [])
  certificates.of(shown(1))
  assert.deepEqual(parsed, ['1'])
})

test('names are those of the certificate, without what OpenSSL adds for printing', () => {
  const names = (fields: Partial<X509Certificate>) => {
    const leaf = new LeafCertificates().of(shownAs(fields))
    return [leaf?.subject, leaf?.issuer]
  }
  assert.deepEqual(names({ subject: 'C=DE\nO=Example\nCN=a.example', issuer: 'O=No CN' }), ['a.example', ''])
  assert.deepEqual(names({ subject: 'OU=x + CN=b.example + L=y', issuer: 'CN=Ca\\, Inc\\.' }), [
    'b.example',
    'Ca, Inc.',
  ])
  assert.deepEqual(names({ subject: 'CN=a\\0Ab' }), ['a?b', ''])
  assert.deepEqual(
    names({ subject: 'O=x', subjectAltName: 'IP Address:10.0.0.1, DNS:c.example, DNS:d.example' }),
    ['c.example', ''],
  )
  assert.deepEqual(names({ subject: `CN=${'n'.repeat(1000)}` }), ['n'.repeat(MAX_DETAIL_BYTES), ''])
  const { subject } = certificate('quoted "name", with + and \u0007 bell')
  assert.deepEqual(names({ subject }), ['quoted "name", with + and ? bell', ''])
})

test('a certificate whose end cannot be read, or is before there were certificates, counts as none', () => {
  for (const validTo of [
    'Bad time value',
    '',
    'Foo  1 00:00:00 2030 GMT',
    'Jan  1 00:00:00 0001 GMT',
    'Jan  1 00:00:00 1 GMT',
  ])
    assert.equal(new LeafCertificates().of(shownAs({ validTo })), undefined, validTo)
  assert.equal(
    new LeafCertificates().of(shownAs({ validTo: 'Dec 31 23:59:59.5 1950 GMT' }))?.notAfter,
    Date.UTC(1950, 11, 31, 23, 59, 59),
  )
})
