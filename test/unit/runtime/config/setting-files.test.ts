import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { SETTING_FILE_MAX_BYTES } from '../../../../src/domain/limits.ts'
import { parseConfig } from '../../../../src/runtime/config/config.ts'
import { renderConfigTable } from '../../../../src/runtime/config/config-reference.ts'
import type { Variable } from '../../../../src/runtime/config/variable.ts'
import { VARIABLES } from '../../../../src/runtime/config/variables.ts'

/** A function that writes a file into a folder of the test and answers its path. */
function files(t: TestContext): (name: string, text: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'hm-setting-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return (name, text) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }
}

test('secrets and the log level are read from files, without the line breaks at their end', (t) => {
  const file = files(t)
  const config = parseConfig({
    DATABASE_URL_FILE: file('url', 'postgresql://hm:secret@db.example.org/hm\n'),
    HM_AUTH: 'keystone',
    HM_KEYSTONE_URL: 'http://127.0.0.1:5000/v3',
    HM_KEYSTONE_USERNAME: 'hm',
    HM_KEYSTONE_PROJECT: 'service',
    HM_KEYSTONE_PASSWORD_FILE: file('password', ' with spaces \r\n'),
    HM_LOG_LEVEL_FILE: file('level', 'debug\n'),
  })
  assert.equal(config.databaseUrl, 'postgresql://hm:secret@db.example.org/hm')
  assert.equal(config.keystone?.password, ' with spaces ')
  assert.equal(config.logLevel, 'debug')
  assert.ok(!JSON.stringify(config).includes('secret'))
})

test('every problem with files is reported together, and none says what is in a file', (t) => {
  const file = files(t)
  const environment = {
    DATABASE_URL: 'postgresql://db.example.org/hm',
    DATABASE_URL_FILE: file('url', 'postgresql://hm:topsecret@db.example.org/hm'),
    HM_KEYSTONE_PASSWORD_FILE: join(file('x', ''), 'none'),
    HM_LOG_LEVEL_FILE: file('level', 'topsecret'),
    HM_LISTEN_FILE: file('listen', '127.0.0.1:1'),
  }
  assert.throws(
    () => parseConfig(environment),
    ({ message }: Error) => {
      for (const part of [
        'DATABASE_URL and DATABASE_URL_FILE are both set',
        'HM_KEYSTONE_PASSWORD_FILE: ',
        'cannot be read: ENOTDIR',
        'HM_LOG_LEVEL must be one of',
        'HM_LISTEN_FILE is not a setting of this service',
      ])
        assert.ok(message.includes(part), `${part} is missing in ${message}`)
      assert.ok(!message.includes('topsecret'), message)
      return true
    },
  )
})

test('an empty file and one that is too large are no values', (t) => {
  const file = files(t)
  assert.throws(() => parseConfig({ HM_KEYSTONE_PASSWORD_FILE: file('empty', '\n') }), /empty is empty/)
  const large = file('large', 'x'.repeat(SETTING_FILE_MAX_BYTES + 1))
  assert.throws(() => parseConfig({ HM_KEYSTONE_PASSWORD_FILE: large }), /has more than 65536 bytes/)
  assert.throws(() => parseConfig({ HM_KEYSTONE_PASSWORD_FILE: '/dev/zero' }), /has more than 65536 bytes/)
})

test('each secret names its file in the list of settings', () => {
  const list = renderConfigTable()
  const secrets = Object.entries<Variable>(VARIABLES).filter(([, { secret }]) => secret !== undefined)
  assert.ok(secrets.length >= 2)
  for (const [name] of secrets) assert.match(list, new RegExp(`Or\\s+\`${name}_FILE\``))
})
