import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { TLS_FILES_CACHE_MS } from '../../../src/domain/limits.ts'
import { secureContextOf } from '../../../src/probe/tls.ts'
import { selfSigned } from '../../support/certificate.ts'
import { folderOfTest } from '../../support/folders.ts'

test('a TLS file that could not be read for want of a descriptor is read again, though it is the same file', () => {
  const caFile = join(folderOfTest(), 'ca.pem')
  writeFileSync(caFile, selfSigned('ca').cert)
  const outOfDescriptors = (): never => {
    throw Object.assign(new Error('EMFILE: too many open files, open'), { code: 'EMFILE' })
  }
  assert.equal(secureContextOf({ caFile, verify: true }, outOfDescriptors, 0), 'TLS file ca.pem: EMFILE')
  assert.equal(
    typeof secureContextOf({ caFile, verify: true }, readFileSync, TLS_FILES_CACHE_MS - 1),
    'string',
  )
  const context = secureContextOf({ caFile, verify: true }, readFileSync, TLS_FILES_CACHE_MS)
  assert.equal(typeof context, 'object')
  assert.equal(
    secureContextOf({ caFile, verify: true }, outOfDescriptors, 3 * TLS_FILES_CACHE_MS),
    context,
    'unchanged: not read again',
  )
})
