import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { parseTree } from '../../../../src/api/dialect/octavia/tree-body.ts'
import { octaviaTree } from '../../../../src/api/dialect/octavia/load-balancer-tree.ts'
import { parseCidr } from '../../../../src/domain/address/ip-address.ts'
import { vipRangeOf } from '../../../../src/domain/address/vip-range.ts'

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

test('the members of one create are read in slices, whichever pool they are in', async () => {
  const MEMBERS = 4000
  for (const place of ['pools', 'listeners'] as const) {
    let round = 0
    let isOver = false
    const count = (): void => {
      round++
      if (!isOver) setImmediate(count)
    }
    setImmediate(count)
    const readIn = new Map<number, Set<number>>()
    const members = Array.from({ length: MEMBERS }, (_, i) => ({
      get address() {
        readIn.set(round, (readIn.get(round) ?? new Set()).add(i))
        return '127.0.0.1'
      },
      protocol_port: 1 + i,
    }))
    const pool = { protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', members }
    const loadbalancer =
      place === 'pools'
        ? { pools: [{ ...pool, name: 'p' }] }
        : { listeners: [{ protocol: 'HTTP', protocol_port: 80, default_pool: { ...pool, name: 'p' } }] }
    const tree = await parseTree({ loadbalancer: { vip_subnet_id: SUBNET, ...loadbalancer } }, 'project')
    isOver = true
    const read = place === 'pools' ? tree.pools?.[0]?.members : tree.listeners?.[0]?.default_pool?.members
    assert.equal(read?.length, MEMBERS)
    const most = Math.max(...[...readIn.values()].map((some) => some.size))
    assert.ok(most < MEMBERS / 2, `${place}: ${most} of ${MEMBERS} in one round of the event loop`)
  }
})

const SUBNET = randomUUID()
