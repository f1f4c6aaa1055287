import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { octaviaTree } from '../../../src/api/dialect/octavia/load-balancer-tree.ts'
import { parseCidr } from '../../../src/domain/ip-address.ts'
import { vipRangeOf } from '../../../src/domain/vip-range.ts'

test('of the pools of one create at most one is worked out in one round of the event loop', async () => {
  const POOLS = 20
  let round = 0
  let isOver = false
  const count = (): void => {
    round++
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  const patternsIn = new Map<number, Set<string>>()
  const settings = {
    vipRange: vipRangeOf(parseCidr('192.0.2.0/24')),
    allowPing: true,
    udpMinDelaySeconds: 3,
    patternProblem: (source: string) => {
      patternsIn.set(round, (patternsIn.get(round) ?? new Set()).add(source))
      return undefined
    },
  }
  const pools = Array.from({ length: POOLS }, (_, i) => ({
    name: `pool ${i}`,
    protocol: 'HTTP' as const,
    lb_algorithm: 'ROUND_ROBIN' as const,
    healthmonitor: {
      type: 'HTTP' as const,
      delay: 5,
      timeout: 5,
      max_retries: 3,
      options: { http: { expected_body_regex: `ok ${i}` } },
    },
  }))
  const tree = await octaviaTree(
    settings,
    { pools },
    {
      id: randomUUID(),
      projectId: 'project-a',
      name: '',
      description: '',
      adminStateUp: true,
      provider: 'amphora',
      vipSubnetId: null,
      vipAddress: null,
      vipPortId: randomUUID(),
      tags: [],
      echo: {},
    },
  )
  isOver = true
  assert.equal(tree.monitors.length, POOLS)
  assert.deepEqual(
    [...patternsIn.values()].map((patterns) => patterns.size),
    Array.from({ length: POOLS }, () => 1),
  )
})
