import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  isPassing,
  listenerStatus,
  loadBalancerStatus,
  memberWord,
  type MemberWordFacts,
  type PoolFacts,
  poolStatus,
} from '../../../../src/domain/status/roll-up.ts'

const PASSING: MemberWordFacts = { state: 'ONLINE', memberUp: true, weight: 1, provider: 'octavia' }
const ONE_PASSING: PoolFacts = {
  provider: 'octavia',
  loadBalancerUp: true,
  poolUp: true,
  listened: true,
  monitored: true,
  hasMembers: true,
  hasWeight: true,
  hasPassing: true,
  hasFailing: false,
}

describe('a member in words of Octavia', () => {
  it('is ONLINE when its check passes, ERROR when it fails, OFFLINE before the first verdict', () => {
    assert.equal(memberWord(PASSING), 'ONLINE')
    assert.equal(memberWord({ ...PASSING, state: 'OFFLINE' }), 'ERROR')
    assert.equal(memberWord({ ...PASSING, state: 'UNKNOWN' }), 'OFFLINE')
  })

  it('is DRAINING with weight 0 only while its check passes', () => {
    assert.equal(memberWord({ ...PASSING, weight: 0 }), 'DRAINING')
    assert.equal(memberWord({ ...PASSING, weight: 0, state: 'OFFLINE' }), 'ERROR')
    assert.equal(memberWord({ ...PASSING, weight: 0, state: 'NO_MONITOR' }), 'NO_MONITOR')
  })

  it('is OFFLINE when it is switched off, with a monitor or without', () => {
    assert.equal(memberWord({ ...PASSING, memberUp: false, state: 'DISABLED' }), 'OFFLINE')
    assert.equal(memberWord({ ...PASSING, memberUp: false, state: 'NO_MONITOR' }), 'OFFLINE')
  })

  it('keeps NO_MONITOR where no probe reports, even switched off', () => {
    const silent = { ...PASSING, provider: 'noop_driver', memberUp: false, state: 'NO_MONITOR' } as const
    assert.equal(memberWord(silent), 'NO_MONITOR')
  })
})

describe('a pool', () => {
  it('is ONLINE with passing members, DEGRADED when some fail, ERROR when every usable one fails', () => {
    assert.equal(poolStatus(ONE_PASSING), 'ONLINE')
    assert.equal(poolStatus({ ...ONE_PASSING, hasFailing: true }), 'DEGRADED')
    assert.equal(poolStatus({ ...ONE_PASSING, hasPassing: false, hasFailing: true }), 'ERROR')
  })

  it('is ERROR when no member is left: all switched off, all without weight, with a monitor or without', () => {
    const nobody = { ...ONE_PASSING, hasWeight: false, hasPassing: false }
    assert.equal(poolStatus(nobody), 'ERROR')
    assert.equal(poolStatus({ ...nobody, monitored: false }), 'ERROR')
  })

  it('is ONLINE without a monitor', () => {
    assert.equal(poolStatus({ ...ONE_PASSING, monitored: false, hasPassing: false }), 'ONLINE')
  })

  it('is ONLINE without members', () => {
    assert.equal(
      poolStatus({ ...ONE_PASSING, hasMembers: false, hasWeight: false, hasPassing: false }),
      'ONLINE',
    )
  })

  it('is OFFLINE until one of its members has a verdict, and judged by those that have one', () => {
    const unjudged = { ...ONE_PASSING, hasPassing: false }
    assert.equal(poolStatus(unjudged), 'OFFLINE')
    assert.equal(poolStatus({ ...unjudged, hasPassing: true }), 'ONLINE')
    assert.equal(poolStatus({ ...unjudged, hasFailing: true }), 'ERROR')
  })

  it('is OFFLINE on no listener that is switched on, and when it or its load balancer is switched off', () => {
    assert.equal(poolStatus({ ...ONE_PASSING, listened: false }), 'OFFLINE')
    assert.equal(poolStatus({ ...ONE_PASSING, poolUp: false }), 'OFFLINE')
    assert.equal(poolStatus({ ...ONE_PASSING, loadBalancerUp: false }), 'OFFLINE')
  })

  it('is OFFLINE, as its listeners and load balancer, where no probe reports', () => {
    const provider = 'noop_driver'
    assert.equal(poolStatus({ ...ONE_PASSING, provider }), 'OFFLINE')
    assert.equal(listenerStatus({ provider, loadBalancerUp: true, listenerUp: true }), 'OFFLINE')
    assert.equal(loadBalancerStatus({ provider, loadBalancerUp: true, pools: ['ONLINE'] }), 'OFFLINE')
  })
})

describe('listeners and load balancers', () => {
  it('a listener is ONLINE unless it or its load balancer is switched off', () => {
    const up = { provider: 'octavia', loadBalancerUp: true, listenerUp: true }
    assert.equal(listenerStatus(up), 'ONLINE')
    assert.equal(listenerStatus({ ...up, listenerUp: false }), 'OFFLINE')
    assert.equal(listenerStatus({ ...up, loadBalancerUp: false }), 'OFFLINE')
  })

  it('a load balancer is as bad as its worst pool, and ERROR is worse than DEGRADED', () => {
    const up = { provider: 'octavia', loadBalancerUp: true }
    assert.equal(loadBalancerStatus({ ...up, pools: [] }), 'ONLINE')
    assert.equal(loadBalancerStatus({ ...up, pools: ['OFFLINE', 'ONLINE'] }), 'ONLINE')
    assert.equal(loadBalancerStatus({ ...up, pools: ['ONLINE', 'DEGRADED'] }), 'DEGRADED')
    assert.equal(loadBalancerStatus({ ...up, pools: ['ERROR', 'DEGRADED'] }), 'ERROR')
  })

  it('a load balancer that is switched off is OFFLINE', () => {
    const off = { provider: 'octavia', loadBalancerUp: false }
    assert.equal(loadBalancerStatus({ ...off, pools: ['ERROR'] }), 'OFFLINE')
  })
})

describe('a member that is switched on', () => {
  it('takes traffic with a weight, when its check passes or nobody checks it', () => {
    const passing = (['ONLINE', 'NO_MONITOR', 'OFFLINE', 'UNKNOWN', 'DISABLED'] as const).map((state) => [
      isPassing({ state, weight: 1 }),
      isPassing({ state, weight: 0 }),
    ])
    const [yes, no] = [
      [true, false],
      [false, false],
    ]
    assert.deepEqual(passing, [yes, yes, no, no, no])
  })
})
