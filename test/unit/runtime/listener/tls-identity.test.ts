import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parseConfig } from '../../../../src/runtime/config/config.ts'
import { StartRefusal } from '../../../../src/runtime/start-refusal.ts'
import { readTlsIdentity, shownIdentity } from '../../../../src/runtime/listener/tls-identity.ts'
import { selfSigned } from '../../../support/certificate.ts'

function filesOf(t: TestContext, cert: string, key: string) {
  const folder = mkdtempSync(join(tmpdir(), 'hm-tls-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const files = { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') }
  writeFileSync(files.certFile, cert)
  writeFileSync(files.keyFile, key)
  return files
}

test('a certificate is read with its chain; what may be logged of it has no key', (t) => {
  const first = selfSigned('api.example.org')
  const issuer = selfSigned('ca.example.org')
  const identity = readTlsIdentity(filesOf(t, first.cert + issuer.cert, first.key))
  assert.equal(identity.fingerprint, new X509Certificate(first.cert).fingerprint256)
  assert.deepEqual(shownIdentity(identity), {
    subject: 'CN=api.example.org',
    fingerprint: identity.fingerprint,
    not_after: '2049-12-31T23:59:59.000Z',
  })
})

test('files that are no pair, no PEM or not there are refused with the setting and the path', (t) => {
  const [one, other] = [selfSigned('one'), selfSigned('other')]
  const refused = (files: { certFile: string; keyFile: string }, sentence: RegExp): void => {
    assert.throws(
      () => readTlsIdentity(files),
      (error) => {
        assert.ok(error instanceof StartRefusal)
        assert.match(error.message, sentence)
        return true
      },
    )
  }
  refused(filesOf(t, one.cert, other.key), /HM_TLS_KEY: \S+tls\.key is not the key of the certificate/)
  refused(filesOf(t, one.key, one.key), /HM_TLS_CERT: \S+tls\.crt has no certificate/)
  refused(filesOf(t, one.cert, one.cert), /HM_TLS_KEY: \S+tls\.key has no private key/)
  const files = filesOf(t, one.cert, one.key)
  refused({ ...files, keyFile: `${files.keyFile}.none` }, /HM_TLS_KEY: \S+ cannot be read: ENOENT/)
})

test('each of the two settings needs the other', () => {
  assert.throws(() => parseConfig({ HM_TLS_CERT: '/etc/tls.crt' }), /HM_TLS_CERT needs HM_TLS_KEY/)
  assert.throws(() => parseConfig({ HM_TLS_KEY: '/etc/tls.key' }), /HM_TLS_KEY needs HM_TLS_CERT/)
})
