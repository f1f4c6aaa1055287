/** UDP in a network with routers and firewalls: by the batch as by its prober. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { alike, assertCannotSend, makeTwoHosts, type TwoHosts } from '../support/two-hosts.ts'

/** What a busy host needs to bring an error of the network back. */
const WAIT_MS = 1500

const FAR6 = { address: 'fd77::2', family: 6 } as const
const SILENT = ['PASSED', 'no reply, no port unreachable']
const CLOSED = ['ICMP_UNREACHABLE', 'port unreachable']
const DOUBTFUL = ['ICMP_UNREACHABLE', 'unreachable, no reply']

const network = async (t: TestContext): Promise<TwoHosts | undefined> =>
  await makeTwoHosts(t, { type: 'UDP-CONNECT', timeoutMs: WAIT_MS })

test('a silent port passes at the deadline and a closed one fails at once, over both families, by both ways', async (t) => {
  const net = await network(t)
  if (net === undefined) return
  for (const family of [{}, FAR6]) {
    assert.deepEqual(await alike(net, family), SILENT)
    assert.deepEqual(await alike(net, { ...family, port: 9 }), CLOSED)
    assert.deepEqual(await alike(net, { ...family, udp: { requireReply: true } }), [
      'RECV_TIMEOUT',
      `no reply within ${WAIT_MS} ms`,
    ])
  }
})

for (const [kind, meaning4] of [
  ['unreachable', DOUBTFUL],
  ['prohibit', ['ICMP_UNREACHABLE', 'unreachable']],
  ['throw', DOUBTFUL],
] as const) {
  test(`an ICMP error of a router whose route is "${kind}" means the same by both ways`, async (t) => {
    const net = await network(t)
    if (net === undefined) return
    const { near, far } = net
    near.run('ip route add 10.88.0.0/16 via 10.77.0.2; ip -6 route add fd88::/16 via fd77::2')
    far.run(
      'sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0 net.ipv6.conf.all.forwarding=1 net.ipv6.icmp.ratelimit=0',
    )
    far.run(`ip route add ${kind} 10.88.1.0/24; ip -6 route add ${kind} fd88:1::/32`)
    assert.deepEqual(await alike(net, { address: '10.88.1.1' }), meaning4)
    const [reason] = await alike(net, { address: 'fd88:1::1', family: 6 })
    assert.equal(reason, 'ICMP_UNREACHABLE')
  })
}

test('with an echo before, each step means the same by both ways', async (t) => {
  const net = await network(t)
  if (net === undefined) return
  const { near, far } = net
  const echoFirst = true
  for (const family of [{}, FAR6]) {
    assert.deepEqual(await alike(net, { ...family, echoFirst }), SILENT)
    assert.deepEqual(await alike(net, { ...family, echoFirst, port: 9 }), CLOSED)
  }
  near.run('ip route add 10.88.0.0/16 via 10.77.0.2')
  far.run('sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0; ip route add unreachable 10.88.1.0/24')
  assert.deepEqual(await alike(net, { echoFirst, address: '10.88.1.1' }), [
    'ICMP_UNREACHABLE',
    'the echo could not be delivered',
  ])
  assert.deepEqual(await alike(net, { echoFirst, address: '192.0.2.1' }), [
    'CONNECT_UNREACHABLE',
    'echo ENETUNREACH',
  ])
  far.run('sysctl -qw net.ipv4.icmp_echo_ignore_all=1')
  assert.deepEqual(await alike(net, { echoFirst }), ['ICMP_TIMEOUT', `no echo reply within ${WAIT_MS} ms`])
})

test('what this host cannot send means the same by both ways', async (t) => {
  const net = await network(t)
  if (net === undefined) return
  const further = [
    [{ sourceAddress: '10.77.0.77' }, 'PROBER_NO_SOCKET', 'bind EADDRNOTAVAIL'],
    [{ ...FAR6, sourceAddress: 'fd77::77' }, 'PROBER_NO_SOCKET', 'bind EADDRNOTAVAIL'],
  ] as const
  await assertCannotSend(t, net, { call: 'send', protocol: 'udp', further })
})

test('nobody at an address of the own network is doubtful and silent, by both ways', async (t) => {
  const net = await network(t)
  if (net === undefined) return
  assert.deepEqual(await alike(net, { address: '10.77.0.200', timeoutMs: 5000 }), DOUBTFUL)
})

test('by the batch: datagrams leave from the source address of their targets, of both families', async (t) => {
  const net = await network(t)
  if (net === undefined) return
  const { near, far, ask } = net
  near.run('ip addr add 10.77.0.9/24 dev cable; ip -6 addr add fd77::9/64 dev cable nodad')
  far.run('ip route add blackhole 10.77.0.1/32; ip -6 route add blackhole fd77::9/128')
  // An error has a way back to one of them only.
  for (const [of, source, other] of [
    [{}, '10.77.0.9', '10.77.0.1'],
    [FAR6, 'fd77::1', 'fd77::9'],
  ] as const) {
    const detailFrom = async (sourceAddress: string, timeoutMs: number): Promise<string | undefined> =>
      (await ask({ ...of, port: 9, sourceAddress, timeoutMs }, 'batch')).seen[0]?.detail
    assert.equal(await detailFrom(source, 3000), 'port unreachable')
    assert.equal(await detailFrom(other, WAIT_MS), 'no reply, no port unreachable')
  }
})
