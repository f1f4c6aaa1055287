import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EchoChannel } from '../../../../src/probe/icmp/icmp-echo.ts'
import { makeProbePing } from '../../../../src/probe/icmp/ping.ts'
import { attempt, until } from '../../../support/probing.ts'
import { FakeRawSocket } from '../../../support/raw-socket.ts'

const target = { type: 'PING', address: '::1', family: 6, port: 0, timeoutMs: 50, echoCount: 3 } as const

test('of several echoes each is sent when the one before was answered, and a missing one fails the probe', async () => {
  const socket = new FakeRawSocket()
  const { result, cancel } = attempt(
    makeProbePing(() => new EchoChannel(6, () => socket)),
    target,
  )
  for (const count of [1, 2]) {
    assert.equal(socket.sent.length, count)
    socket.emit('message', socket.replyTo(count - 1), '::1')
    await until(() => socket.sent.length > count)
  }
  assert.equal(socket.sent.length, 3)
  cancel('timeout')
  assert.deepEqual((await result).detail, '2 of 3 echoes answered within 50 ms')
  assert.equal((await result).reason, 'ICMP_TIMEOUT')
  assert.equal(socket.paused, true)
})
