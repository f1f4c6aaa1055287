import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { TLS_FILES_CACHE_MS } from '../../../../src/domain/limits.ts'
import { TlsContexts } from '../../../../src/probe/tls/tls-contexts.ts'
import { selfSigned } from '../../../support/certificate.ts'
import { folderOfTest } from '../../../support/folders.ts'

const contexts = new TlsContexts()

test('a TLS file that could not be read when no descriptor is free is read again, though it is the same file', () => {
  const caFile = join(folderOfTest(), 'ca.pem')
  writeFileSync(caFile, selfSigned('ca').cert)
  const settings = { caFile, verify: true }
  const outOfDescriptors = (): never => {
    throw Object.assign(new Error('EMFILE: too many open files, open'), { code: 'EMFILE' })
  }
  assert.equal(contexts.of(settings, outOfDescriptors, 0), 'TLS file ca.pem: EMFILE')
  assert.equal(typeof contexts.of(settings, readFileSync, TLS_FILES_CACHE_MS - 1), 'string')
  const context = contexts.of(settings, readFileSync, TLS_FILES_CACHE_MS)
  assert.equal(typeof context, 'object')
  assert.equal(
    contexts.of(settings, outOfDescriptors, 3 * TLS_FILES_CACHE_MS),
    context,
    'unchanged: not read again',
  )
})

test('a context of files is kept while a check is probed with it, however many others there are', () => {
  const caFile = join(folderOfTest(), 'ca.pem')
  writeFileSync(caFile, selfSigned('ca').cert)
  let reads = 0
  const counted = (file: string): Buffer => {
    reads++
    return readFileSync(file)
  }
  const bystander = { caFile, verify: true }
  const context = contexts.of(bystander, counted, 1)
  const attackers = Array.from({ length: 300 }, (_, i) => ({
    caFile,
    verify: true,
    ciphers: `ECDHE-RSA-AES128-GCM-SHA256:x${i}`,
  }))
  for (const attacker of attackers) assert.equal(typeof contexts.of(attacker, counted, 1), 'object')
  reads = 0
  assert.equal(contexts.of(bystander, counted, 2), context)
  assert.equal(contexts.of({ ...bystander }, counted, 2), context, 'and shared by who names the same')
  for (const attacker of attackers) contexts.of(attacker, counted, 2)
  assert.equal(reads, 0)
})
