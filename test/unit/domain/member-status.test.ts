import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type MemberFacts, memberState, operatingStatus } from '../../../src/domain/member-status.ts'

const PROBED: MemberFacts = {
  hasMonitor: true,
  monitorUp: true,
  loadBalancerUp: true,
  poolUp: true,
  memberUp: true,
  provider: 'vlb',
}

describe('member status', () => {
  it('is the last verdict of a probed member, with its reason', () => {
    const facts = { ...PROBED, verdict: { status: 'OFFLINE', reason: 'CONNECT_REFUSED' } as const }
    assert.deepEqual(memberState(facts), { state: 'OFFLINE', reason: 'CONNECT_REFUSED' })
  })

  it('is UNKNOWN, shown as OFFLINE, until the first verdict', () => {
    assert.deepEqual(memberState(PROBED), { state: 'UNKNOWN', reason: 'NOT_YET_PROBED' })
    assert.equal(operatingStatus('UNKNOWN'), 'OFFLINE')
  })

  it('is NO_MONITOR without a monitor and with one that is switched off, whatever else holds', () => {
    const verdict = { status: 'ONLINE', reason: 'PASSED' } as const
    assert.equal(memberState({ ...PROBED, verdict, hasMonitor: false, memberUp: false }).state, 'NO_MONITOR')
    assert.deepEqual(memberState({ ...PROBED, verdict, monitorUp: false }), {
      state: 'NO_MONITOR',
      reason: 'MONITOR_DISABLED',
    })
  })

  it('is DISABLED when the member or one of its parents is switched off, and names which', () => {
    assert.equal(memberState({ ...PROBED, memberUp: false }).reason, 'MEMBER_DISABLED')
    assert.equal(memberState({ ...PROBED, poolUp: false, memberUp: false }).reason, 'POOL_DISABLED')
    assert.deepEqual(memberState({ ...PROBED, loadBalancerUp: false }), {
      state: 'DISABLED',
      reason: 'LOAD_BALANCER_DISABLED',
    })
    assert.equal(operatingStatus('DISABLED'), 'OFFLINE')
  })

  it('is never a verdict for a provider that is not probed', () => {
    const verdict = { status: 'ONLINE', reason: 'PASSED' } as const
    assert.equal(memberState({ ...PROBED, verdict, provider: 'noop_driver' }).state, 'UNKNOWN')
  })
})
