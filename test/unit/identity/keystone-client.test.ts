import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keystoneClient } from '../../../src/identity/keystone-client.ts'
import { inAnHour, startFakeKeystone, tokenEnding } from '../../support/fake-keystone.ts'
import { keepingLog } from '../../support/prober.ts'

const ACCOUNT = { username: 'octavia', password: 'service-secret', project: 'service', domain: 'Default' }
const UNAVAILABLE = { code: 'IDENTITY_UNAVAILABLE' }

test('each time that Keystone fails is logged once, and so is each time that it answers again', async (t) => {
  const keystone = await startFakeKeystone(t)
  keystone.tokens.set('good', tokenEnding('validate-nocatalog-200', inAnHour()))
  const log = keepingLog()
  const client = keystoneClient({ url: keystone.url, account: ACCOUNT, log })
  t.after(() => client.close())
  for (let n = 1; n <= 2; n++) {
    keystone.trouble = undefined
    for (let times = 0; times < 2; times++) {
      assert.equal((await client.validate('good'))?.identity.scope, 'project')
      assert.equal(await client.validate('unknown'), undefined, 'no is an answer')
    }
    assert.equal(log.lines.length, 2 * (n - 1))
    keystone.trouble = 500
    for (let times = 0; times < 2; times++) await assert.rejects(client.validate('good'), UNAVAILABLE)
    assert.equal(log.lines.length, 2 * n - 1)
  }
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ['warn', 'info', 'warn'],
  )
})

test('a status that is no clear yes or no is no answer, whatever its body; a token of another form is none', async (t) => {
  const keystone = await startFakeKeystone(t)
  keystone.tokens.set('good', tokenEnding('validate-nocatalog-200', inAnHour()))
  const client = keystoneClient({ url: keystone.url, account: ACCOUNT, log: keepingLog() })
  t.after(() => client.close())
  assert.notEqual(await client.validate('good'), undefined)
  for (const status of [201, 204, 302, 403, 429, 500, 503]) {
    keystone.trouble = status
    await assert.rejects(client.validate('good'), UNAVAILABLE, String(status))
  }
  for (const status of [400, 404]) {
    keystone.trouble = status
    assert.equal(await client.validate('good'), undefined, String(status))
  }
})
