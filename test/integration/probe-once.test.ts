import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { mistakeLine, UsageError } from '../../src/bin/command-line.ts'
import { probeOnce } from '../../src/bin/command/probe-once.ts'
import { makeTargetPolicy, parseCidrList } from '../../src/domain/address/target-policy.ts'
import { closedPort, listen, targetOf } from '../support/probing.ts'
import { sctpChannel } from '../support/probers.ts'

async function run(argv: readonly string[], deny = '') {
  const policy = makeTargetPolicy({
    allow: [],
    deny: parseCidrList(deny),
    loopbackAllowed: true,
    ownListeners: [],
    localAddresses: [],
  })
  let out = ''
  let err = ''
  try {
    const code = await probeOnce(argv, {
      policy,
      out: (text) => (out += text),
      err: (text) => (err += text),
    })
    return { code, out, err }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return { code: 2, out, err: mistakeLine(error, 'probe-once') }
  }
}

const at = (server: Server): string => {
  const { address, family, port } = targetOf(server)
  return family === 6 ? `[${address}]:${port}` : `${address}:${port}`
}

test('a probe that passes prints phases and verdict and gives 0', async (t) => {
  for (const address of ['127.0.0.1', '::1']) {
    const server = await listen(t, (socket) => socket.end('HTTP/1.1 204 No Content\r\n\r\n'), address)
    const http = [
      '--type',
      'http',
      '--target',
      at(server),
      '--path',
      '/up',
      '--host',
      'a.b',
      '--expected-codes',
      '200-204',
    ]
    const { code, out, err } = await run(http)
    assert.equal(code, 0)
    assert.equal(err, '')
    assert.match(
      out,
      /^HTTP .*, GET \/up HTTP\/1\.1, Host a\.b, timeout 3000 ms\n {2}connect +\d+\.\d+ ms\n {2}first byte .*\n {2}end /,
    )
    assert.match(out, /\npassed: PASSED - the probe passed \(got 204\)\n$/)
    assert.equal((await run(['--type', 'TCP', '--target', at(server)])).code, 0)
  }
})

test('a probe that fails gives 1, and --json is one object', async () => {
  const port = await closedPort()
  const { code, out } = await run(['--type', 'TCP', '--target', `127.0.0.1:${port}`, '--json'])
  assert.equal(code, 1)
  const given = JSON.parse(out)
  assert.equal(given.reason, 'CONNECT_REFUSED')
  assert.equal(given.port, port)
  assert.equal((await run(['--type', 'UDP_CONNECT', '--no-echo', '--target', `127.0.0.1:${port}`])).code, 1)
})

test('the timeout is a number of seconds, or says its unit', async (t) => {
  const server = await listen(t, () => undefined)
  for (const timeout of ['0.05', '0.05s', '50ms']) {
    const { code, out } = await run(['--type', 'HTTP', '--target', at(server), '--timeout', timeout])
    assert.equal(code, 1)
    assert.match(out, /RECV_TIMEOUT .*waiting for the status line for 50 ms/)
  }
})

test('a denied target gets no packet and gives 2', async (t) => {
  let connections = 0
  const server = await listen(t, () => connections++)
  const { code, out } = await run(['--type', 'TCP', '--target', at(server)], '127.0.0.0/8')
  assert.equal(code, 2)
  assert.match(out, /TARGET_DENIED .*HM_PROBE_DENY/)
  assert.equal((await run(['--type', 'TCP', '--target', '169.254.169.254:80'])).code, 2)
  assert.equal(connections, 0)
})

test('SCTP to a host without it fails where a raw socket may be opened, and is inconclusive where not', async () => {
  const { availability } = sctpChannel(4)
  const { code, out } = await run(['--type', 'SCTP', '--target', '127.0.0.1:9', '--timeout', '100ms'])
  assert.equal(code, availability.available ? 1 : 2)
  assert.match(out, availability.available ? /CONNECT_(TIMEOUT|REFUSED)/ : /PROBER_(FORBIDDEN|UNSUPPORTED)/)
})

test('a command that makes no sense gives 2 and says why on stderr', async () => {
  const target = ['--target', '127.0.0.1:80']
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /--type must be one of/],
    [['--type', 'FTP', ...target], /--type must be one of/],
    [['--type', 'TCP'], /--target is missing/],
    [['--type', 'TCP', '--target', '127.0.0.1'], /needs a port/],
    [['--type', 'TCP', '--target', '127.0.0.1:0'], /needs a port/],
    [['--type', 'TCP', '--target', '127.0.0.1:65536'], /needs a port/],
    [['--type', 'TCP', '--target', '127.1:80'], /is not ADDRESS:PORT/],
    [['--type', 'TCP', '--target', 'localhost:80'], /addresses are taken, names are not/],
    [['--type', 'TCP', '--target', '[fe80::1%lo]:80'], /is not ADDRESS:PORT/],
    [['--type', 'TCP', ...target, '--timeout', '0'], /--timeout must be/],
    [['--type', 'TCP', ...target, '--timeout', '3m'], /--timeout must be/],
    [['--type', 'TCP', ...target, '--source', '::1'], /--source/],
    [['--type', 'TCP', ...target, '--what'], /Unknown option/],
    [['--type', 'TCP', ...target, 'more'], /"more" is not understood/],
    [['--type', 'HTTP', ...target, '--path', 'x'], /--path must start/],
    [['--type', 'HTTP', ...target, '--path', '/ x'], /printable/],
    [['--type', 'HTTP', ...target, '--host', 'a\r\nX: y'], /printable/],
    [['--type', 'HTTP', ...target, '--http-version', '2'], /--http-version/],
    [['--type', 'HTTP', ...target, '--expected-codes', '99'], /--expected-codes/],
  ]
  for (const [argv, why] of wrong) {
    const { code, out, err } = await run(argv)
    assert.equal(code, 2, argv.join(' '))
    assert.equal(out, '')
    assert.match(err, why)
    assert.match(err, /^healthmonitor probe-once: [^\n]+ \(healthmonitor probe-once --help says more\)\n$/)
  }
})

test('--options makes a probe as a monitor with these options would make it', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'hm-options-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const file = (options: unknown): string => {
    const path = join(dir, 'options.json')
    writeFileSync(path, typeof options === 'string' ? options : JSON.stringify(options))
    return path
  }
  let got = ''
  const server = await listen(t, (socket) => {
    socket.on('data', (chunk: Buffer) => {
      got = chunk.toString()
      socket.end('HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nwell')
    })
  })
  const asking = (options: unknown, ...flags: string[]) =>
    run(['--type', 'HTTP', '--target', at(server), '--json', '--options', file(options), ...flags])
  const http = {
    path: '/deep',
    headers: [{ name: 'X-A', value: '1' }],
    expected_statuses: [{ start: 200, end: 299 }],
    expected_body: ['well'],
  }
  const passed = await asking({ http, connection: { reuse: true } })
  assert.equal(passed.err, '')
  assert.equal(passed.code, 0)
  assert.match(got, /^GET \/deep HTTP\/1\.1\r\n.*X-A: 1\r\n.*Connection: close\r\n/s)
  assert.equal((await asking({ http: { ...http, expected_statuses: [{ start: 200, end: 201 }] } })).code, 1)
  for (const [options, flags, version] of [
    [{ timeout_ms: 900 }, [], '1.1'],
    [{ timeout_ms: 900 }, ['--http-version', '1.0'], '1.0'],
    [{ preset: 'haproxy' }, [], '1.0'],
    [{ preset: 'haproxy' }, ['--http-version', '1.1'], '1.1'],
    [{ http: { version: '1.1' } }, ['--http-version', '1.0'], '1.1'],
  ] as const) {
    assert.equal((await asking(options, ...flags, '--expected-codes', '201')).code, 0)
    assert.equal(/HTTP\/(.*)\r\n/.exec(got)?.[1], version, `${JSON.stringify(options)} ${flags.join(' ')}`)
  }
  for (const [bad, message] of [
    [{ nonsense: 1 }, /nonsense/],
    [{ udp: { require_reply: true } }, /udp/],
    ['{', /JSON/],
  ] as const) {
    const { code, err } = await asking(bad)
    assert.equal(code, 2)
    assert.match(err, message)
  }
})
