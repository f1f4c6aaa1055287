import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { constants } from 'node:os'
import { test } from 'node:test'
import fc from 'fast-check'
import { IDLE_KERNEL_SOCKETS_MS, LINGER_MS } from '../../../../../src/domain/limits.ts'
import type { HttpRequest } from '../../../../../src/domain/target/probe-target.ts'
import type { StreamCalls } from '../../../../../src/probe/http/plain/stream-calls.ts'
import { answering, HTTP, httpTarget, OK, once, opened, real } from '../../../../support/plain-http.ts'
import { probeHttp, probeHttpByCore } from '../../../../support/probers.ts'
import { listen, probeWithin, until } from '../../../../support/probing.ts'

const { ENOBUFS, ENOMEM, ETIMEDOUT, ECONNRESET, EPIPE, EHOSTUNREACH } = constants.errno

test('a probe that passed as the one before is reported by numbers, any other one by its text', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  let text = OK
  const server = await listen(
    t,
    answering(() => text),
  )
  const { core } = opened(t, calls)
  const slot = core.hold(httpTarget(server))
  const answers: readonly (readonly [text: string, detail: string, isLikeBefore: boolean])[] = [
    [OK, 'got 200', false],
    [OK, 'got 200', true],
    ['HTTP/1.1 204 No Content\r\n\r\n', 'got 204', false],
    ['HTTP/1.1 204 No Content\r\n\r\n', 'got 204', true],
    ['HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n', 'got 404, expected 200-204', false],
    ['HTTP/1.1 204 No Content\r\n\r\n', 'got 204', false],
    ['HTTP/1.1 200 OK\r\n\r\nuntil the end', 'got 200', false],
    [OK, 'got 200', false],
  ]
  for (const [given, detail, isLikeBefore] of answers) {
    text = given
    const told = await once(core, slot)
    assert.deepEqual([told.result.detail, told.isLikeBefore], [detail, isLikeBefore], given)
    if (!isLikeBefore) continue
    const { totalMs, connectMs, firstByteMs } = told.result.phases
    assert.ok(connectMs !== undefined && firstByteMs !== undefined)
    assert.deepEqual(core.phasesOf(Math.round(totalMs * 1000), slot), { connectMs, firstByteMs, totalMs })
  }
})

test('an answer that is read late has the time at which it arrived', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  let answered = 0
  const server = await listen(
    t,
    answering(
      () => OK,
      () => void answered++,
    ),
  )
  const { core } = opened(t, calls)
  const slot = core.hold(httpTarget(server))
  await once(core, slot)
  const startMs = performance.now()
  core.start(Int32Array.of(slot), 1, startMs)
  core.collect(startMs)
  await until(() => answered === 2)
  const answeredMs = performance.now() - startMs
  await new Promise((resolve) => setTimeout(resolve, 150))
  core.collect(performance.now())
  const { phases } = core.resultOf(0)
  assert.ok(phases.totalMs <= answeredMs + 50, `${phases.totalMs} of ${answeredMs} ms`)
  assert.equal(phases.firstByteMs, phases.totalMs)
})

test('sockets of connections that ended in order are used again, whichever side ended first', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const ends: string[] = []
  const note = (socket: Socket): void => {
    socket.on('end', () => ends.push('FIN'))
    socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? 'error'))
  }
  for (const endsFirst of [true, false]) {
    const server = await listen(t, (socket) => {
      note(socket)
      if (!endsFirst) socket.on('end', () => socket.end())
      answering(
        () => OK,
        (answered) => endsFirst && answered.end(),
      )(socket)
    })
    const { plain, core } = opened(t, calls)
    const slot = core.hold(httpTarget(server))
    for (let i = 1; i <= 3; i++) {
      assert.equal((await once(core, slot)).result.reason, 'PASSED')
      await until(() => {
        core.collect(performance.now())
        return ends.length === i
      })
      assert.ok(plain.descriptors <= 3, `${plain.descriptors} descriptors`)
    }
    assert.deepEqual(ends.splice(0), ['FIN', 'FIN', 'FIN'])
    plain.close()
  }
  const server = await listen(t, (socket) => {
    note(socket)
    answering(
      () => OK,
      () => undefined,
    )(socket)
  })
  const { core } = opened(t, calls)
  assert.equal((await once(core, core.hold(httpTarget(server, { close: 'rst' })))).result.reason, 'PASSED')
  await until(() => ends.length === 1)
  assert.deepEqual(ends, ['ECONNRESET'])
})

test('a socket whose target does not end its side is closed, at once or when it has lingered for a second', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  let text = OK
  let answered = 0
  const server = await listen(
    t,
    answering(
      () => text,
      () => void answered++,
    ),
  )
  const { plain, core } = opened(t, calls)
  const slot = core.hold(httpTarget(server))
  const own = plain.descriptors
  assert.equal((await once(core, slot)).result.reason, 'PASSED')
  assert.equal(plain.descriptors, own + 1)
  core.collect(performance.now() + LINGER_MS)
  assert.equal(plain.descriptors, own + 1)
  core.collect(performance.now() + IDLE_KERNEL_SOCKETS_MS)
  assert.equal(plain.descriptors, own)
  plain.allowIdle(1)
  for (let i = 0; i < 3; i++) assert.equal((await once(core, slot)).result.reason, 'PASSED')
  assert.ok(plain.descriptors <= own + 1, 'no more linger than may')
  core.release(slot)
  assert.equal(plain.descriptors, own)
  // The head alone passes; what is still to come must not be waited for.
  text = 'HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n'
  const hasty = core.hold(httpTarget(server))
  const before = answered
  core.start(Int32Array.of(hasty), 1, performance.now())
  core.collect(performance.now())
  await until(() => answered > before)
  core.expire(hasty, performance.now())
  assert.equal(core.resultOf(0).reason, 'PASSED')
  assert.equal(plain.descriptors, own)
})

test('a request for which the socket has no room is sent as the target reads it', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const body = Buffer.alloc(8 * 1024 * 1024, 'x')
  let seen = 0
  const server = await listen(t, (socket) => {
    socket.pause()
    setTimeout(() => socket.resume(), 50)
    socket.on('data', (bytes) => {
      seen += bytes.length
      if (seen > body.length) socket.end(OK)
    })
  })
  let full = 0
  const { core } = opened(t, {
    ...calls,
    send: (...values) => {
      const sent = calls.send(...values)
      if (sent < 0) full++
      return sent
    },
  })
  const slot = core.hold(httpTarget(server, { http: { ...HTTP, method: 'POST', body } }))
  full = 0
  assert.equal((await once(core, slot)).result.detail, 'got 200')
  assert.ok(full > 0, 'there was always room')
})

test('a call that fails in a conversation has the reason and the words of the prober', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const server = await listen(
    t,
    answering(() => OK),
  )
  let failing: 'send' | 'recvmmsg' | undefined
  let errno = 0
  const breaking: StreamCalls = {
    ...calls,
    send: (...values) => (failing === 'send' ? -1 : calls.send(...values)),
    recvmmsg: (...values) => (failing === 'recvmmsg' ? -1 : calls.recvmmsg(...values)),
    errno: () => errno || calls.errno(),
  }
  const { core } = opened(t, breaking)
  const slot = core.hold(httpTarget(server))
  const faults: readonly (readonly [
    call: 'send' | 'recvmmsg',
    errno: number,
    reason: string,
    detail: RegExp,
  ])[] = [
    ['send', ECONNRESET, 'CONNECT_RESET', /^connect ECONNRESET$/],
    ['send', EPIPE, 'CONNECT_RESET', /^connect EPIPE$/],
    ['send', ENOBUFS, 'PROBER_NO_SOCKET', /ENOBUFS$/],
    ['recvmmsg', ECONNRESET, 'RECV_CLOSED', /^reset before the status line$/],
    ['recvmmsg', ETIMEDOUT, 'RECV_TIMEOUT', /^read ETIMEDOUT$/],
    ['recvmmsg', ENOMEM, 'PROBER_NO_SOCKET', /^read ENOMEM$/],
    ['recvmmsg', EHOSTUNREACH, 'CONNECT_UNREACHABLE', /^read EHOSTUNREACH$/],
  ]
  for (const [call, number, reason, detail] of faults) {
    core.start(Int32Array.of(slot), 1, performance.now())
    failing = call
    errno = number
    // `connect` of the batch has been made: from now on only the conversation fails.
    core.collect(performance.now())
    await until(() => {
      core.collect(performance.now())
      return core.ended.count > 0
    })
    const given = core.resultOf(0)
    core.ended.clear()
    failing = undefined
    errno = 0
    assert.equal(given.reason, reason, `${call} ${number}`)
    assert.match(given.detail, detail)
  }
})

test('random answers, cut at random places, have the verdict, the words and the flag of the prober', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  let pieces: readonly string[] = []
  const server = await listen(t, (socket) => {
    socket.setNoDelay(true)
    const mine = pieces
    socket.once('data', () => {
      const say = (i: number): void => {
        if (socket.destroyed) return
        if (i === mine.length) return void socket.end()
        socket.write(mine[i] ?? '', 'latin1', () => setImmediate(say, i + 1))
      }
      say(0)
    })
  })
  const http: HttpRequest = { ...HTTP, drainingCodes: [{ from: 404, to: 404 }] }
  const target = httpTarget(server, { http })
  const line = fc.constantFrom(
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.0 204 X\r\n',
    'HTTP/1.1 404 Not Found\r\n',
    'HTTP/1.1 503 X\r\n',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n',
    'HTTP/1.1 20',
    'garbage\r\n',
  )
  const header = fc.constantFrom(
    'Content-Length: 2\r\n',
    'Content-Length: 5\r\n',
    'Transfer-Encoding: chunked\r\n',
    'X-Envoy-Immediate-Health-Check-Fail: true\r\n',
    'A: b\r\n c\r\n',
    'A: b\n',
    'no header\r\n',
  )
  const body = fc.constantFrom('', 'ok', '2\r\nok\r\n0\r\n\r\n', 'more than was said')
  const answer = fc
    .tuple(line, fc.array(header, { maxLength: 3 }), body)
    .map(([first, headers, content]) => `${first}${headers.join('')}\r\n${content}`)
  await fc.assert(
    fc.asyncProperty(answer, fc.array(fc.nat(), { maxLength: 3 }), async (text, cuts) => {
      const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length]
      pieces = places
        .slice(1)
        .map((to, i) => text.slice(places[i], to))
        .filter((piece) => piece !== '')
      const [byBatch, asOne] = [
        await probeWithin(probeHttpByCore, target),
        await probeWithin(probeHttp, target),
      ]
      const { phases: _, ...verdict } = byBatch
      const { phases: __, ...expected } = asOne
      assert.deepEqual(verdict, expected)
    }),
    { numRuns: 150 },
  )
})
