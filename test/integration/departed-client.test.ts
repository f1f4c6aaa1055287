/** A client that leaves before its stream or wait has begun: while Keystone is asked who it is. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { EventStreams } from '../../src/api/v1/event-streams.ts'
import { feedOf } from '../../src/bin/process/events.ts'
import { noIdentity } from '../../src/identity/no-identity.ts'
import { startApi } from '../support/api.ts'
import { eventually, PROJECT } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { aFarm, aProber } from '../support/farm.ts'
import { keepingLog } from '../support/prober.ts'

test('the place of a client that left while Keystone was asked is free again: streams, pages that wait, waits for a status', async (t) => {
  const { db } = await testDatabase(t)
  const farm = await aFarm(db, await aProber(db))
  const streams = new EventStreams()
  const identify = noIdentity(PROJECT)
  let answerAll = (): void => undefined
  const answered = new Promise<void>((resolve) => (answerAll = resolve))
  let asked = 0
  let answers = 0
  const api = await startApi(t, {
    db,
    events: { feed: feedOf(db, keepingLog()), streams },
    identity: {
      identify: async (headers) => {
        asked++
        await answered
        answers++
        return identify(headers)
      },
    },
  })
  const open = (path: string, accept: string) => {
    const client = request(`${api.url}${path}`, {
      agent: false,
      headers: { accept },
    })
    client.on('error', () => undefined).end()
    return client
  }
  const health = `/v2.0/lbaas/pools/${farm.poolId}/members/${farm.members[0]}/health`
  const clients = [
    open('/v1/events', 'text/event-stream'),
    open('/v1/events?after=0&wait=60', 'application/json'),
    open(`${health}?wait_for=OFFLINE&timeout=60`, 'application/json'),
  ]
  await eventually('all are asked who they are', () => asked === clients.length)
  for (const client of clients) {
    client.destroy()
    await new Promise((resolve) => client.once('close', resolve))
  }
  await eventually('the server has noticed', async () => (await api.connections()) === 0)
  answerAll()
  await eventually('all are known', () => answers === clients.length)
  await eventually('their places are free', () => streams.taken === 0)
  assert.equal(streams.count, 0)
})
