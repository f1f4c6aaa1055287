import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSuspect, type Witness } from '../../../../src/domain/site/witnesses.ts'

const sees = (online: number, offline: number, isMassFailing = false): Witness => ({
  site: 'other',
  online,
  offline,
  isMassFailing,
})
const FINE = sees(10, 0)
const FAILING = sees(0, 10)
const TROUBLED = sees(10, 0, true)

test('a site is the suspect when more than half of the others see most of the members ONLINE, without trouble of their own', () => {
  const table: readonly (readonly [readonly Witness[], boolean])[] = [
    [[], false],
    [[FINE], true],
    [[FAILING], false],
    [[TROUBLED], false],
    [[sees(5, 5)], false],
    [[sees(6, 5)], true],
    [[FINE, FINE], true],
    [[FINE, TROUBLED], false],
    [[FINE, FAILING], false],
    [[FINE, FINE, TROUBLED], true],
    [[FINE, FINE, TROUBLED, FAILING], false],
  ]
  for (const [witnesses, expected] of table)
    assert.equal(isSuspect(witnesses), expected, JSON.stringify(witnesses))
})

test('one more site that sees the failure too never makes a site the suspect', () => {
  const kinds = [FINE, FAILING, TROUBLED, sees(3, 3)]
  for (let n = 0; n < 4 ** 4; n++) {
    const witnesses = Array.from({ length: 4 }, (_, i) => kinds[Math.floor(n / 4 ** i) % 4] ?? FINE)
    if (isSuspect(witnesses)) continue
    assert.equal(isSuspect([...witnesses, FAILING]), false)
    assert.equal(isSuspect([...witnesses, TROUBLED]), false)
  }
})
