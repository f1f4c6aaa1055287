import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { withSourceAddress } from '../../../../src/domain/address/source-address.ts'
import type { ProbeTarget } from '../../../../src/domain/target/probe-target.ts'

const V4: ProbeTarget = { type: 'TCP', address: '127.0.0.1', family: 4, port: 80, timeoutMs: 1000 }
const member = (n: number) => `00000000-0000-4000-8000-00000000${n.toString(16).padStart(4, '0')}`

describe('source addresses', () => {
  it('are left to the kernel when none is configured for the family', () => {
    assert.equal(withSourceAddress(V4, member(1), []), V4)
    assert.equal(withSourceAddress(V4, member(1), ['::1']), V4)
  })

  it('stay the same for a check and spread over the checks', () => {
    const sources = ['127.0.0.2', '::1', '127.0.0.3']
    const chosen = (n: number) => withSourceAddress(V4, member(n), sources).sourceAddress
    assert.equal(chosen(7), chosen(7))
    assert.deepEqual(new Set([chosen(0), chosen(1)]), new Set(['127.0.0.2', '127.0.0.3']))
  })
})
