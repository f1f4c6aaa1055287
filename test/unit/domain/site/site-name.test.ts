import assert from 'node:assert/strict'
import { it } from 'node:test'
import { SITE_NAME_MAX } from '../../../../src/domain/limits.ts'
import { isSiteName } from '../../../../src/domain/site/site-name.ts'

it('the name of a site is one label of DNS in small letters', () => {
  for (const name of ['local', 'a', '0', 'eu-west-1', 'a'.repeat(SITE_NAME_MAX)])
    assert.ok(isSiteName(name), name)
  for (const name of [
    '',
    '-',
    'a-',
    '-a',
    'Fra',
    'a.b',
    'a_b',
    'a b',
    "a'",
    'fra\n',
    'é',
    'a'.repeat(SITE_NAME_MAX + 1),
  ])
    assert.ok(!isSiteName(name), JSON.stringify(name))
})
