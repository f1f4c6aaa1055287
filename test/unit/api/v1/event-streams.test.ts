/** How long a stream of events lasts: as long as its token, also while Keystone is away. */
import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { EventStreams, type Permission } from '../../../../src/api/v1/event-streams.ts'
import { DomainError } from '../../../../src/domain/errors.ts'
import { STREAM_CHECKS } from '../../../../src/domain/limits.ts'
import { until } from '../../../support/probing.ts'

const HOUR_MS = 3_600_000

function aProcess(t: TestContext) {
  const streams = new EventStreams({ heartbeatMs: 5 })
  t.after(() => streams.close())
  return (permission: Permission) =>
    streams.open(new ServerResponse(new IncomingMessage(new Socket())), permission)
}

const refusing = (code: 'IDENTITY_UNAVAILABLE' | 'UNAUTHENTICATED') => {
  const asked = { times: 0 }
  const identify = () => {
    asked.times += 1
    return Promise.reject(new DomainError(code, 'no'))
  }
  return { asked, identify }
}

test('while Keystone is away a stream goes on, until its token ends', async (t) => {
  const open = aProcess(t)
  const { asked, identify } = refusing('IDENTITY_UNAVAILABLE')
  const lasting = open({ identify, endsAtMs: Date.now() + HOUR_MS })
  const ending = open({ identify, endsAtMs: Date.now() + 50 })
  await until(() => !ending.isOpen)
  const before = asked.times
  await until(() => asked.times >= before + 3)
  assert.equal(lasting.isOpen, true)
})

test('a token that Keystone no longer accepts ends its stream, and so does an outage if its end is not known', async (t) => {
  const open = aProcess(t)
  const revoked = open({ ...refusing('UNAUTHENTICATED'), endsAtMs: Date.now() + HOUR_MS })
  const unknown = open({ ...refusing('IDENTITY_UNAVAILABLE'), endsAtMs: undefined })
  const valid = open({ identify: () => Promise.resolve(), endsAtMs: undefined })
  await until(() => !revoked.isOpen && !unknown.isOpen)
  assert.equal(valid.isOpen, true)
})

test('few tokens are looked up at the same time, and every one gets its turn', async (t) => {
  const open = aProcess(t)
  const seen = new Set<number>()
  const underWay = { now: 0, most: 0 }
  for (let i = 0; i < 10 * STREAM_CHECKS; i += 1) {
    const identify = async () => {
      underWay.now += 1
      underWay.most = Math.max(underWay.most, underWay.now)
      await new Promise((resolve) => setImmediate(resolve))
      underWay.now -= 1
      seen.add(i)
    }
    open({ identify, endsAtMs: Date.now() + HOUR_MS })
  }
  await until(() => seen.size === 10 * STREAM_CHECKS)
  assert.equal(underWay.most, STREAM_CHECKS)
})
