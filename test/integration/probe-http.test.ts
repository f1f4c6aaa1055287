import assert from 'node:assert/strict'
import type { Server, Socket } from 'node:net'
import { test as nodeTest, type TestContext } from 'node:test'
import { parseExpectedCodes } from '../../src/domain/target/expected-codes.ts'
import type { HttpRequest, ProbeTarget } from '../../src/domain/target/probe-target.ts'
import { attempt, blackHole, closedPort, listen, probeWithin, targetOf, until } from '../support/probing.ts'
import { httpWays } from '../support/probers.ts'

function ask(more: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: 'GET',
    path: '/',
    version: '1.1',
    host: 'x',
    expectedCodes: parseExpectedCodes('200-204') ?? [],
    ...more,
  }
}

const httpTarget = (server: Server, more: Partial<ProbeTarget> = {}): ProbeTarget =>
  targetOf(server, { type: 'HTTP', http: ask(), timeoutMs: 5000, ...more })

/** Answers each connection with `text` once a request came, and then does `after`. */
function answer(text: string, after: (socket: Socket) => void = () => undefined): (socket: Socket) => void {
  return (socket) => {
    socket.once('data', () => {
      socket.write(text, 'latin1')
      after(socket)
    })
  }
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

for (const [way, probeHttp] of Object.entries(httpWays())) {
  const test = (title: string, run: (t: TestContext) => Promise<void>): void =>
    void nodeTest(`${way}: ${title}`, run)

  for (const address of ['127.0.0.1', '::1']) {
    test(`an HTTP probe of ${address} passes on an expected code and reports its phases in order`, async (t) => {
      const server = await listen(t, answer(OK), address)
      const { reason, detail, phases } = await probeWithin(probeHttp, httpTarget(server))
      assert.equal(reason, 'PASSED')
      assert.equal(detail, 'got 200')
      assert.ok(phases.connectMs !== undefined && phases.firstByteMs !== undefined)
      assert.ok(phases.connectMs <= phases.firstByteMs && phases.firstByteMs <= phases.totalMs)
    })
  }

  test('the request arrives as it was configured, on a new connection per probe', async (t) => {
    const seen: string[] = []
    const server = await listen(t, (socket) => {
      socket.once('data', (bytes: Buffer) => {
        seen.push(bytes.toString('latin1'))
        socket.end(OK)
      })
    })
    const target = httpTarget(server, {
      http: ask({ method: 'CONNECT', path: '/x', version: '1.0', host: 'a.b' }),
    })
    await probeWithin(probeHttp, target)
    await probeWithin(probeHttp, target)
    assert.equal(seen.length, 2)
    assert.match(seen[0] ?? '', /^CONNECT \/x HTTP\/1\.0\r\nHost: a\.b\r\n/)
  })

  test('a code that is not expected fails, and the detail says which were', async (t) => {
    const server = await listen(t, answer('HTTP/1.1 503 Busy\r\nContent-Length: 6\r\n\r\nsecret'))
    const result = await probeWithin(probeHttp, httpTarget(server))
    assert.equal(result.reason, 'STATUS_MISMATCH')
    assert.equal(result.detail, 'got 503, expected 200-204')
  })

  test('a redirect is not followed', async (t) => {
    let connections = 0
    const server = await listen(t, (socket) => {
      connections++
      answer('HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n')(socket)
    })
    assert.equal((await probeWithin(probeHttp, httpTarget(server))).detail, 'got 302, expected 200-204')
    assert.equal(connections, 1)
  })

  test('a body that never ends, breaks off or is too large does not change the verdict', async (t) => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n'
    const bodies: readonly ((socket: Socket) => void)[] = [
      () => undefined,
      (socket) => socket.end(),
      (socket) => socket.resetAndDestroy(),
      (socket) => socket.write('x'.repeat(1_000_000)),
    ]
    for (const body of bodies) {
      // The head must have arrived before a reset, which may overtake what was not read yet.
      const server = await listen(
        t,
        answer(head, (socket) => setTimeout(body, 20, socket)),
      )
      const result = await probeWithin(probeHttp, httpTarget(server, { timeoutMs: 500 }))
      assert.equal(result.reason, 'PASSED')
    }
  })

  test('the body of a complete response is not waited for any longer: the connection closes by itself', async (t) => {
    const server = await listen(
      t,
      answer('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'),
    )
    const { result } = attempt(probeHttp, httpTarget(server))
    assert.equal((await result).reason, 'PASSED')
  })

  test('silence, closing, resetting and talking nonsense have a reason each', async (t) => {
    const cases: readonly (readonly [string, (socket: Socket) => void, string, RegExp])[] = [
      ['silence', () => undefined, 'RECV_TIMEOUT', /waiting for the status line for 300 ms/],
      [
        'half a head',
        answer('HTTP/1.1 200 OK\r\nX: '),
        'RECV_TIMEOUT',
        /reading the response head for 300 ms/,
      ],
      ['closing at once', (socket) => socket.end(), 'RECV_CLOSED', /closed before the status line/],
      [
        'closing in the head',
        answer('HTTP/1.1 200 OK\r\n', (socket) => socket.end()),
        'RECV_CLOSED',
        /closed within the response head/,
      ],
      [
        'resetting',
        (socket) => socket.once('data', () => socket.resetAndDestroy()),
        'RECV_CLOSED',
        /reset before the status line/,
      ],
      ['a banner', (socket) => socket.write('220 mail\r\n'), 'RESPONSE_MALFORMED', /no HTTP status line/],
      [
        'an endless head',
        answer(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}`),
        'RESPONSE_MALFORMED',
        /exceeds 16384 bytes/,
      ],
    ]
    for (const [name, behave, reason, detail] of cases) {
      const server = await listen(t, behave)
      const result = await probeWithin(
        probeHttp,
        httpTarget(server, reason === 'RECV_TIMEOUT' ? { timeoutMs: 300 } : {}),
      )
      assert.equal(result.reason, reason, name)
      assert.match(result.detail, detail, name)
      assert.ok(result.phases.connectMs !== undefined, name)
    }
  })

  test('a closed port is CONNECT_REFUSED, and a black hole CONNECT_TIMEOUT', async (t) => {
    const port = await closedPort()
    const closed = {
      type: 'HTTP',
      address: '127.0.0.1',
      family: 4,
      port,
      timeoutMs: 5000,
      http: ask(),
    } as const
    assert.equal((await probeWithin(probeHttp, closed)).reason, 'CONNECT_REFUSED')
    const hole = { ...(await blackHole(t)), type: 'HTTP', http: ask() } as const
    const result = await probeWithin(probeHttp, hole)
    assert.equal(result.reason, 'CONNECT_TIMEOUT')
    assert.equal(result.phases.connectMs, undefined)
  })

  test('a shutdown is inconclusive before the head and gives the verdict after it', async (t) => {
    const silent = await listen(t, () => undefined)
    const early = attempt(probeHttp, httpTarget(silent))
    early.cancel('shutdown')
    assert.equal((await early.result).reason, 'PROBER_STOPPING')

    let answered = false
    const slow = await listen(
      t,
      answer('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n', () => (answered = true)),
    )
    const late = attempt(probeHttp, httpTarget(slow))
    await until(() => answered)
    // The bytes are in our socket's buffer; a turn of the event loop reads them.
    await new Promise((resolve) => setTimeout(resolve, 20))
    late.cancel('shutdown')
    // A core ends a probe without a result.
    assert.equal((await late.result).reason, way === 'the batch' ? 'PROBER_STOPPING' : 'PASSED')
  })

  test('a request that must not go on the wire is not sent', async (t) => {
    let connections = 0
    const server = await listen(t, () => connections++)
    const result = await probeWithin(probeHttp, httpTarget(server, { http: ask({ path: '/\r\nX: y' }) }))
    assert.equal(result.reason, 'PROBER_UNSUPPORTED')
    assert.equal(connections, 0)
  })
}
