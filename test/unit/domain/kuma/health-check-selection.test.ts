/**
 * Which HealthCheck applies (docs/peers/kuma.md 20 to 23). The vectors were made by calling the selection of Kuma 1.1.6
 * itself with random objects: test/vectors/kuma-v1-selection.json.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  defaultHealthCheck,
  selectHealthCheck,
  tagSetsOf,
} from '../../../../src/domain/kuma/health-check-selection.ts'
import type { HealthCheck, Tags } from '../../../../src/domain/kuma/objects.ts'
import { healthCheck } from './objects.ts'

interface Case {
  readonly inbounds: readonly Tags[] | null
  readonly gateway?: Tags
  readonly outbound_services: readonly string[]
  readonly policies: readonly {
    readonly name: string
    readonly created_at: number
    readonly sources: readonly Tags[]
    readonly destinations: readonly Tags[]
  }[]
  readonly want: Readonly<Record<string, string>>
}

const { cases } = JSON.parse(readFileSync('test/vectors/kuma-v1-selection.json', 'utf8')) as {
  readonly cases: readonly Case[]
}

function policiesOf({ policies }: Case): readonly HealthCheck[] {
  return policies.map(({ name, created_at, sources, destinations }) =>
    healthCheck(name, ['', ''], {
      sources,
      destinations,
      createdAt: new Date(created_at * 1000).toISOString(),
    }),
  )
}

function tagSets({ inbounds, gateway }: Case): readonly Tags[] {
  const all = (inbounds ?? []).map((tags) => ({ port: 1, tags }))
  return tagSetsOf({ inbounds: all, ...(gateway === undefined ? {} : { gateway: { tags: gateway } }) })
}

test('each vector of the original selects the same policy for each service', () => {
  assert.ok(cases.length >= 36)
  for (const [i, each] of cases.entries()) {
    const selected = each.outbound_services.map((service) => [
      service,
      selectHealthCheck(policiesOf(each), tagSets(each), service)?.name ?? '',
    ])
    assert.deepEqual(Object.fromEntries(selected), each.want, `case ${i}`)
  }
})

const VALUES = ['*', 'web', 'backend', 'db']
const selector = fc.record(
  { 'kuma.io/service': fc.constantFrom(...VALUES), region: fc.constantFrom('*', 'eu', 'us') },
  { requiredKeys: ['kuma.io/service'] },
) as fc.Arbitrary<Tags>
const tags = fc.record(
  { 'kuma.io/service': fc.constantFrom('web', 'backend', 'db'), region: fc.constantFrom('eu', 'us') },
  { requiredKeys: ['kuma.io/service'] },
) as fc.Arbitrary<Tags>
const policies = fc
  .array(
    fc.record({
      sources: fc.array(selector, { minLength: 1, maxLength: 3 }),
      destinations: fc.array(
        fc.constantFrom(...VALUES).map((service) => ({ 'kuma.io/service': service })),
        { minLength: 1, maxLength: 2 },
      ),
      second: fc.integer({ min: 0, max: 2 }),
    }),
    { maxLength: 6 },
  )
  .map((drafts) =>
    drafts.map(({ sources, destinations, second }, i) =>
      healthCheck(`p${i}`, ['', ''], {
        sources,
        destinations,
        createdAt: `2026-11-30T00:00:0${second}.000000Z`,
      }),
    ),
  )

test('the choice does not depend on the order in which policies are stored', () => {
  fc.assert(
    fc.property(policies, fc.array(tags, { maxLength: 3 }), fc.nat(), (stored, sets, seed) => {
      const shuffled = stored.toSorted((a, b) => hash(a.name, seed) - hash(b.name, seed))
      for (const service of ['web', 'backend', 'db']) {
        assert.equal(
          selectHealthCheck(stored, sets, service)?.name,
          selectHealthCheck(shuffled, sets, service)?.name,
        )
        assert.equal(defaultHealthCheck(stored, service)?.name, defaultHealthCheck(shuffled, service)?.name)
      }
    }),
  )
})

test('one more policy that matches nothing changes nothing', () => {
  const stranger = healthCheck('a', ['nobody', 'nothing'], { createdAt: '2027-01-01T00:00:00.000000Z' })
  fc.assert(
    fc.property(policies, fc.array(tags, { maxLength: 3 }), (stored, sets) => {
      for (const service of ['web', 'backend']) {
        const before = selectHealthCheck(stored, sets, service)
        assert.equal(selectHealthCheck([...stored, stranger], sets, service), before)
      }
    }),
  )
})

test('by default the best destination decides, then sources that are everybody, then the last one that was made', () => {
  const anywhere = healthCheck('anywhere', ['*', '*'], { createdAt: '2027-01-01T00:00:00.000000Z' })
  const web = healthCheck('web', ['web', 'backend'], { createdAt: '2026-12-02T00:00:00.000000Z' })
  const all = healthCheck('all', ['*', 'backend'])
  assert.equal(defaultHealthCheck([anywhere, web], 'backend')?.name, 'web')
  assert.equal(defaultHealthCheck([anywhere, web, all], 'backend')?.name, 'all')
  assert.equal(defaultHealthCheck([anywhere, web, all], 'db')?.name, 'anywhere')
  const later = healthCheck('later', ['*', 'backend'], { createdAt: '2026-12-01T00:00:00.000000Z' })
  assert.equal(defaultHealthCheck([all, later], 'backend')?.name, 'later')
  assert.equal(defaultHealthCheck([all], 'db'), undefined)
})

function hash(text: string, seed: number): number {
  let value = seed
  for (const character of text) value = (value * 31 + character.charCodeAt(0)) % 1009
  return value
}
