/**
 * The contract of every prober (src/probe/probe.ts) against targets that misbehave, ended in every phase: `done` exactly
 * once and never before the prober returned, and no socket left.
 */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { readdirSync } from 'node:fs'
import type { Server, Socket } from 'node:net'
import { after, before, test, type TestContext } from 'node:test'
import { MAX_DETAIL_BYTES } from '../../src/domain/limits.ts'
import { REASONS } from '../../src/domain/result/reasons.ts'
import type { ProbeResult } from '../../src/domain/result/probe-result.ts'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import { MONITOR_TYPES, type MonitorType } from '../../src/domain/types.ts'
import type { Probe } from '../../src/probe/probe.ts'
import {
  attempt,
  blackHole,
  closedPort,
  getFrom,
  listen,
  openSockets,
  probeWithin,
  targetOf,
  until,
} from '../support/probing.ts'
import {
  closeEchoChannels,
  closeHalfOpen,
  closePing,
  closeSctpChannels,
  echoAvailability,
  idleConnections,
  noHalfOpenCore,
  noPlainHttpCore,
  noPlainTcpCore,
  probeHttpByCore,
  noPingCore,
  closeUdp,
  probePingByCore,
  probeUdpByCore,
  probeTcpByCore,
  probeTcpByNode,
  probeTcpByPlainCore,
  probers,
  sctpChannel,
} from '../support/probers.ts'

const HEAD = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`

/** Writes `text` again and again, as fast as it is read or, with `everyMs`, slowly, until the connection ends. */
function forever(text: string, everyMs = 0): (socket: Socket) => void {
  return (socket) => {
    const write = (): void => {
      if (socket.destroyed || socket.writableEnded) return
      const flowing = socket.write(text, 'latin1')
      if (everyMs > 0) setTimeout(write, everyMs)
      else if (flowing) setImmediate(write)
      else socket.once('drain', write)
    }
    write()
  }
}

function slowly(text: string): (socket: Socket) => void {
  return (socket) => {
    let sent = 0
    const write = (): void => {
      if (socket.destroyed || sent >= text.length) return
      socket.write(text.charAt(sent++), 'latin1')
      setTimeout(write, 2)
    }
    write()
  }
}

const preceded =
  (text: string, then: (socket: Socket) => void) =>
  (socket: Socket): void => {
    socket.write(text, 'latin1')
    then(socket)
  }

/** What a listener does with a connection that it accepted. */
const BEHAVIOURS: Readonly<Record<string, (socket: Socket) => void>> = {
  'accepts and never answers': () => undefined,
  'resets after the accept': (socket) => socket.resetAndDestroy(),
  'resets after the request': (socket) => socket.once('data', () => socket.resetAndDestroy()),
  'closes at once': (socket) => socket.end(),
  'closes its half and stays': (socket) => socket.end().resume(),
  'sends the head byte by byte': slowly(`${HEAD}X: y\r\nContent-Length: 0\r\n\r\n`),
  'sends an endless head': preceded(HEAD, forever('X: y\r\n')),
  'sends an endless header line': preceded(`${HEAD}X: `, forever('yyyyyyyyyyyyyyyy')),
  'sends an endless body': preceded(`${HEAD}\r\n`, forever('x'.repeat(1000))),
  'sends chunks forever': preceded(CHUNKED, forever('1\r\nx\r\n')),
  'sends a slow endless body': preceded(`${HEAD}\r\n`, forever('x', 5)),
  'sends garbage': forever('\x16\x03\x01garbage\xff\xfe'),
  'sends NUL bytes': forever('\0'.repeat(64)),
  'floods with 100 Continue': forever('HTTP/1.1 100 Continue\r\n\r\n'),
  'trickles 100 Continue': forever('HTTP/1.1 100 Continue\r\n\r\n', 5),
  'answers properly': (socket) => socket.end(`${HEAD}Content-Length: 0\r\n\r\n`),
  'answers and resets': (socket) => {
    socket.write(`${HEAD}Content-Length: 5\r\n\r\n`, () => socket.resetAndDestroy())
  },
}

/** Milliseconds after the start at which the attempt is ended: in the first turn, in between, and late. */
const CANCEL_AFTER_MS = [0, 1, 5, 60]

const HTTP = getFrom('x')
const HTTP2 = { ...HTTP, version: '2' } as const
const reuse = { freshEvery: 3, idleCloseIsFailure: false } as const
const grpc = { service: 'x', authority: 'x', metadata: [] } as const
const tls = { verify: false } as const
const tcp = { send: Buffer.from('x'), receive: [Buffer.from('HTTP'), Buffer.from('200')] } as const
const idleCloseIsFailure = { ...reuse, idleCloseIsFailure: true } as const
const udp = { requireReply: true, replyPattern: [0x6f] } as const

/** Every prober, and every variant of it that monitor options can ask for. */
const KINDS: Readonly<Record<string, Partial<ProbeTarget> & { readonly type: MonitorType }>> = {
  ...Object.fromEntries(
    MONITOR_TYPES.map((type) => [type, { type, http: HTTP, echoFirst: type === 'UDP-CONNECT' }]),
  ),
  'HTTP kept': { type: 'HTTP', http: HTTP, reuse },
  'HTTP with a body to find': { type: 'HTTP', http: { ...HTTP, expectBody: [Buffer.from('ok')] } },
  'HTTP behind PROXY': { type: 'HTTP', http: HTTP, proxyProtocol: 1 },
  'HTTPS behind PROXY': { type: 'HTTPS', http: HTTP, proxyProtocol: 2 },
  'HTTPS kept': { type: 'HTTPS', http: HTTP, reuse },
  h2c: { type: 'HTTP', http: HTTP2 },
  'h2c kept': { type: 'HTTP', http: HTTP2, reuse },
  h2: { type: 'HTTPS', http: HTTP2 },
  gRPC: { type: 'HTTP', grpc },
  'gRPC below TLS': { type: 'HTTPS', grpc },
  'TCP exchange': { type: 'TCP', tcp },
  'TCP exchange kept': { type: 'TCP', tcp, reuse: idleCloseIsFailure },
  'TCP exchange below TLS': { type: 'TCP', tcp, tls },
  'TLS exchange': { type: 'TLS-HELLO', tcp },
  'TCP that only sends': { type: 'TCP', tcp: { send: Buffer.from('x'), receive: [] }, close: 'rst' },
  'TCP ended by FIN': { type: 'TCP', close: 'fin' },
  'TCP half-open': { type: 'TCP', halfOpen: true },
  'TLS-HELLO that verifies': { type: 'TLS-HELLO', tls: { verify: true }, proxyProtocol: 1 },
  'UDP-CONNECT without an echo': { type: 'UDP-CONNECT' },
  'UDP exchange': { type: 'UDP-CONNECT', udp },
  'UDP exchange after an echo': { type: 'UDP-CONNECT', udp, echoFirst: true },
  'PING three times': { type: 'PING', echoCount: 3 },
}

function assertWellFormed({ outcome, reason, detail, phases }: ProbeResult): void {
  assert.equal(outcome, REASONS[reason].outcome)
  assert.ok(Buffer.byteLength(detail) <= MAX_DETAIL_BYTES)
  assert.match(detail, /^[\x20-\x7e]*$/)
  assert.doesNotMatch(detail, /garbage|x{3}|y{3}/, 'bytes of the target')
  const times = [phases.echoMs, phases.connectMs, phases.tlsMs, phases.firstByteMs, phases.totalMs]
  const ended = times.filter((time) => time !== undefined)
  assert.deepEqual(
    ended,
    [...ended].sort((a, b) => a - b),
  )
}

/** The probers of the table, and the way that TCP falls back on where something is missing. */
const SUBJECTS: readonly (readonly [string, Partial<ProbeTarget>, Probe])[] = [
  ...Object.entries(KINDS).map(([kind, variant]) => [kind, variant, probers[variant.type]] as const),
  ['TCP by net.Socket', { type: 'TCP' }, probeTcpByNode],
  ['TCP half-open by the batch', { type: 'TCP', halfOpen: true }, probeTcpByCore],
  ['TCP half-open by the batch without raw sockets', { type: 'TCP', halfOpen: true }, probeTcpByPlainCore],
  ['HTTP by the batch', { type: 'HTTP', http: HTTP }, probeHttpByCore],
  ['HTTP by the batch, ended by RST', { type: 'HTTP', http: HTTP, close: 'rst' }, probeHttpByCore],
  [
    'HTTP by the batch, with a body to find',
    { type: 'HTTP', http: { ...HTTP, expectBody: [Buffer.from('ok')] } },
    probeHttpByCore,
  ],
  [
    'HTTP by the batch, on kept connections',
    { type: 'HTTP', http: HTTP, reuse: { freshEvery: 3, idleCloseIsFailure: false } },
    probeHttpByCore,
  ],
  ['TCP by the batch', { type: 'TCP' }, probeTcpByPlainCore],
  ['TCP by the batch, ended by FIN', { type: 'TCP', close: 'fin' }, probeTcpByPlainCore],
  ['PING by the batch', { type: 'PING' }, probePingByCore],
  ['PING three times by the batch', { type: 'PING', echoCount: 3 }, probePingByCore],
  ['UDP by the batch', { type: 'UDP-CONNECT' }, probeUdpByCore],
  ['UDP after an echo by the batch', { type: 'UDP-CONNECT', echoFirst: true }, probeUdpByCore],
  ['UDP exchange after an echo by the batch', { type: 'UDP-CONNECT', udp, echoFirst: true }, probeUdpByCore],
  ['UDP exchange by the batch', { type: 'UDP-CONNECT', udp }, probeUdpByCore],
]

/** Ends the attempt `afterMs` after its start with `why`, and again with both when it is over. */
async function endAfter(
  probe: Probe,
  {
    target,
    afterMs,
    why,
  }: {
    readonly target: ProbeTarget
    readonly afterMs: number
    readonly why: 'timeout' | 'shutdown'
  },
): Promise<ProbeResult> {
  const started = attempt(probe, target)
  if (afterMs === 0) started.cancel(why)
  const timer = setTimeout(started.cancel, afterMs, why)
  const given = await started.result
  clearTimeout(timer)
  started.cancel('timeout')
  started.cancel('shutdown')
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(started.calls(), 1)
  assertWellFormed(given)
  return given
}

async function holds(name: string, where: ProbeTarget): Promise<void> {
  for (const [subject, variant, probe] of SUBJECTS) {
    const target = { ...where, ...variant, timeoutMs: 60 }
    const sockets = openSockets()
    const attempts: Promise<ProbeResult>[] = []
    for (const afterMs of CANCEL_AFTER_MS) {
      for (const why of ['timeout', 'shutdown'] as const)
        attempts.push(endAfter(probe, { target, afterMs, why }))
    }
    await Promise.all(attempts)
    idleConnections.closeAll()
    // Accepted connections of the listener in this process count too, and end once it sees ours end.
    await until(() => openSockets() <= sockets).catch(() => {
      assert.fail(
        `${subject} against a target that ${name}: ${sockets} sockets before, ${openSockets()} after`,
      )
    })
  }
}

before(async () => {
  // The raw sockets stay open: open them before sockets are counted.
  echoAvailability(4)
  sctpChannel(4)
  noHalfOpenCore()
  noPlainTcpCore()
  noPlainHttpCore()
  noPingCore()
  // One of their sockets each waits for the next datagram.
  for (const echoFirst of [false, true]) {
    const closed = { type: 'UDP-CONNECT', address: '127.0.0.1', family: 4, port: 1, timeoutMs: 60 } as const
    await probeWithin(probeUdpByCore, { ...closed, echoFirst })
  }
})
after(closeEchoChannels)
after(closeSctpChannels)
after(closeHalfOpen)
after(closePing)
after(closeUdp)

/** A listener that also ends its side when ours is gone, so that its sockets do not count as leaked. */
function closing(behave: (socket: Socket) => void): (socket: Socket) => void {
  return (socket) => {
    socket.on('end', () => socket.destroy())
    socket.resume()
    behave(socket)
  }
}

async function where(t: TestContext, behave: (socket: Socket) => void): Promise<ProbeTarget> {
  const server: Server = await listen(t, closing(behave))
  return targetOf(server)
}

for (const [name, behave] of Object.entries(BEHAVIOURS)) {
  test(`every prober keeps the contract against a target that ${name}`, async (t) => {
    await holds(name, await where(t, behave))
  })
}

test('every prober keeps the contract against a closed port', async () => {
  const port = await closedPort()
  await holds('is closed', { type: 'TCP', address: '127.0.0.1', family: 4, port, timeoutMs: 60 })
})

test('every prober keeps the contract against a black hole', async (t) => {
  await holds('is a black hole', await blackHole(t))
})

test('every prober keeps the contract against a UDP port that answers twice', async (t) => {
  const socket = createSocket('udp4')
  socket.on('message', (_, { port, address }) => {
    socket.send('one', port, address)
    socket.send('two', port, address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  t.after(() => socket.close())
  const { port } = socket.address()
  await holds('answers twice', { type: 'UDP-CONNECT', address: '127.0.0.1', family: 4, port, timeoutMs: 60 })
})

test('every prober keeps the contract when the source address is not of this host', async (t) => {
  const target = await where(t, () => undefined)
  await holds('cannot be reached from there', { ...target, sourceAddress: '203.0.113.1' })
})

test('two hundred probes of every kind leave no descriptor', async (t) => {
  const server = await where(t, (socket) => {
    socket.on('data', () => socket.write(`${HEAD}Content-Length: 2\r\n\r\nok`))
  })
  const descriptors = (): number => readdirSync('/proc/self/fd').length
  for (const [subject, variant, probe] of SUBJECTS) {
    const before = descriptors()
    const target = { ...server, ...variant, timeoutMs: 20 }
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        Array.from({ length: 20 }, () => endAfter(probe, { target, afterMs: 20, why: 'timeout' })),
      )
    }
    idleConnections.closeAll()
    await until(() => descriptors() <= before).catch(() => {
      assert.fail(`${subject}: ${before} descriptors before, ${descriptors()} after`)
    })
  }
})
