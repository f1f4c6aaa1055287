import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type StatusFacts,
  memberStatus,
  operatingStatus,
} from '../../../../src/domain/status/member-status.ts'

const PROBED: StatusFacts = {
  hasMonitor: true,
  monitorUp: true,
  loadBalancerUp: true,
  poolUp: true,
  memberUp: true,
  provider: 'vlb',
  monitorIsNewest: false,
  startsAs: null,
}

describe('member status', () => {
  it('is the last verdict of a probed member, with its reason', () => {
    const verdict = { status: 'OFFLINE', reason: 'CONNECT_REFUSED', isOld: false } as const
    const state = { state: 'OFFLINE', reason: 'CONNECT_REFUSED' }
    assert.deepEqual(memberStatus({ ...PROBED, verdict }), { ...state, pending: false })
    const old = { ...verdict, isOld: true }
    assert.deepEqual(memberStatus({ ...PROBED, verdict: old }), { ...state, pending: true })
  })

  it('is UNKNOWN, shown as OFFLINE, until the first verdict', () => {
    assert.deepEqual(memberStatus(PROBED), { state: 'UNKNOWN', reason: 'NOT_YET_PROBED', pending: true })
    assert.equal(operatingStatus('UNKNOWN'), 'OFFLINE')
  })

  it('stays NO_MONITOR below a new monitor until the first verdict, which alone ends it', () => {
    const facts = { ...PROBED, monitorIsNewest: true }
    assert.deepEqual(memberStatus(facts), { state: 'NO_MONITOR', reason: 'NOT_YET_PROBED', pending: true })
    const verdict = { status: 'OFFLINE', reason: 'CONNECT_REFUSED', isOld: false } as const
    assert.equal(memberStatus({ ...facts, verdict }).state, 'OFFLINE')
  })

  it('begins as the monitor chose, whichever of the two was there first', () => {
    for (const monitorIsNewest of [true, false]) {
      assert.equal(memberStatus({ ...PROBED, monitorIsNewest, startsAs: 'ONLINE' }).state, 'ONLINE')
      assert.equal(memberStatus({ ...PROBED, monitorIsNewest, startsAs: 'OFFLINE' }).state, 'UNKNOWN')
    }
    const verdict = { status: 'OFFLINE', reason: 'CONNECT_REFUSED', isOld: true } as const
    assert.equal(memberStatus({ ...PROBED, verdict, startsAs: 'ONLINE' }).state, 'OFFLINE')
  })

  it('is NO_MONITOR without a monitor and with one that is switched off, whatever else holds', () => {
    const verdict = { status: 'ONLINE', reason: 'PASSED', isOld: false } as const
    assert.equal(memberStatus({ ...PROBED, verdict, hasMonitor: false, memberUp: false }).state, 'NO_MONITOR')
    assert.deepEqual(memberStatus({ ...PROBED, verdict, monitorUp: false }), {
      state: 'NO_MONITOR',
      reason: 'MONITOR_DISABLED',
      pending: false,
    })
  })

  it('is DISABLED when the member or one of its parents is switched off, and names which', () => {
    assert.equal(memberStatus({ ...PROBED, memberUp: false }).reason, 'MEMBER_DISABLED')
    assert.equal(memberStatus({ ...PROBED, poolUp: false, memberUp: false }).reason, 'POOL_DISABLED')
    assert.deepEqual(memberStatus({ ...PROBED, loadBalancerUp: false }), {
      state: 'DISABLED',
      reason: 'LOAD_BALANCER_DISABLED',
      pending: false,
    })
    assert.equal(operatingStatus('DISABLED'), 'OFFLINE')
  })

  it('is never a verdict for a provider that is not probed', () => {
    const verdict = { status: 'ONLINE', reason: 'PASSED', isOld: false } as const
    assert.equal(memberStatus({ ...PROBED, verdict, provider: 'noop_driver' }).state, 'UNKNOWN')
  })
})
