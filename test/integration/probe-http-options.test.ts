import assert from 'node:assert/strict'
import type { Server, Socket } from 'node:net'
import { test as nodeTest, type TestContext } from 'node:test'
import { MAX_DETAIL_BYTES } from '../../src/domain/limits.ts'
import type { HttpRequest, ProbeTarget } from '../../src/domain/target/probe-target.ts'
import { listen, probeWithin, targetOf } from '../support/probing.ts'
import { httpWays } from '../support/probers.ts'

const codes = (from: number, to = from) => [{ from, to }] as const
const ask: HttpRequest = { method: 'GET', path: '/', version: '1.1', host: 'x', expectedCodes: codes(200) }

const target = (server: Server, http: Partial<HttpRequest>, timeoutMs = 300): ProbeTarget =>
  targetOf(server, { type: 'HTTP', http: { ...ask, ...http }, timeoutMs })

/** Answers each connection with `text` once a request came, and then does `after`. */
function answer(text: string, after: (socket: Socket) => void = () => undefined): (socket: Socket) => void {
  return (socket) => {
    socket.once('data', () => {
      socket.write(text, 'latin1')
      after(socket)
    })
  }
}

const response = (status: number, headers = '', body = ''): string =>
  `HTTP/1.1 ${status} X\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`

for (const [way, probeHttp] of Object.entries(httpWays())) {
  const test = (title: string, run: (t: TestContext) => Promise<void>): void =>
    void nodeTest(`${way}: ${title}`, run)

  test('every status means what the monitor says it means, the expected ones first', async (t) => {
    const http: Partial<HttpRequest> = {
      expectedCodes: codes(200, 299),
      retriableCodes: [...codes(200), ...codes(503)],
      warningCodes: codes(429),
      drainingCodes: codes(404),
    }
    const cases: readonly (readonly [number, string, string | undefined])[] = [
      [200, 'PASSED', undefined],
      [429, 'PASSED', 'warning'],
      [404, 'PASSED', 'draining'],
      [503, 'STATUS_RETRIABLE', undefined],
      [500, 'STATUS_MISMATCH', undefined],
    ]
    for (const [status, reason, flag] of cases) {
      const server = await listen(t, answer(response(status)))
      const result = await probeWithin(probeHttp, target(server, http))
      assert.deepEqual([result.reason, result.flag], [reason, flag], String(status))
    }
  })

  test('what did not pass comes with its status line, bounded and without controls; what passed without', async (t) => {
    const server = await listen(
      t,
      answer(`HTTP/1.1 503 Back\tsoon ${'!'.repeat(500)}\r\nContent-Length: 0\r\n\r\n`),
    )
    const failed = await probeWithin(probeHttp, target(server, {}))
    assert.match(failed.statusLine ?? '', /^HTTP\/1\.1 503 Back\?soon !+$/)
    assert.equal(failed.statusLine?.length, MAX_DETAIL_BYTES)
    const passed = await probeWithin(probeHttp, target(server, { expectedCodes: codes(503) }))
    assert.equal(passed.statusLine, undefined)
  })

  test('a passing target says with a header that it is degraded; on a failing one the header says nothing', async (t) => {
    const degraded = await listen(t, answer(response(200, 'X-Envoy-Degraded: \r\n')))
    const http = { degradedHeader: 'x-envoy-degraded' }
    assert.equal((await probeWithin(probeHttp, target(degraded, http))).flag, 'degraded')
    assert.equal((await probeWithin(probeHttp, target(degraded, {}))).flag, undefined)
    const failing = await listen(t, answer(response(503, 'x-envoy-degraded: true\r\n')))
    const result = await probeWithin(probeHttp, target(failing, http))
    assert.deepEqual([result.reason, result.flag], ['STATUS_MISMATCH', undefined])
  })

  test('what passes has to come from the expected service, whose name is the beginning of what the answer says', async (t) => {
    const cases: readonly [number, string, string][] = [
      [200, 'X-Envoy-Upstream-Healthchecked-Cluster:  locations-production-v1 \r\n', 'PASSED'],
      [200, 'x-envoy-upstream-healthchecked-cluster: api-locations\r\n', 'IDENTITY_MISMATCH'],
      [200, '', 'IDENTITY_MISMATCH'],
      [503, '', 'STATUS_MISMATCH'],
    ]
    for (const [status, header, reason] of cases) {
      const server = await listen(t, answer(response(status, header)))
      const result = await probeWithin(probeHttp, target(server, { serviceName: 'locations' }))
      assert.equal(result.reason, reason, header)
      assert.doesNotMatch(result.detail, /api-/, 'nothing of the answer but its status is reported')
      assert.equal(
        (await probeWithin(probeHttp, target(server, {}))).outcome,
        status === 200 ? 'passed' : 'failed',
      )
    }
  })

  test('a target that asks to be taken out fails at once with a wrong status, and only then', async (t) => {
    const header = 'x-envoy-immediate-health-check-fail: true\r\n'
    const failing = await listen(t, answer(response(503, header)))
    assert.equal((await probeWithin(probeHttp, target(failing, {}))).reason, 'IMMEDIATE_FAIL')
    const retriable = target(failing, { retriableCodes: codes(503) })
    assert.equal((await probeWithin(probeHttp, retriable)).reason, 'STATUS_RETRIABLE')
    const passing = await listen(t, answer(response(200, header)))
    assert.equal((await probeWithin(probeHttp, target(passing, {}))).reason, 'PASSED')
  })

  const wanting = (...blocks: readonly string[]): Partial<HttpRequest> => ({
    expectBody: blocks.map((block) => Buffer.from(block)),
  })

  test('the body must hold the expected blocks, whatever the status, and chunks are no content', async (t) => {
    const cases: readonly (readonly [string, Partial<HttpRequest>, string])[] = [
      [response(200, '', 'all is well'), wanting('all', 'well'), 'PASSED'],
      [response(200, '', 'all is well'), wanting('well', 'all'), 'BODY_MISMATCH'],
      [response(503, '', 'sick'), { ...wanting('well'), retriableCodes: codes(503) }, 'BODY_MISMATCH'],
      [response(503, '', 'well'), wanting('well'), 'STATUS_MISMATCH'],
      [response(200, '', 'all is well'), { ...wanting('well'), searchedBodyBytes: 8 }, 'BODY_MISMATCH'],
      [response(200), wanting('well'), 'BODY_MISMATCH'],
      [
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=well\r\nwe \r\n2\r\nll\r\n0\r\nT: well\r\n\r\n',
        wanting('well'),
        'BODY_MISMATCH',
      ],
      [
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nwe\r\n2\r\nll\r\n0\r\n\r\n',
        wanting('well'),
        'PASSED',
      ],
    ]
    for (const [text, http, reason] of cases) {
      const server = await listen(t, answer(text))
      const result = await probeWithin(probeHttp, target(server, http))
      assert.equal(result.reason, reason, text)
      assert.doesNotMatch(result.detail, /well|sick/)
    }
  })

  test('a body that is expected is waited for: a deadline and a break within it are failures of their own', async (t) => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nnot yet'
    const hanging = await probeWithin(probeHttp, target(await listen(t, answer(head)), wanting('well'), 100))
    assert.equal(hanging.reason, 'RECV_TIMEOUT')
    assert.match(hanging.detail, /reading the response body for 100 ms/)
    const breaking = await listen(
      t,
      answer(head, (socket) => socket.end()),
    )
    const broken = await probeWithin(probeHttp, target(breaking, wanting('well')))
    assert.equal(broken.reason, 'RECV_CLOSED')
    const found = await listen(
      t,
      answer(head, (socket) => socket.end()),
    )
    assert.equal((await probeWithin(probeHttp, target(found, wanting('yet')))).reason, 'PASSED')
    const unframed = await listen(
      t,
      answer('HTTP/1.1 200 OK\r\n\r\nall', (socket) => socket.end()),
    )
    assert.equal((await probeWithin(probeHttp, target(unframed, wanting('well')))).reason, 'BODY_MISMATCH')
  })

  test('a body goes out with its length after the headers that the monitor adds', async (t) => {
    let got = ''
    const server = await listen(t, (socket) => {
      socket.on('data', (chunk: Buffer) => {
        got += chunk.toString('latin1')
        if (got.endsWith('{}')) socket.write(response(200))
      })
    })
    const http: Partial<HttpRequest> = {
      method: 'POST',
      body: Buffer.from('{}'),
      headers: [
        { name: 'user-agent', value: 'probe', action: 'overwrite' },
        { name: 'X-A', value: '1', action: 'append' },
      ],
      removeHeaders: ['accept'],
    }
    assert.equal((await probeWithin(probeHttp, target(server, http))).reason, 'PASSED')
    assert.equal(
      got,
      'POST / HTTP/1.1\r\nHost: x\r\nuser-agent: probe\r\nX-A: 1\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}',
    )
  })

  for (const proxyProtocol of [1, 2] as const) {
    test(`a PROXY header of version ${proxyProtocol} comes before the request`, async (t) => {
      let got = ''
      const server = await listen(t, (socket) => {
        socket.on('data', (chunk: Buffer) => {
          got += chunk.toString('latin1')
          if (got.includes('\r\n\r\n', 20)) socket.write(response(200))
        })
      })
      const result = await probeWithin(probeHttp, { ...target(server, {}), proxyProtocol })
      assert.equal(result.reason, 'PASSED')
      assert.match(
        got,
        proxyProtocol === 1 ? /^PROXY TCP4 127[^\r]*\r\nGET / : /^\r\n\r\n\0\r\nQUIT\n \0\0\0GET /,
      )
    })
  }
}
