/** Connections that the core of HTTP keeps, beside what test/integration/probe-reuse.test.ts shows of all ways. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { constants } from 'node:os'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { IDLE_CONNECTION_MAX_MS, PLAIN_READ_BYTES } from '../../../../../src/domain/limits.ts'
import type { HttpRequest, ProbeTarget } from '../../../../../src/domain/target/probe-target.ts'
import type { BatchCore } from '../../../../../src/probe/batch/core.ts'
import type { StreamCalls } from '../../../../../src/probe/http/plain/stream-calls.ts'
import type { Probe } from '../../../../../src/probe/probe.ts'
import { IdleRoom } from '../../../../../src/probe/wire/idle-room.ts'
import { HTTP, httpTarget, OK, once, opened, real } from '../../../../support/plain-http.ts'
import { holdHttp, idleConnections, probeHttp } from '../../../../support/probers.ts'
import { listen, probeWithin, until } from '../../../../support/probing.ts'

const REUSE = { freshEvery: 100, idleCloseIsFailure: false }

/** A listener that answers each request on its connections, and what has connected to it. */
async function answering(t: TestContext, answer: (socket: Socket) => void) {
  const sockets: Socket[] = []
  const server = await listen(t, (socket) => {
    sockets.push(socket)
    socket.on('data', () => answer(socket))
    socket.on('end', () => socket.destroy())
  })
  return { server, sockets }
}

/** A core with a room of its own. */
function withRoom(t: TestContext, calls: StreamCalls) {
  const idleRoom = new IdleRoom()
  return { idleRoom, ...opened(t, calls, { idleRoom }) }
}

const reasonOf = async (core: BatchCore, slot: number): Promise<string> =>
  (await once(core, slot)).result.reason

test('a kept connection is held by its check alone, until the check or the core is gone', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const { server, sockets } = await answering(t, (socket) => socket.write(OK))
  const { idleRoom, plain, core } = withRoom(t, calls)
  const own = plain.descriptors
  const slots = [1, 2].map(() => core.hold(httpTarget(server, { reuse: REUSE })))
  for (const slot of slots) for (let i = 0; i < 2; i++) assert.equal(await reasonOf(core, slot), 'PASSED')
  assert.deepEqual([sockets.length, idleRoom.held, plain.descriptors, core.inFlight], [2, 2, own + 2, 0])
  // No probe of it is in flight.
  core.drop(slots[0]!)
  assert.equal(idleRoom.held, 2)
  core.release(slots[0]!)
  assert.deepEqual([idleRoom.held, plain.descriptors], [1, own + 1])
  await until(() => sockets[0]?.destroyed === true)
  plain.close()
  assert.equal(idleRoom.held, 0)
  await until(() => sockets[1]?.destroyed === true)
})

test('where it is a failure that the target closes a kept connection, the next probe fails, once', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  let answer = OK
  const { server, sockets } = await answering(t, (socket) =>
    answer === '' ? socket.end() : socket.write(answer),
  )
  const { idleRoom, core } = withRoom(t, calls)
  const slot = core.hold(httpTarget(server, { reuse: { ...REUSE, idleCloseIsFailure: true } }))
  for (const end of [(socket: Socket) => socket.end(), (socket: Socket) => socket.resetAndDestroy()]) {
    assert.equal(await reasonOf(core, slot), 'PASSED')
    end(sockets.at(-1) ?? assert.fail())
    await until(() => {
      core.collect(performance.now())
      return idleRoom.held === 0
    })
    const { result } = await once(core, slot)
    assert.deepEqual([result.reason, result.detail], ['IDLE_CLOSED', 'closed between two probes'])
  }
  assert.equal(await reasonOf(core, slot), 'PASSED')
  answer = ''
  assert.equal(await reasonOf(core, slot), 'RECV_CLOSED', 'it is not asked once more')
  answer = OK
  assert.equal(await reasonOf(core, slot), 'PASSED')
  sockets.at(-1)?.write('unexpected')
  await until(() => {
    core.collect(performance.now())
    return idleRoom.held === 0
  })
  assert.equal(await reasonOf(core, slot), 'PASSED', 'bytes are no end')
})

test('a kept connection on which a call fails is left, and the probe made on a new one', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const { server, sockets } = await answering(t, (socket) => socket.write(OK))
  let failing: keyof StreamCalls | undefined
  let hasFailed = false
  const failOnce = (call: keyof StreamCalls): boolean => {
    if (failing !== call) return false
    failing = undefined
    hasFailed = true
    return true
  }
  const { core } = withRoom(t, {
    ...calls,
    send: (...values) => (failOnce('send') ? -1 : calls.send(...values)),
    recvmmsg: (...values) => (failOnce('recvmmsg') ? -1 : calls.recvmmsg(...values)),
    errno: () => {
      const errno = hasFailed ? constants.errno.ECONNRESET : calls.errno()
      hasFailed = false
      return errno
    },
  })
  const slot = core.hold(httpTarget(server, { reuse: REUSE }))
  assert.equal(await reasonOf(core, slot), 'PASSED')
  for (const [i, call] of (['send', 'recvmmsg'] as const).entries()) {
    failing = call
    const { result } = await once(core, slot)
    assert.deepEqual([result.reason, failing, sockets.length], ['PASSED', undefined, i + 2], call)
    assert.ok(result.phases.connectMs !== undefined, 'of the new connection')
  }
})

test('an answer behind which more may wait in the socket ends its connection', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const head = (bytes: number): string => `HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`
  const body = PLAIN_READ_BYTES - head(PLAIN_READ_BYTES).length
  let claimed = 0
  const { server } = await answering(t, (socket) =>
    socket.write(head(claimed - head(PLAIN_READ_BYTES).length)),
  )
  const { idleRoom, core } = withRoom(t, {
    ...calls,
    // As if as much had been received as was claimed.
    recvmmsg: (...values) => {
      const received = calls.recvmmsg(...values)
      const header = new DataView(values[1].buffer)
      if (received > 0 && claimed > 0) header.setUint32(56, claimed, true)
      return received
    },
  })
  assert.equal(head(body).length, head(PLAIN_READ_BYTES).length)
  const slot = core.hold(httpTarget(server, { reuse: REUSE }))
  for (const [bytes, held] of [
    [PLAIN_READ_BYTES - 1, 1],
    [PLAIN_READ_BYTES, 0],
  ] as const) {
    claimed = bytes
    assert.equal(await reasonOf(core, slot), 'PASSED')
    assert.equal(idleRoom.held, held, `${bytes} bytes`)
  }
})

test('a kept connection ends when it was not used for long', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const { server, sockets } = await answering(t, (socket) => socket.write(OK))
  const { idleRoom, core } = withRoom(t, calls)
  const slot = core.hold(httpTarget(server, { reuse: REUSE }))
  assert.equal(await reasonOf(core, slot), 'PASSED')
  core.collect(performance.now() + IDLE_CONNECTION_MAX_MS - 1000)
  assert.equal(idleRoom.held, 1)
  core.collect(performance.now() + 2 * IDLE_CONNECTION_MAX_MS)
  assert.equal(idleRoom.held, 0)
  await until(() => sockets[0]?.destroyed === true)
  assert.equal(await reasonOf(core, slot), 'PASSED')
})

test('random answers one after the other have the verdicts and the connections of the prober', async (t) => {
  if (real(t) === undefined) return
  let answers: readonly (readonly [text: string, isEnded: boolean])[] = []
  let probed = 0
  let connections = 0
  const server = await listen(t, (socket) => {
    connections++
    socket.on('data', () => {
      const [text, isEnded] = answers[probed] ?? ['', true]
      socket.write(text, 'latin1')
      if (isEnded) socket.end()
    })
    socket.on('end', () => socket.destroy())
  })
  const http: HttpRequest = { ...HTTP, drainingCodes: [{ from: 404, to: 404 }] }
  const answer = fc.oneof(
    fc.tuple(
      fc.constantFrom(
        OK,
        'HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n',
        'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n',
        'HTTP/1.1 503 X\r\nContent-Length: 4\r\n\r\nsick',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
        'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok',
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok',
        `${OK} and more`,
        'garbage\r\n',
      ),
      fc.boolean(),
    ),
    fc.tuple(fc.constantFrom('HTTP/1.1 200 OK\r\n\r\nall', 'HTTP/1.1 20'), fc.constant(true)),
  )
  const told = async (probe: Probe, target: ProbeTarget): Promise<readonly unknown[]> => {
    connections = 0
    const all: unknown[] = []
    for (probed = 0; probed < answers.length; probed++) {
      const { phases, ...verdict } = await probeWithin(probe, target)
      all.push(verdict, phases.connectMs === undefined, connections)
    }
    return all
  }
  await fc.assert(
    fc.asyncProperty(fc.array(answer, { minLength: 2, maxLength: 5 }), async (some) => {
      answers = some
      const [one, other] = [1, 2].map(() => httpTarget(server, { http, reuse: REUSE })) as [
        ProbeTarget,
        ProbeTarget,
      ]
      const byBatch = await told(holdHttp, one)
      assert.deepEqual(byBatch, await told(probeHttp, other))
      holdHttp.letGo()
      idleConnections.closeAll()
    }),
    { numRuns: 60 },
  )
})
