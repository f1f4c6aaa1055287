/** The presets of pools decide as the documents of AWS and Envoy say (docs/peers/pool-health.md 1 to 8). */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { PoolOptions } from '../../src/domain/pool-health/pool-options.ts'
import { trafficRule } from '../../src/domain/pool-health/traffic-rule.ts'
import { trafficOf } from '../../src/domain/pool-health/traffic.ts'

interface Vectors {
  readonly aws: readonly {
    readonly case: string
    readonly options: PoolOptions
    readonly targets: number
    readonly healthy: number
    readonly failover: boolean
  }[]
  readonly envoy: readonly {
    readonly table: number
    /** Per cent of the hosts of priorities 0 and 1; 100 hosts each. */
    readonly healthy: readonly [number, number]
    readonly panic: readonly [boolean, boolean]
    readonly has_traffic: readonly [boolean, boolean]
  }[]
}

const vectors = JSON.parse(readFileSync('test/vectors/pool-health.json', 'utf8')) as Vectors

const FAILED_OVER = { kind: 'fail_open', isTooFew: true, first: 'all' } as const
const ROUTED_TO_HEALTHY = { kind: 'healthy', isTooFew: false, first: 'passing' } as const

for (const { case: name, options, targets, healthy, failover } of vectors.aws) {
  test(`aws: ${name}`, () => {
    const counts = { switchedOn: true, able: targets, passing: healthy, ableBackup: 0, passingBackup: 0 }
    const { kind, isTooFew, first } = trafficOf(counts, trafficRule(options))
    assert.deepEqual({ kind, isTooFew, first }, failover ? FAILED_OVER : ROUTED_TO_HEALTHY)
  })
}

for (const { table, healthy, panic, has_traffic: hasTraffic } of vectors.envoy) {
  test(`envoy: table ${table}, ${healthy.join(' % and ')} % healthy`, () => {
    const counts = {
      switchedOn: true,
      able: 200,
      passing: healthy[0] + healthy[1],
      ableBackup: 100,
      passingBackup: healthy[1],
    }
    const { isTooFew, first, backups } = trafficOf(counts, trafficRule({ preset: 'envoy' }))
    const takers = (level: 0 | 1) => (hasTraffic[level] ? (panic[level] ? 'all' : 'passing') : 'none')
    assert.deepEqual({ first, backups }, { first: takers(0), backups: takers(1) })
    assert.equal(isTooFew, panic.includes(true))
  })
}

test('envoy: without priorities the panic threshold alone decides', () => {
  for (let healthy = 0; healthy <= 100; healthy++) {
    const counts = { switchedOn: true, able: 100, passing: healthy, ableBackup: 0, passingBackup: 0 }
    const { first } = trafficOf(counts, trafficRule({ preset: 'envoy' }))
    assert.equal(first, healthy < 50 ? 'all' : 'passing', `${healthy} %`)
  }
})

test('envoy: a level gets traffic as soon as some of it passes, and is in panic itself while it is below', () => {
  const counts = { switchedOn: true, able: 20, passing: 6, ableBackup: 10, passingBackup: 0 }
  const rule = trafficRule({ preset: 'envoy' })
  assert.deepEqual(trafficOf(counts, rule), {
    kind: 'healthy',
    isTooFew: false,
    first: 'passing',
    backups: 'none',
  })
  const better = { ...counts, passing: 7, passingBackup: 1 }
  assert.deepEqual(trafficOf(better, rule), {
    kind: 'fail_open',
    isTooFew: true,
    first: 'passing',
    backups: 'all',
  })
})

test('envoy: fail_traffic_on_panic sends nothing to a level in panic', () => {
  const counts = { switchedOn: true, able: 10, passing: 4, ableBackup: 0, passingBackup: 0 }
  const { kind, first } = trafficOf(counts, trafficRule({ preset: 'envoy', when_too_few: 'fail_closed' }))
  assert.deepEqual({ kind, first }, { kind: 'fail_closed', first: 'none' })
})

test('envoy: a threshold above what overprovisioning covers is never reached while the health is 100', () => {
  const counts = { switchedOn: true, able: 100, passing: 72, ableBackup: 0, passingBackup: 0 }
  const { kind } = trafficOf(counts, trafficRule({ preset: 'envoy', healthy_when: { percent: 90 } }))
  assert.equal(kind, 'healthy')
})
