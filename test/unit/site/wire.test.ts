/** What travels between a site and the relay: it is the same at the other end, and nothing else is taken. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CheckConfig, PlannedCheck } from '../../../src/domain/prober/check.ts'
import { correctionOf, headersOf, headOf, withClockOff } from '../../../src/site/wire/heads.ts'
import { pack, unpack } from '../../../src/site/wire/packed.ts'
import { idOf, isResult } from '../../../src/site/wire/results.ts'
import { fromWire, partsOf, type SnapshotPool, toWire } from '../../../src/site/wire/snapshot.ts'
import { aVerdict } from '../../support/verdicts.ts'

const POLICY = { rise: 2, fall: 3 } as unknown as CheckConfig['policy']
const HTTP = { method: 'GET', path: '/', body: new Uint8Array([0, 1, 255]) }

function check(memberId: string): PlannedCheck {
  const target = { type: 'HTTP', address: '192.0.2.1', family: 4, port: 80, timeoutMs: 1000, http: HTTP }
  const config = {
    memberId,
    poolId: 'pool',
    projectId: 'project',
    shard: 3,
    generation: 2,
    publishedFrom: 1,
    target,
    policy: POLICY,
  }
  return { config: config as unknown as CheckConfig }
}

const pool = (poolId: string, members: number): SnapshotPool => ({
  poolId,
  shard: 3,
  configVersion: 7,
  projectId: 'project',
  members,
  checks: Array.from({ length: members }, (_, i) => check(`${poolId}-${i}`)),
})

test('pools are the same after their way, and checks of a monitor share its settings again', async () => {
  const pools = [pool('a', 3), pool('b', 0)]
  const there = fromWire(await unpack(await pack(toWire(pools))))
  assert.deepEqual(there, pools)
  const [first, second] = there[0]?.checks ?? []
  assert.equal(first?.config.policy, second?.config.policy)
  assert.equal(first?.config.target.http, second?.config.target.http)
})

test('parts have at most so many checks, in their order, and every pool is in one', () => {
  const pools = [pool('a', 5), pool('b', 0), pool('c', 2)]
  const parts = partsOf(pools, 2)
  for (const part of parts)
    assert.ok(part.reduce((sum, { checks }) => sum + Math.max(1, checks.length), 0) <= 2)
  for (const { poolId, checks } of pools) {
    const found = parts.flat().filter((part) => part.poolId === poolId)
    assert.ok(found.length > 0)
    assert.deepEqual(
      found.flatMap((part) => part.checks),
      checks,
    )
  }
  assert.deepEqual(partsOf([]), [[]])
})

test('what unpacks to more than a message may have is refused', async () => {
  const { deflateRawSync } = await import('node:zlib')
  await assert.rejects(unpack(deflateRawSync(Buffer.alloc(70 * 1024 * 1024))))
  await assert.rejects(unpack(new Uint8Array([1, 2, 3])))
})

test('results of another shape are none', async () => {
  const verdicts = { kind: 'verdicts', owner: 'a', rows: [aVerdict('m', 1, 1)] }
  assert.ok(isResult(verdicts) && isResult({ kind: 'claim', owner: 'a', shard: 1, epoch: 2 }))
  for (const other of [
    undefined,
    {},
    { ...verdicts, kind: 'other' },
    { ...verdicts, rows: {} },
    { ...verdicts, rows: [{ memberId: 'm' }] },
    { ...verdicts, rows: [{ ...verdicts.rows[0], transitions: [null] }] },
    { kind: 'claim', owner: 'a', shard: '1', epoch: 2 },
    { kind: 'release', owner: 'a', shard: 1, epoch: -1 },
  ])
    assert.equal(isResult(other), false)
})

test('one message sent twice has one id, and another one of the same rows has another', async () => {
  const bytes = await pack({ a: 1 })
  assert.equal(idOf(bytes, 1, 2), idOf(await pack({ a: 1 }), 1, 2))
  assert.notEqual(idOf(bytes, 1, 2), idOf(await pack({ a: 2 }), 1, 2))
})

test('headers are read as they were written, and a small difference of clocks is none', () => {
  const head = { digest: '3 -17', sending: 'x', parts: 2, through: 9 }
  assert.deepEqual(headOf(headersOf(head)), head)
  assert.equal(headOf(undefined), undefined)
  assert.equal(correctionOf(withClockOff(1999), 2000), 0)
  assert.equal(correctionOf(withClockOff(-90_000.4), 2000), -90_000)
  assert.equal(correctionOf(undefined, 2000), 0)
})
