import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  SITE_LOOK_EVERY_MS,
  SITE_LOOK_IDLE_MS,
  SITE_LOOKS_MISSED_MAX,
} from '../../../../src/domain/limits.ts'
import { LostSites } from '../../../../src/schedule/upkeep/lost-sites.ts'
import { keepingLog } from '../../../support/prober.ts'

function watch({ votes = true, shards = [] as readonly (readonly number[])[] } = {}) {
  const calls: string[] = []
  const world = { nowMs: 1000, votes, shards: [...shards], fails: false, questions: 0 }
  const log = keepingLog()
  const sites = new LostSites<number>({
    log,
    now: () => world.nowMs,
    store: {
      hasVotes: () => {
        world.questions++
        return world.fails ? Promise.reject(new Error('away')) : Promise.resolve(world.votes)
      },
      mark: (isAfresh) => Promise.resolve(void calls.push(isAfresh ? 'mark afresh' : 'mark')),
      take: () => Promise.resolve(world.shards.shift() ?? []),
      recount: (shard) => Promise.resolve(void calls.push(`recount ${shard}`)),
    },
  })
  const look = async (afterMs: number): Promise<readonly string[]> => {
    world.nowMs += afterMs
    calls.length = 0
    await sites.look()
    return [...calls]
  }
  return { world, look, log, sites }
}

it('without sites that vote, one question is asked now and then, and nothing more', async () => {
  const { look, world } = watch({ votes: false })
  assert.deepEqual(await look(0), [])
  assert.equal(world.questions, 1)
  await look(SITE_LOOK_IDLE_MS - 1)
  assert.equal(world.questions, 1)
  world.votes = true
  assert.deepEqual(await look(1), ['mark afresh'])
  await look(SITE_LOOK_EVERY_MS)
  assert.equal(world.questions, 3)
})

it('the first look, and one after a pause of looks, begins afresh; others do not', async () => {
  const { look, world } = watch()
  assert.deepEqual(await look(0), ['mark afresh'])
  assert.deepEqual(await look(SITE_LOOK_EVERY_MS), ['mark'])
  assert.deepEqual(await look(SITE_LOOK_EVERY_MS * SITE_LOOKS_MISSED_MAX), ['mark'])
  assert.deepEqual(await look(SITE_LOOK_EVERY_MS * SITE_LOOKS_MISSED_MAX + 1), ['mark afresh'])
  world.fails = true
  assert.deepEqual(await look(SITE_LOOK_EVERY_MS), [])
  world.fails = false
  assert.deepEqual(await look(SITE_LOOK_EVERY_MS * SITE_LOOKS_MISSED_MAX), ['mark afresh'])
})

it('what is to be counted again is, shard by shard, until it is stopped', async () => {
  const { look, sites } = watch({ shards: [[3, 4], [5], [], [6]] })
  assert.deepEqual(await look(0), ['mark afresh', 'recount 3', 'recount 4', 'recount 5'])
  sites.destroy()
  assert.deepEqual(await look(0), ['mark'])
})

it('trouble is logged once, until a look has worked', async () => {
  const { look, log, world } = watch()
  world.fails = true
  for (let i = 0; i < 3; i++) await look(SITE_LOOK_EVERY_MS)
  assert.equal(log.lines.length, 1)
  world.fails = false
  await look(SITE_LOOK_EVERY_MS)
  world.fails = true
  await look(SITE_LOOK_EVERY_MS)
  assert.equal(log.lines.length, 2)
})
