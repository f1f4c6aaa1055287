import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { createServer } from 'node:tls'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import { selfSigned } from '../support/certificate.ts'
import { listen, openSockets, probeWithin, targetOf, until } from '../support/probing.ts'
import { probers } from '../support/probers.ts'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
const probeTcp = probers.TCP

/** Answers the first bytes of each connection with these pieces, one after the other. */
function answer(...pieces: readonly string[]): (socket: Socket) => void {
  return (socket) => {
    socket.once('data', () => {
      pieces.forEach((piece, index) => setTimeout(() => socket.write(piece, 'latin1'), index * 10))
    })
  }
}

const ping: Partial<ProbeTarget> = {
  tcp: { send: bytes('PING\r\n'), receive: [bytes('PONG')] },
  timeoutMs: 5000,
}

test('a TCP probe sends its bytes and passes when the expected ones come, in pieces too', async (t) => {
  let got = ''
  const server = await listen(t, (socket) => {
    socket.on('data', (chunk: Buffer) => (got += chunk.toString()))
    answer('+PO', 'NG\r\n')(socket)
  })
  const { reason, phases } = await probeWithin(probeTcp, targetOf(server, ping))
  assert.equal(reason, 'PASSED')
  assert.equal(got, 'PING\r\n')
  assert.ok((phases.connectMs ?? 9e9) <= (phases.firstByteMs ?? -1))
})

test('an exchange goes over IPv6, and uses the source address of the options', async (t) => {
  const overV6 = await listen(t, answer('PONG'), '::1')
  assert.equal(
    (await probeWithin(probeTcp, targetOf(overV6, { ...ping, proxyProtocol: 1 }))).reason,
    'PASSED',
  )
  let from: string | undefined
  const server = await listen(t, (socket) => {
    from = socket.remoteAddress
    answer('PONG')(socket)
  })
  await probeWithin(probeTcp, targetOf(server, { ...ping, sourceAddress: '127.0.0.77' }))
  assert.equal(from, '127.0.0.77')
})

test('blocks must come in order, with anything between them', async (t) => {
  const server = await listen(t, (socket) => socket.write('220 mail.example ESMTP ready\r\n'))
  const expecting = (...blocks: readonly string[]): ProbeTarget =>
    targetOf(server, { tcp: { receive: blocks.map(bytes) }, timeoutMs: 100 })
  assert.equal((await probeWithin(probeTcp, expecting('220', 'ESMTP'))).reason, 'PASSED')
  assert.equal((await probeWithin(probeTcp, expecting('ESMTP', '220'))).reason, 'RECV_TIMEOUT')
})

test('wrong bytes are a timeout, as Envoy counts them, and silence too; closing is RECV_CLOSED', async (t) => {
  const cases: readonly (readonly [(socket: Socket) => void, string, RegExp])[] = [
    [answer('-ERR\r\n'), 'RECV_TIMEOUT', /waiting for the expected bytes for 300 ms/],
    [() => undefined, 'RECV_TIMEOUT', /waiting for an answer for 300 ms/],
    [
      (socket) => socket.once('data', () => socket.end('x')),
      'RECV_CLOSED',
      /closed while waiting for the expected/,
    ],
    [
      (socket) => socket.once('data', () => socket.resetAndDestroy()),
      'RECV_CLOSED',
      /reset while waiting for an/,
    ],
  ]
  for (const [behave, reason, detail] of cases) {
    const target = targetOf(await listen(t, behave), ping)
    const timeoutMs = reason === 'RECV_TIMEOUT' ? 300 : target.timeoutMs
    const result = await probeWithin(probeTcp, { ...target, timeoutMs })
    assert.equal(result.reason, reason)
    assert.match(result.detail, detail)
  }
})

test('a flood without the expected bytes ends as a mismatch before the deadline', async (t) => {
  const server = await listen(t, (socket) => {
    const write = (): void => {
      if (!socket.destroyed && socket.write('x'.repeat(65_536))) setImmediate(write)
      else socket.once('drain', write)
    }
    write()
  })
  const result = await probeWithin(probeTcp, targetOf(server, { ...ping, timeoutMs: 10_000 }))
  assert.equal(result.reason, 'BODY_MISMATCH')
})

test('a PROXY header comes first and names the connection as the target sees it', async (t) => {
  const got: string[] = []
  let seen = ''
  const server = await listen(t, (socket) => {
    seen = `PROXY TCP4 ${socket.remoteAddress} ${socket.localAddress} ${socket.remotePort} ${socket.localPort}\r\n`
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (text.endsWith('PING\r\n')) {
        got.push(text)
        socket.write('PONG')
      }
    })
  })
  assert.equal(
    (await probeWithin(probeTcp, targetOf(server, { ...ping, proxyProtocol: 1 }))).reason,
    'PASSED',
  )
  assert.equal(got[0], `${seen}PING\r\n`)
  assert.equal(
    (await probeWithin(probeTcp, targetOf(server, { ...ping, proxyProtocol: 2 }))).reason,
    'PASSED',
  )
  assert.equal(got[1], '\r\n\r\n\0\r\nQUIT\n \0\0\0PING\r\n')
})

test('below TLS a PROXY header comes before the handshake, and the exchange after it', async (t) => {
  const tls = createServer(selfSigned('test'), (socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => socket.write(chunk.toString() === 'PING\r\n' ? 'PONG' : 'what?'))
  })
  let header = ''
  const server = await listen(t, (socket) => {
    socket.once('readable', () => {
      const chunk = socket.read() as Buffer
      const end = chunk.indexOf('\r\n') + 2
      header = chunk.toString('latin1', 0, end)
      if (chunk.length > end) socket.unshift(chunk.subarray(end))
      tls.emit('connection', socket)
    })
  })
  const result = await probeWithin(
    probeTcp,
    targetOf(server, { ...ping, proxyProtocol: 1, tls: { verify: false }, timeoutMs: 2000 }),
  )
  assert.equal(result.reason, 'PASSED')
  assert.match(header, /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n$/)
  assert.ok((result.phases.connectMs ?? 9e9) < (result.phases.tlsMs ?? -1))
})

test('an exchange below TLS is what a TLS-HELLO probe makes of it', async (t) => {
  const server = createServer(selfSigned('test'), (socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => socket.write(chunk.toString() === 'PING\r\n' ? '+PONG' : 'what?'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const target = targetOf(server, { ...ping, type: 'TLS-HELLO', timeoutMs: 500 })
  const { detail, phases } = await probeWithin(probers['TLS-HELLO'], target)
  assert.equal(detail, 'got the expected bytes')
  assert.ok((phases.tlsMs ?? 9e9) <= (phases.firstByteMs ?? -1))
  const other = { ...target, timeoutMs: 200, tcp: { receive: [bytes('other')], send: bytes('x') } }
  assert.equal((await probeWithin(probers['TLS-HELLO'], other)).reason, 'RECV_TIMEOUT')
})

for (const close of ['fin', 'rst'] as const) {
  test(`a connection that is to end with ${close} ends so`, async (t) => {
    let how = ''
    const server = await listen(t, (socket) => {
      socket.on('end', () => (how ||= 'fin'))
      socket.on(
        'error',
        (error: NodeJS.ErrnoException) => (how ||= error.code === 'ECONNRESET' ? 'rst' : 'error'),
      )
      socket.resume()
    })
    assert.equal(
      (await probeWithin(probeTcp, targetOf(server, { close, ...ping, tcp: { receive: [] } }))).reason,
      'PASSED',
    )
    await until(() => how !== '')
    assert.equal(how, close)
  })

  test(`a TLS connection that is to end with ${close} leaves no socket`, async (t) => {
    const server = createServer(selfSigned('test'), (socket) => {
      socket.on('error', () => undefined)
      socket.resume()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => server.close())
    const before = openSockets()
    const target = targetOf(server, { close, tls: { verify: false } })
    for (let i = 0; i < 50; i++) assert.equal((await probeWithin(probeTcp, target)).reason, 'PASSED')
    await until(() => openSockets() <= before)
  })
}
