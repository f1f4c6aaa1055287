import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  countFailures,
  isMassFailure,
  networkOf,
  type Observation,
} from '../../../../src/domain/result/mass-failure.ts'

/** `count` targets, each in a pool and a network of its own. */
function unrelated(count: number, failing: number): Observation[] {
  return Array.from({ length: count }, (_, i) => ({
    poolId: `pool-${i}`,
    network: `10.0.${i}`,
    isFailing: i < failing,
  }))
}

const isMass = (observations: Iterable<Observation>) => isMassFailure(countFailures(observations))

test('more than half of eight pools in eight networks is a mass failure; half, or fewer of either, is none', () => {
  assert.equal(isMass(unrelated(8, 5)), true)
  assert.equal(isMass(unrelated(8, 4)), false)
  assert.equal(isMass(unrelated(7, 7)), false)
  assert.equal(isMass(unrelated(8, 8).map((each) => ({ ...each, poolId: 'one pool' }))), false)
  assert.equal(isMass(unrelated(8, 8).map((each) => ({ ...each, network: 'one network' }))), false)
})

test('however large, one pool or one network that fails is trouble of its own', () => {
  const large = Array.from({ length: 1000 }, (_, i) => ({
    poolId: 'large',
    network: '10.9.9',
    isFailing: i >= 0,
  }))
  assert.equal(isMass([...unrelated(10, 0), ...large]), false)
  const everywhere = unrelated(30, 30).map((each) => ({ ...each, poolId: 'large' }))
  const others = unrelated(9, 0).map(({ poolId, isFailing }, i) => ({
    poolId,
    isFailing,
    network: `10.1.${i}`,
  }))
  assert.equal(isMass([...everywhere, ...others]), false)
})

test('however large, one network that still answers does not hide that all others fail', () => {
  const near = Array.from({ length: 1000 }, () => ({ poolId: 'near', network: '10.9.9', isFailing: false }))
  assert.equal(isMass([...near, ...unrelated(10, 10)]), true)
})

test('a network is a /24 of IPv4 and a /64 of IPv6, in any spelling', () => {
  assert.equal(networkOf('10.1.2.3'), networkOf('10.1.2.255'))
  assert.notEqual(networkOf('10.1.2.3'), networkOf('10.1.3.3'))
  assert.equal(networkOf('fd00::1'), networkOf('fd00:0:0:0:ffff::2'))
  assert.notEqual(networkOf('fd00::1'), networkOf('fd00:0:0:1::1'))
})
