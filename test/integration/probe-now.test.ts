/** `POST …/members/{id}/probe`: one probe now, by the prober that owns the member's shard. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { changed, eventually } from '../support/configuration.ts'
import {
  assertNoRequestIsLeft,
  aTarget,
  decided,
  DIALECTS,
  onlineMember,
  probeOf,
  probeWorld,
  SELDOM,
  storedOf,
} from '../support/probe-now.ts'
import { closedPort } from '../support/probing.ts'

for (const [dialect, base] of Object.entries(DIALECTS)) {
  suite(`dialect ${dialect}`, () => {
    test('a member that answers passes, and the answer says when, how long each phase took, and who probed', async (t) => {
      const { world, member, target, prober } = await onlineMember(t)
      const askedAt = Date.now()
      const probe = probeOf(await world.probe(member, { base }))
      assert.deepEqual(
        [probe.result, probe.reason, probe.counted, probe.flag, probe.prober_id],
        ['passed', 'PASSED', false, null, prober.id],
      )
      assert.ok(Math.abs(Date.parse(probe.at) - askedAt) < 5000, probe.at)
      assert.ok(probe.phases.connect_ms >= 0 && probe.phases.connect_ms <= probe.latency_ms)
      assert.deepEqual([probe.evidence.address, probe.evidence.port], ['127.0.0.1', target.port])
      assert.deepEqual(world.outcomes, ['passed'])
      await assertNoRequestIsLeft(world)
    })

    test('a member that is switched off, and one without a monitor, are refused with the reason', async (t) => {
      const world = await probeWorld(t)
      const { db } = world.database
      const [off] = await world.members([1])
      const [bare] = await world.members([2])
      await query(db, 'update member set admin_state_up = false where id = $1', [off!.memberId])
      await query(db, 'delete from health_monitor where pool_id = $1', [bare!.poolId])
      for (const [member, why] of [
        [off!, /the member is switched off/],
        [bare!, /the pool has no health monitor/],
      ] as const) {
        const { status, body } = await world.probe(member, { base })
        assert.equal(status, 409)
        assert.match(body.error_msg ?? body.faultstring, why)
      }
      assert.deepEqual(world.outcomes, ['refused', 'refused'])
      await assertNoRequestIsLeft(world)
    })

    test('a body that says something else than whether it counts is refused', async (t) => {
      const world = await probeWorld(t)
      const [member] = await world.members([1])
      const path = `${base}/pools/${member!.poolId}/members/${member!.memberId}/probe`
      for (const body of [
        {},
        { probe: 1 },
        { probe: { counted: 'perhaps' } },
        { probe: { port: 80 } },
        '{',
      ]) {
        const answer = await world.api.request('POST', path, body, { 'x-project-id': member!.project })
        assert.equal(answer.status, 400, JSON.stringify(body))
      }
      await assertNoRequestIsLeft(world)
    })
  })
}

test('a member that refuses connections, and one that is silent, fail with their reason', async (t) => {
  const world = await probeWorld(t)
  const silent = await aTarget(t)
  const [refusing] = await world.members([await closedPort()])
  const [waiting] = await world.members([silent.port], { ...SELDOM, type: 'HTTP', timeoutSeconds: 1 })
  world.prober()
  await decided(world, refusing!, 'OFFLINE')
  const refused = probeOf(await world.probe(refusing!))
  assert.deepEqual([refused.result, refused.reason], ['failed', 'CONNECT_REFUSED'])
  assert.match(refused.detail, /ECONNREFUSED/)
  const late = probeOf(await world.probe(waiting!))
  assert.deepEqual([late.result, late.reason], ['failed', 'RECV_TIMEOUT'])
  assert.ok(late.latency_ms >= 1000, String(late.latency_ms))
  assert.deepEqual(world.outcomes, ['failed', 'failed'])
})

test('a probe that is not counted leaves the status, the counters and what is stored as they were', async (t) => {
  const { world, member, target } = await onlineMember(t)
  await target.stop()
  const before = await storedOf(world, member)
  const first = (await world.health(member)).body.health
  for (let i = 0; i < 3; i++) {
    const probe = probeOf(await world.probe(member))
    assert.deepEqual([probe.result, probe.counted], ['failed', false])
  }
  const checkpoints = 'select as_of from shard_checkpoint where as_of > now()'
  await eventually('a later checkpoint', async () => {
    const rows = await query(world.database.db, checkpoints.replace('now()', `'${first.as_of}'`))
    return first.as_of === null || rows.length > 0
  })
  const after = (await world.health(member)).body.health
  assert.deepEqual(
    [after.status, after.counters, after.recent_results.length],
    ['ONLINE', first.counters, first.recent_results.length],
  )
  assert.equal(after.last_probe.reason, 'PASSED')
  assert.deepEqual(await storedOf(world, member), before)
})

test('a counted probe makes the transition, which the next read shows', async (t) => {
  const { world, member, target } = await onlineMember(t)
  await target.stop()
  const probe = probeOf(await world.probe(member, { counted: true }))
  assert.deepEqual([probe.result, probe.reason, probe.counted], ['failed', 'CONNECT_REFUSED', true])
  const { health } = (await world.health(member)).body
  assert.deepEqual([health.status, health.reason], ['OFFLINE', 'CONNECT_REFUSED'])
})

test('a counted probe is one of the results in a row that the monitor asks for', async (t) => {
  const { world, member, target } = await onlineMember(t, { monitor: { ...SELDOM, fall: 2 } })
  await target.stop()
  assert.equal(probeOf(await world.probe(member, { counted: true })).counted, true)
  const { health } = (await world.health(member)).body
  assert.deepEqual([health.status, health.counters.fall], ['ONLINE', '1/2'])
  await world.probe(member, { counted: true })
  assert.equal((await world.health(member)).body.health.status, 'OFFLINE')
})

test('a counted probe during a maintenance publishes nothing', async (t) => {
  const { world, member, target } = await onlineMember(t)
  await target.stop()
  const path = `${DIALECTS.elb}/pools/${member.poolId}/members/${member.memberId}/maintenance`
  const headers = { 'x-project-id': member.project }
  assert.equal((await world.api.request('PUT', path, { maintenance: {} }, headers)).status, 200)
  const probe = probeOf(await world.probe(member, { counted: true }))
  assert.deepEqual([probe.result, probe.counted], ['failed', true])
  assert.equal((await world.health(member)).body.health.status, 'ONLINE')
})

test('what was changed just before is what is probed', async (t) => {
  const { world, member, target: old } = await onlineMember(t)
  const next = await aTarget(t)
  const path = `${DIALECTS.octavia}/pools/${member.poolId}/members/${member.memberId}`
  for (const { port } of [next, old, next]) {
    const change = await world.api.request(
      'PUT',
      path,
      { member: { monitor_port: port } },
      { 'x-project-id': member.project },
    )
    assert.equal(change.status, 200, JSON.stringify(change.body))
    assert.equal(probeOf(await world.probe(member)).evidence.port, port)
  }
})

test('a target that must not be probed is not: the result says so, and nothing is sent', async (t) => {
  const world = await probeWorld(t)
  const target = await aTarget(t)
  const [member] = await world.members([target.port])
  world.prober({ targetPolicy: () => 'denied here' })
  for (const counted of [false, true]) {
    const probe = probeOf(await world.probe(member!, { counted }))
    assert.deepEqual([probe.result, probe.reason, probe.counted], ['inconclusive', 'TARGET_DENIED', false])
  }
  assert.equal(target.connections(), 0)
})

test('one probe of a member at a time: a second request is refused and told when to come again', async (t) => {
  const world = await probeWorld(t)
  const silent = await aTarget(t)
  const [member, other] = await world.members([silent.port, 1], {
    ...SELDOM,
    type: 'HTTP',
    timeoutSeconds: 2,
  })
  world.prober()
  const first = world.probe(member!)
  await eventually('the request is there', async () => {
    return (await query(world.database.db, 'select from probe_request')).length === 1
  })
  const second = await world.probe(member!)
  assert.deepEqual([second.status, second.headers['retry-after']], [409, '1'])
  assert.match(second.body.error_msg, /has not ended/)
  assert.equal(probeOf(await world.probe(other!)).reason, 'CONNECT_REFUSED')
  assert.equal(probeOf(await first).result, 'failed')
  assert.equal(probeOf(await world.probe(member!)).result, 'failed', 'it may be asked for again')
})

test('without a prober the answer is 503 after the bound, with a sentence, and nothing is left', async (t) => {
  const world = await probeWorld(t)
  const [member] = await world.members([1])
  const { status, headers, body } = await world.probe(member!, { base: DIALECTS.octavia })
  assert.equal(status, 503)
  assert.equal(body.faultstring, 'No prober answered within 11 s. Please try again.')
  assert.ok(Number(headers['retry-after']) >= 1)
  assert.deepEqual(world.outcomes, ['unanswered'])
  await assertNoRequestIsLeft(world)
})

test('who waits when the service is stopped gets an answer at once, and nothing is left', async (t) => {
  const world = await probeWorld(t)
  const [member] = await world.members([1])
  const began = performance.now()
  const asked = world.probe(member!, { base: DIALECTS.octavia })
  await eventually('the request is there', async () => {
    const rows = await query(world.database.db, 'select from probe_request')
    return rows.length === 1
  })
  await world.stopAnswers()
  const { status, body } = await asked
  assert.equal(status, 503)
  assert.equal(body.faultstring, 'The service is being stopped, so there is no result. Please try again.')
  assert.ok(performance.now() - began < 10_000, 'it did not wait for a prober')
  await assertNoRequestIsLeft(world)
})

test('a member that is removed while it is probed has no result, and the answer says why', async (t) => {
  const world = await probeWorld(t)
  const target = await aTarget(t)
  const [member] = await world.members([target.port], { ...SELDOM, type: 'HTTP', timeoutSeconds: 20 })
  world.prober()
  await eventually('the first probe is in flight', () => Promise.resolve(target.open.size === 1))
  const asked = world.probe(member!)
  await eventually('the probe is in flight', () => Promise.resolve(target.open.size === 2))
  await query(world.database.db, 'delete from member where id = $1', [member!.memberId])
  await changed(world.database.db, member!.poolId)
  const { status, body } = await asked
  assert.equal(status, 409)
  assert.match(body.error_msg, /cannot be probed: it, its health monitor .* was removed or switched off\.$/)
  await assertNoRequestIsLeft(world)
})

test('a prober whose configuration does not arrive says so before the time is over', async (t) => {
  const { world, member, target } = await onlineMember(t)
  // A version that no load can give: the row says more than the pool has.
  await query(
    world.database.db,
    `create function raise_version() returns trigger language plpgsql as
       'begin new.config_version := new.config_version + 1; return new; end';
     create trigger raise_version before insert on probe_request
       for each row execute function raise_version()`,
  )
  const { status, body } = await world.probe(member)
  assert.equal(status, 503)
  assert.match(body.error_msg, /^There is no result within 11 s: the prober has not loaded the present/)
  assert.equal(target.connections(), 1, 'only the scheduled probe came')
  await changed(world.database.db, member.poolId)
})

test('another project neither probes a member nor hears that it is there', async (t) => {
  const world = await probeWorld(t)
  const target = await aTarget(t)
  const [member] = await world.members([target.port])
  world.prober()
  for (const base of Object.values(DIALECTS)) {
    const { status } = await world.probe({ ...member!, project: 'another' }, { base })
    assert.equal(status, 404)
  }
  await assertNoRequestIsLeft(world)
})
