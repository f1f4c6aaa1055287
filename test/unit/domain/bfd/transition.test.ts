import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BfdState } from '../../../../src/domain/bfd/packet.ts'
import { onReceived, onSilence } from '../../../../src/domain/bfd/transition.ts'

/** Rows: the local state; columns: what is received. A number is the diagnostic of a change. */
const TABLE: Readonly<
  Record<'Down' | 'Init' | 'Up', Readonly<Record<BfdState, readonly [BfdState, number?]>>>
> = {
  Down: { AdminDown: ['Down'], Down: ['Init'], Init: ['Up'], Up: ['Down'] },
  Init: { AdminDown: ['Down', 3], Down: ['Init'], Init: ['Up'], Up: ['Up'] },
  Up: { AdminDown: ['Down', 3], Down: ['Down', 3], Init: ['Up'], Up: ['Up'] },
}

test('the state machine is that of RFC 5880 section 6.8.6', () => {
  for (const [local, row] of Object.entries(TABLE) as [BfdState, (typeof TABLE)['Down']][])
    for (const [remote, [state, diagnostic]] of Object.entries(row) as [BfdState, [BfdState, number?]][]) {
      const next = onReceived(local, remote)
      assert.deepEqual([next.state, next.diagnostic], [state, diagnostic], `${local} receives ${remote}`)
    }
})

test('silence ends a session that was coming up or was up, and no other', () => {
  assert.deepEqual(onSilence('Up'), { state: 'Down', diagnostic: 1 })
  assert.deepEqual(onSilence('Init'), { state: 'Down', diagnostic: 1 })
  assert.deepEqual(onSilence('Down'), { state: 'Down' })
  assert.deepEqual(onSilence('AdminDown'), { state: 'AdminDown' })
})
