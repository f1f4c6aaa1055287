/** Requests for a probe when probers come and go, and when one project asks for more than its share. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { eventually } from '../support/configuration.ts'
import { startProberProcess } from '../support/prober-process.ts'
import { assertNoRequestIsLeft, aTarget, decided, probeOf, probeWorld, SELDOM } from '../support/probe-now.ts'

/** Milliseconds that an answer of a few milliseconds may take on a busy host. */
const BUSY_HOST_MS = 5000

test('a prober that is killed while it probes is no loss: the next owner of the shard probes, and answers', async (t) => {
  const world = await probeWorld(t)
  const { db } = world.database
  const silent = await aTarget(t)
  const [member] = await world.members([silent.port], { ...SELDOM, type: 'HTTP', timeoutSeconds: 4 })
  const first = startProberProcess(world.database, { HM_SHARD_LEASE_MS: '1000' })
  await decided(world, member!, 'OFFLINE')
  const before = silent.connections()
  const asked = world.probe(member!)
  await eventually('the probe is in flight', () => silent.connections() > before)
  const [taken] = await query<{ taken_by: string }>(db, 'select taken_by from probe_request')
  await first.end('SIGKILL')
  const second = world.prober()
  const probe = probeOf(await asked)
  assert.notEqual(taken?.taken_by, second.id)
  assert.deepEqual([probe.result, probe.reason, probe.prober_id], ['failed', 'RECV_TIMEOUT', second.id])
  await assertNoRequestIsLeft(world)
})

test('a prober that stops leaves its requests to the next one', async (t) => {
  const world = await probeWorld(t)
  const silent = await aTarget(t)
  const [member] = await world.members([silent.port], { ...SELDOM, type: 'HTTP', timeoutSeconds: 3 })
  const first = world.prober()
  await decided(world, member!, 'OFFLINE')
  const before = silent.connections()
  const asked = world.probe(member!)
  await eventually('the probe is in flight', () => silent.connections() > before)
  await first.close()
  const second = world.prober()
  const probe = probeOf(await asked)
  assert.deepEqual([probe.reason, probe.prober_id], ['RECV_TIMEOUT', second.id])
})

test('a project that asks for as much as it may delays neither the requests nor the scheduled probes of another', async (t) => {
  const world = await probeWorld(t)
  const [quick, ...silent] = await Promise.all(Array.from({ length: 61 }, () => aTarget(t)))
  assert.ok(quick)
  const flooding = await world.members(
    silent.map(({ port }) => port),
    { ...SELDOM, type: 'HTTP', timeoutSeconds: 2 },
    'flooding',
  )
  const [bystander] = await world.members([quick.port], { delaySeconds: 1, rise: 1, fall: 1 }, 'bystander')
  world.prober()
  await decided(world, bystander!, 'ONLINE')
  const answers: number[] = []
  let isOver = false
  const flood = flooding.map(async (member) => {
    while (!isOver) answers.push((await world.probe(member)).status)
  })
  await eventually('the project is refused', () => answers.includes(429))
  const probes = quick.connections()
  const startedAt = performance.now()
  const times: number[] = []
  for (let i = 0; i < 10; i++) {
    const askedAt = performance.now()
    assert.equal(probeOf(await world.probe(bystander!)).result, 'passed')
    times.push(performance.now() - askedAt)
    await eventually('another tenth of a second', () => performance.now() - askedAt > 400)
  }
  const seconds = (performance.now() - startedAt) / 1000
  const scheduled = quick.connections() - probes - times.length
  isOver = true
  await Promise.all(flood)
  t.diagnostic(
    `answers within ${times.map(Math.round).join(', ')} ms; ${scheduled} scheduled in ${seconds} s`,
  )
  assert.ok(Math.max(...times) < BUSY_HOST_MS, `${times.map(Math.round).join(', ')} ms`)
  assert.ok(scheduled >= Math.floor(seconds * 0.6), `${scheduled} scheduled probes in ${seconds} s`)
  assert.ok(answers.filter((status) => status === 200).length > 0, 'the flooding project is served too')
  assert.ok(
    answers.every((status) => [200, 409, 429, 503].includes(status)),
    [...new Set(answers)].join(', '),
  )
})
