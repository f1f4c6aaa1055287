import assert from 'node:assert/strict'
import type { Server, Socket } from 'node:net'
import { afterEach, test as nodeTest, type TestContext } from 'node:test'
import type { HttpRequest, ProbeTarget } from '../../src/domain/target/probe-target.ts'
import type { Probe } from '../../src/probe/probe.ts'
import { attempt, listen, openSockets, probeWithin, targetOf, until } from '../support/probing.ts'
import { holdHttp, idleConnections, idleRoom, noPlainHttpCore, probers } from '../support/probers.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const ask: HttpRequest = {
  method: 'GET',
  path: '/',
  version: '1.1',
  host: 'x',
  expectedCodes: [{ from: 200, to: 200 }],
}

const httpTarget = (server: Server, more: Partial<ProbeTarget> = {}): ProbeTarget =>
  targetOf(server, {
    type: 'HTTP',
    http: ask,
    timeoutMs: 5000,
    reuse: { freshEvery: 10, idleCloseIsFailure: false },
    ...more,
  })

/** A listener that answers every request with what `respond` says of its number on the connection, 0 the first. */
async function answering(
  t: TestContext,
  respond: (count: number, socket: Socket) => string = () => OK,
): Promise<{ readonly server: Server; readonly sockets: Socket[] }> {
  const sockets: Socket[] = []
  const server = await listen(t, (socket) => {
    sockets.push(socket)
    let count = 0
    socket.on('data', () => {
      const text = respond(count++, socket)
      if (text !== '') socket.write(text, 'latin1')
    })
    socket.on('end', () => socket.destroy())
  })
  return { server, sockets }
}

/** A way of such probes; `look` as each tick of a scheduler does. */
interface Way {
  readonly by: (target: ProbeTarget) => Probe
  readonly look: () => void
  readonly letGo: (target?: ProbeTarget) => void
}
const WAYS: Readonly<Record<string, Way>> = {
  'net.Socket': {
    by: ({ type }) => probers[type],
    look: () => undefined,
    letGo: (target) => (target === undefined ? idleConnections.closeAll() : idleConnections.forget(target)),
  },
  ...(noPlainHttpCore() === false ? { 'the batch': { ...holdHttp, by: () => holdHttp } } : {}),
}
const reasonBy = async ({ by }: Way, target: ProbeTarget): Promise<string> =>
  (await probeWithin(by(target), target)).reason

afterEach(() => {
  for (const { letGo } of Object.values(WAYS)) letGo()
  assert.equal(idleRoom.held, 0)
})

for (const [name, way] of Object.entries(WAYS)) {
  const test = (title: string, run: (t: TestContext) => Promise<void>): void =>
    void nodeTest(`${name}: ${title}`, run)
  const probe = async (target: ProbeTarget): Promise<string> => await reasonBy(way, target)
  /** Until so many connections wait. */
  const untilKept = async (count: number): Promise<void> =>
    await until(() => {
      way.look()
      return idleRoom.held === count
    })

  test('one connection serves the probes of a check, and a new one comes every so many probes', async (t) => {
    const { server, sockets } = await answering(t)
    const target = httpTarget(server, { reuse: { freshEvery: 3, idleCloseIsFailure: false } })
    for (let i = 0; i < 7; i++) assert.equal(await probe(target), 'PASSED')
    assert.equal(sockets.length, 3)
    assert.equal(idleRoom.held, 1)
  })

  test('another target object is another check, with a connection of its own', async (t) => {
    const { server, sockets } = await answering(t)
    await probe(httpTarget(server))
    await probe(httpTarget(server))
    assert.equal(sockets.length, 2)
  })

  test('a probe on a kept connection says nothing of a connect', async (t) => {
    const { server } = await answering(t)
    const target = httpTarget(server)
    assert.ok((await probeWithin(way.by(target), target)).phases.connectMs !== undefined)
    const { phases } = await probeWithin(way.by(target), target)
    assert.equal(phases.connectMs, undefined)
    assert.ok(phases.firstByteMs !== undefined)
  })

  const NOT_KEPT: Readonly<Record<string, string>> = {
    'asks to close': 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
    'speaks HTTP/1.0': 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n',
    'sends more than it announced': 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore',
    'gives two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 0\r\n\r\n',
    'gives a length and chunks':
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  }
  for (const [what, response] of Object.entries(NOT_KEPT)) {
    test(`a target that ${what} passes, on a new connection each time`, async (t) => {
      const { server, sockets } = await answering(t, () => response)
      const target = httpTarget(server)
      for (let i = 0; i < 3; i++) assert.equal(await probe(target), 'PASSED')
      assert.equal(sockets.length, 3)
    })
  }

  test('HTTP/1.0 keeps the connection when both sides say so', async (t) => {
    let requests = ''
    const { server, sockets } = await answering(t, () => {
      return 'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n'
    })
    server.on('connection', (socket: Socket) =>
      socket.on('data', (chunk: Buffer) => (requests += chunk.toString())),
    )
    const target = httpTarget(server, { http: { ...ask, version: '1.0' } })
    for (let i = 0; i < 3; i++) assert.equal(await probe(target), 'PASSED')
    assert.equal(sockets.length, 1)
    assert.match(requests, /HTTP\/1\.0\r\n.*Connection: keep-alive\r\n/s)
  })

  test('a target that closes the idle connection is asked again on a new one, without a failure', async (t) => {
    const { server, sockets } = await answering(t)
    const target = httpTarget(server)
    assert.equal(await probe(target), 'PASSED')
    sockets[0]?.end()
    await untilKept(0)
    assert.equal(await probe(target), 'PASSED')
    sockets[1]?.resetAndDestroy()
    await untilKept(0)
    assert.equal(await probe(target), 'PASSED')
    assert.equal(sockets.length, 3)
  })

  for (const [how, end] of [
    ['closes', (socket: Socket) => void socket.end()],
    ['resets', (socket: Socket) => void socket.resetAndDestroy()],
  ] as const) {
    test(`a target that ${how} while the next request is on its way is asked once more`, async (t) => {
      const { server, sockets } = await answering(t, (count, socket) => {
        if (count === 0) return OK
        end(socket)
        return ''
      })
      const target = httpTarget(server)
      for (let i = 0; i < 4; i++) assert.equal(await probe(target), 'PASSED')
      assert.equal(sockets.length, 4)
    })
  }

  test('a target that breaks off within an answer failed, on a kept connection too', async (t) => {
    const { server } = await answering(t, (count, socket) => {
      if (count === 0) return OK
      setImmediate(() => socket.end())
      return 'HTTP/1.1 200'
    })
    const target = httpTarget(server)
    assert.equal(await probe(target), 'PASSED')
    assert.equal(await probe(target), 'RECV_CLOSED')
  })

  test('a timeout closes the kept connection', async (t) => {
    const { server, sockets } = await answering(t, (count) => (count === 1 ? '' : OK))
    const target = httpTarget(server, { timeoutMs: 100 })
    assert.equal(await probe(target), 'PASSED')
    assert.equal(await probe(target), 'RECV_TIMEOUT')
    assert.equal(idleRoom.held, 0)
    assert.equal(await probe(target), 'PASSED')
    assert.equal(sockets.length, 2)
  })

  test('unexpected bytes close an idle HTTP connection', async (t) => {
    const { server, sockets } = await answering(t)
    const target = httpTarget(server)
    assert.equal(await probe(target), 'PASSED')
    sockets[0]?.write('HTTP/1.1 408 Request Timeout\r\n\r\n')
    await untilKept(0)
    assert.equal(await probe(target), 'PASSED')
  })

  test('beyond its capacity the pool keeps no more connections, and every probe passes', async (t) => {
    const { server } = await answering(t)
    const { capacity } = idleRoom
    idleRoom.capacity = 5
    t.after(() => (idleRoom.capacity = capacity))
    const targets = Array.from({ length: 20 }, () => httpTarget(server))
    for (let round = 0; round < 3; round++) {
      for (const target of targets) assert.equal(await probe(target), 'PASSED')
      assert.equal(idleRoom.held, 5)
    }
  })

  test('of a check that is gone the connection is closed', async (t) => {
    const { server, sockets } = await answering(t)
    const before = openSockets()
    const target = httpTarget(server)
    assert.equal(await probe(target), 'PASSED')
    way.letGo(target)
    assert.equal(idleRoom.held, 0)
    await until(() => sockets.every((socket) => socket.destroyed) && openSockets() <= before)
  })
}

const NODE = WAYS['net.Socket'] ?? assert.fail()
const exchange = { send: Buffer.from('PING\r\n'), receive: [Buffer.from('PONG')] }

nodeTest('a TCP exchange keeps its connection; one that only connects never does', async (t) => {
  const { server, sockets } = await answering(t, () => '+PONG\r\n')
  const target = httpTarget(server, { type: 'TCP', tcp: exchange })
  for (let i = 0; i < 3; i++) assert.equal(await reasonBy(NODE, target), 'PASSED')
  assert.equal(sockets.length, 1)
  const connecting = httpTarget(server, { type: 'TCP', tcp: { receive: [] } })
  for (let i = 0; i < 3; i++) assert.equal(await reasonBy(NODE, connecting), 'PASSED')
  assert.equal(sockets.length, 4)
})

nodeTest('where it is one, closing the idle connection is a failure of the next probe, once', async (t) => {
  const { server, sockets } = await answering(t, () => '+PONG\r\n')
  const target = httpTarget(server, {
    type: 'TCP',
    tcp: exchange,
    reuse: { freshEvery: 10, idleCloseIsFailure: true },
  })
  assert.equal(await reasonBy(NODE, target), 'PASSED')
  sockets[0]?.end()
  await until(() => idleRoom.held === 0)
  const { result, cancel, calls } = attempt(probers.TCP, target)
  assert.equal((await result).reason, 'IDLE_CLOSED')
  cancel('timeout')
  assert.equal(calls(), 1)
  assert.equal(await reasonBy(NODE, target), 'PASSED')
})
