import assert from 'node:assert/strict'
import { lookup } from 'node:dns/promises'
import { hostname } from 'node:os'
import { test } from 'node:test'
import { targetPolicyOf } from '../../../src/bin/process/target-policy.ts'
import { parseConfig } from '../../../src/runtime/config/config.ts'

const CONFIG = parseConfig({ HM_LISTEN: '127.0.0.1:4321', HM_METRICS_LISTEN: '[::1]:4322' })

test('our own listeners are never probed, PostgreSQL on every address of the name in its URL', async () => {
  for (const name of ['localhost', hostname()]) {
    const policy = await targetPolicyOf(CONFIG, `postgresql://someone:secret@${name}/db`)
    const own: readonly (readonly [string, number])[] = [
      ['127.0.0.1', 4321],
      ['::1', 4322],
      ...(await lookup(name, { all: true })).map(({ address }) => [address, 5432] as const),
    ]
    for (const [address, port] of own) {
      assert.equal(policy(address, port), 'a listener of this service is never probed', `${address} ${port}`)
      assert.equal(policy(address, port + 10), undefined)
    }
  }
})

test('a PostgreSQL whose name cannot be resolved, or that has none, leaves the rest of the policy as it is', async () => {
  // Too long for a label: no look-up is made.
  for (const url of [`postgresql://${'x'.repeat(64)}.invalid:5433/x`, 'postgresql:///x', undefined]) {
    const policy = await targetPolicyOf(CONFIG, url)
    assert.notEqual(policy('127.0.0.1', 4321), undefined)
    assert.equal(policy('127.0.0.1', 5433), undefined)
  }
})
