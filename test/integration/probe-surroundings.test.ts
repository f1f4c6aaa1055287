import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import type { MonitorType } from '../../src/domain/types.ts'
import { getFrom } from '../support/probing.ts'

const CHILD = fileURLToPath(new URL('../support/probe-child.js', import.meta.url))
const http = getFrom('x')

function target(type: MonitorType, address: string, port = 40_000): ProbeTarget {
  return { type, address, family: address.includes(':') ? 6 : 4, port, timeoutMs: 5000, http }
}

/** Lines of the child after `setup` (shell), which must end by becoming the child: `exec "$@"`. */
function probesOf(
  setup: string,
  targets: readonly ProbeTarget[],
  ...more: readonly string[]
): readonly string[] {
  const child = [process.execPath, CHILD, JSON.stringify(targets), ...more]
  const { stdout, stderr, status } = spawnSync('sh', ['-c', setup, 'sh', ...child], {
    encoding: 'utf8',
    timeout: 20_000,
  })
  assert.equal(status, 0, stderr)
  return stdout.trimEnd().split('\n')
}

/** Runs `body` where this process may make network namespaces; skips the test with the reason otherwise. */
function inNamespace(t: TestContext, body: () => void): void {
  const { status, stderr, error } = spawnSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up'], {
    encoding: 'utf8',
  })
  if (status === 0) body()
  else t.skip(`no network namespace here: ${error?.message ?? stderr}`)
}

const NAMESPACE = (setup: string): string =>
  `exec unshare -n sh -c 'ip link set lo up; ${setup} exec "$@"' sh "$@"`

test('a prober without descriptors says so and nothing about the targets', () => {
  const types = ['TCP', 'HTTP', 'HTTPS', 'TLS-HELLO', 'UDP-CONNECT'] as const
  const lines = probesOf(
    'ulimit -n 128; exec "$@"',
    types.map((type) => target(type, '127.0.0.1')),
    '--exhaust',
  )
  assert.equal(lines.length, types.length)
  for (const line of lines) assert.match(line, / PROBER_NO_SOCKET .*EMFILE/)
})

test('in a network namespace with nothing but loopback, a prober is offline for every other address', (t) =>
  inNamespace(t, () => {
    const addresses = ['10.1.2.3', 'fd00::5']
    const targets = addresses.flatMap((address) =>
      (['TCP', 'HTTP', 'UDP-CONNECT'] as const).map((type) => target(type, address)),
    )
    for (const line of probesOf(NAMESPACE(''), targets)) assert.match(line, / PROBER_OFFLINE .*ENETUNREACH/)
  }))

test('in a network namespace with a prohibited route, the prober knows that it is not the target', (t) =>
  inNamespace(t, () => {
    const lines = probesOf(NAMESPACE('ip route add prohibit 10.2.0.0/16;'), [
      target('TCP', '10.2.0.1'),
      target('UDP-CONNECT', '10.2.0.1'),
    ])
    for (const line of lines) assert.match(line, / PROBER_FORBIDDEN (?:connect|send) EACCES/)
  }))

test('in a network namespace with one source port, a probe of that port, closed, does not pass', (t) =>
  inNamespace(t, () => {
    const setup = NAMESPACE('echo 40000 40000 >/proc/sys/net/ipv4/ip_local_port_range;')
    for (const type of ['TCP', 'HTTP', 'HTTPS', 'TLS-HELLO', 'UDP-CONNECT'] as const) {
      const lines = probesOf(setup, [target(type, '127.0.0.1', 40_000)])
      assert.equal(lines.length, 1)
      assert.match(
        lines[0] ?? '',
        / (?:CONNECT_REFUSED|ICMP_UNREACHABLE) nobody listens: connected to itself$/,
      )
    }
  }))
