import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { CLOSE_TOGETHER_MAX } from '../../src/domain/limits.ts'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import { NodeSockets, type ProbeSocket, type SocketUser } from '../../src/probe/wire/node-sockets.ts'
import {
  blackHole,
  closedPort,
  getFrom,
  listen,
  openSockets,
  probeWithin,
  targetOf,
  until,
} from '../support/probing.ts'
import { probeTcpByNode, probers } from '../support/probers.ts'

const nodeSockets = new NodeSockets()

/** Writes down what it hears. */
function listener(): SocketUser & { readonly heard: string[] } {
  const heard: string[] = []
  return {
    heard,
    onConnect: () => void heard.push('connect'),
    onData: (chunk) => void heard.push(chunk.toString('latin1')),
    onEnd: () => void heard.push('end'),
    onError: ({ code }) => void heard.push(code ?? 'error'),
  }
}

async function closed(socket: ProbeSocket, how: 'reset' | 'close' = 'close'): Promise<void> {
  const isClosed = once(socket, 'close')
  nodeSockets.close(socket, how)
  await isClosed
}

/** Connects, and leaves again once it has heard as much. */
async function serve(target: ProbeTarget, count: number): Promise<{ socket: ProbeSocket; heard: string[] }> {
  const user = listener()
  const socket = nodeSockets.connect(target, 'reading', user)
  await until(() => user.heard.length >= count)
  await closed(socket)
  return { socket, heard: user.heard }
}

test('a socket whose connection ended in order serves the next one, which gets its own bytes only', async (t) => {
  let served = 0
  const server = await listen(t, (socket) => {
    socket.on('error', () => undefined)
    socket.write(`answer ${++served}`)
  })
  const first = await serve(targetOf(server), 2)
  const second = await serve(targetOf(server), 2)
  assert.equal(second.socket, first.socket)
  assert.deepEqual(first.heard, ['connect', 'answer 1'])
  assert.deepEqual(second.heard, ['connect', 'answer 2'])
})

test('a socket that was used again still reports the end, a reset and a refusal', async (t) => {
  const greet = await listen(t, (socket) => void socket.on('error', () => undefined).write('hello'))
  const end = await listen(t, (socket) => void socket.on('error', () => undefined).end('bye'))
  const reset = await listen(t, (socket) => void socket.once('data', () => socket.resetAndDestroy()))
  const refusing: ProbeTarget = { ...targetOf(greet), port: await closedPort() }
  const cases: readonly [ProbeTarget, readonly string[]][] = [
    [targetOf(end), ['connect', 'bye', 'end']],
    [targetOf(reset), ['connect', 'ECONNRESET']],
    [refusing, ['ECONNREFUSED']],
  ]
  for (const [target, expected] of cases) {
    const used = await serve(targetOf(greet), 2)
    const user = listener()
    const socket = nodeSockets.connect(target, 'reading', user)
    assert.equal(socket, used.socket)
    socket.once('connect', () => socket.write('ask'))
    await until(() => user.heard.length >= expected.length)
    assert.deepEqual(user.heard, expected)
    nodeSockets.close(socket, 'close')
    await until(() => socket.destroyed)
    // What ended otherwise than in order is not kept.
    assert.notEqual((await serve(targetOf(greet), 2)).socket, socket)
  }
})

test('a connection that was never established is ended at once, and its socket is not kept', async (t) => {
  const target = await blackHole(t)
  const socket = nodeSockets.connect(target, 'silent', listener())
  await new Promise((resolve) => setImmediate(resolve))
  nodeSockets.close(socket, 'reset')
  assert.equal(socket.destroyed, true)
  const other = nodeSockets.connect(target, 'silent', listener())
  assert.notEqual(other, socket)
  nodeSockets.close(other, 'close')
})

test('no event is reported after a socket was given back', async (t) => {
  const sockets: Socket[] = []
  const server = await listen(t, (socket) => void sockets.push(socket.on('error', () => undefined)))
  const user = listener()
  const socket = nodeSockets.connect(targetOf(server), 'reading', user)
  await until(() => user.heard.length === 1 && sockets.length === 1)
  sockets[0]?.end('too late')
  await closed(socket)
  assert.deepEqual(user.heard, ['connect'])
})

test('what ends in one turn is closed at its end, and no more than CLOSE_TOGETHER_MAX wait for it', async (t) => {
  const server = await listen(t, (socket) => void socket.on('error', () => undefined))
  const user = listener()
  const count = CLOSE_TOGETHER_MAX + 2
  const sockets = Array.from({ length: count }, () => nodeSockets.connect(targetOf(server), 'silent', user))
  await until(() => user.heard.length === count)
  for (const socket of sockets) nodeSockets.close(socket, 'reset')
  assert.equal(sockets.filter(({ destroyed }) => destroyed).length, CLOSE_TOGETHER_MAX)
  await until(() => sockets.every(({ destroyed }) => destroyed))
})

test('five hundred probes of targets of every kind over few sockets: each gets its own verdict, no descriptor stays', async (t) => {
  /** Ends its side when the prober has ended its own. */
  const polite = (socket: Socket): Socket =>
    socket
      .on('error', () => undefined)
      .on('end', () => socket.end())
      .resume()
  const answer = (status: number) => (socket: Socket) => {
    polite(socket).once('data', () => socket.write(`HTTP/1.1 ${status} It\r\nContent-Length: 2\r\n\r\nok`))
  }
  const good = await listen(t, answer(200))
  const bad = await listen(t, answer(503))
  const resetting = await listen(t, (socket) => void socket.once('data', () => socket.resetAndDestroy()))
  const ending = await listen(t, (socket) => void polite(socket).end())
  const port = await closedPort()
  const http = getFrom('x')
  const asks = { type: 'HTTP', http } as const
  const cases: readonly [ProbeTarget, string][] = [
    [targetOf(good), 'PASSED'],
    [targetOf(good, asks), 'PASSED'],
    [targetOf(bad, asks), 'STATUS_MISMATCH'],
    [targetOf(resetting, asks), 'RECV_CLOSED'],
    [targetOf(ending, asks), 'RECV_CLOSED'],
    [{ ...targetOf(good), port }, 'CONNECT_REFUSED'],
    [{ ...targetOf(good, asks), port }, 'CONNECT_REFUSED'],
  ]
  const before = openSockets()
  for (let round = 0; round < 10; round++) {
    const wanted = Array.from({ length: 50 }, (_, i) => cases[(i * 3 + round) % cases.length]!)
    const got = await Promise.all(
      wanted.map(([target]) => probeWithin(target.type === 'TCP' ? probeTcpByNode : probers.HTTP, target)),
    )
    assert.deepEqual(
      got.map(({ reason }) => reason),
      wanted.map(([, reason]) => reason),
    )
  }
  await until(() => openSockets() <= before)
})
