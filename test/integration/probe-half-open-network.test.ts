/**
 * Half-open probes in a network with routers, firewalls and routes that change: by the batch as by the other ways.
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { alike, makeTwoHosts, type TwoHosts } from '../support/two-hosts.ts'

const network = async (t: TestContext): Promise<TwoHosts | undefined> =>
  await makeTwoHosts(t, { type: 'TCP', halfOpen: true })

/** What a router does with packets to 10.88.1.0/24 and fd88:1::/32, and what that means for a probe of each family. */
const ROUTES: Readonly<
  Record<string, readonly [reason4: string, errno4: string, reason6: string, errno6: string]>
> = {
  unreachable: ['CONNECT_UNREACHABLE', 'EHOSTUNREACH', 'CONNECT_UNREACHABLE', 'ENETUNREACH'],
  prohibit: ['CONNECT_UNREACHABLE', 'EHOSTUNREACH', 'PROBER_FORBIDDEN', 'EACCES'],
  throw: ['CONNECT_UNREACHABLE', 'ENETUNREACH', 'CONNECT_UNREACHABLE', 'ENETUNREACH'],
}

// A network each: a router tells one host of five errors, and then of one a second.
for (const [kind, [reason4, errno4, reason6, errno6]] of Object.entries(ROUTES)) {
  test(`an ICMP error of a router whose route is "${kind}" means the same by every way`, async (t) => {
    const net = await network(t)
    if (net === undefined) return
    const { near, far } = net
    near.run('ip route add 10.88.0.0/16 via 10.77.0.2; ip -6 route add fd88::/16 via fd77::2')
    far.run(
      'sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0 net.ipv6.conf.all.forwarding=1 net.ipv6.icmp.ratelimit=0',
    )
    far.run(`ip route add ${kind} 10.88.1.0/24; ip -6 route add ${kind} fd88:1::/32`)
    assert.deepEqual(await alike(net, {}), ['PASSED', 'connected'])
    assert.deepEqual(await alike(net, { address: '10.88.1.1' }), [reason4, `connect ${errno4}`])
    assert.deepEqual(await alike(net, { address: 'fd88:1::1', family: 6 }), [reason6, `connect ${errno6}`])
  })
}

test('a target that refuses with an ICMP error or a reset means the same by every way', async (t) => {
  const net = await network(t)
  if (net === undefined) return
  net.far.run('sysctl -qw net.ipv4.icmp_ratelimit=0')
  try {
    for (const [port, how] of [
      [81, 'icmp-port-unreachable'],
      [82, 'icmp-host-prohibited'],
      [83, 'tcp-reset'],
    ] as const)
      net.far.run(`iptables -A INPUT -p tcp --dport ${port} -j REJECT --reject-with ${how}`)
  } catch (error) {
    return t.skip(`no iptables here: ${(error as Error).message}`)
  }
  assert.deepEqual(await alike(net, { port: 81 }), ['CONNECT_REFUSED', 'connect ECONNREFUSED'])
  assert.deepEqual(await alike(net, { port: 82 }), ['CONNECT_UNREACHABLE', 'connect EHOSTUNREACH'])
  assert.deepEqual(await alike(net, { port: 83 }), ['CONNECT_REFUSED', 'connect ECONNREFUSED'])
})

test('what this host cannot send means the same by every way', async (t) => {
  const net = await network(t)
  if (net === undefined) return
  net.near.run('ip route add unreachable 10.99.1.0/24; ip route add prohibit 10.99.2.0/24')
  net.near.run('ip route add blackhole 10.99.3.0/24')
  assert.deepEqual(await alike(net, { address: '192.0.2.1' }), ['CONNECT_UNREACHABLE', 'connect ENETUNREACH'])
  assert.deepEqual(await alike(net, { address: '10.99.1.1' }), [
    'CONNECT_UNREACHABLE',
    'connect EHOSTUNREACH',
  ])
  assert.deepEqual(await alike(net, { address: '10.99.2.1' }), ['PROBER_FORBIDDEN', 'connect EACCES'])
  assert.deepEqual(await alike(net, { address: '10.99.3.1' }), ['PROBER_FAULT', 'connect EINVAL'])
  assert.deepEqual(await alike(net, { address: '2001:db8::1', family: 6 }), [
    'CONNECT_UNREACHABLE',
    'connect ENETUNREACH',
  ])
})

test('a firewall of this host that drops the SYN: by the batch this is known, and nobody is called OFFLINE', async (t) => {
  const net = await network(t)
  if (net === undefined) return
  try {
    net.near.run('iptables -A OUTPUT -p tcp --dport 91 --syn -j DROP')
  } catch (error) {
    return t.skip(`no iptables here: ${(error as Error).message}`)
  }
  const { seen } = await net.ask({ port: 91 })
  const reasons = seen.map(({ reason }) => reason)
  // The kernel does not tell `connect`.
  const [first, ...others] = reasons
  assert.equal(first, 'PROBER_FORBIDDEN')
  assert.deepEqual(new Set(others), new Set(['CONNECT_TIMEOUT']))
})

test('nobody at an address of the own network: no neighbour is no route, by every way', async (t) => {
  const net = await network(t)
  if (net === undefined) return
  const nobody = { address: '10.77.0.200', timeoutMs: 8000 }
  assert.deepEqual(await alike(net, nobody), ['CONNECT_UNREACHABLE', 'connect EHOSTUNREACH'])
})

test('by the batch: after a change of addresses and routes the next probe passes from the new source', async (t) => {
  const net = await network(t)
  if (net === undefined) return
  const { near, ask } = net
  const passes = async (): Promise<void> => {
    const [seen] = (await ask({}, 'batch')).seen
    assert.equal(seen?.reason, 'PASSED')
    // A SYN with a wrong source would be answered by nobody, and the next one leaves after a second.
    assert.ok(seen.totalMs < 900, `took ${seen.totalMs} ms`)
  }
  await passes()
  near.run('sysctl -qw net.ipv4.conf.cable.promote_secondaries=1')
  near.run('ip addr add 10.77.0.9/24 dev cable; ip route replace 10.77.0.0/24 dev cable src 10.77.0.9')
  await passes()
  near.run('ip addr del 10.77.0.1/24 dev cable; ip route replace 10.77.0.0/24 dev cable src 10.77.0.9')
  await passes()
  near.run(
    'ip link set cable down; ip link set cable up; ip route replace 10.77.0.0/24 dev cable src 10.77.0.9',
  )
  await passes()
})

test('by the batch: a lost SYN is sent again, and the target that answers then passes', async (t) => {
  const net = await network(t)
  if (net === undefined) return
  try {
    net.far.run('iptables -A INPUT -p tcp --syn -m statistic --mode nth --every 2 --packet 0 -j DROP')
  } catch (error) {
    return t.skip(`iptables cannot drop every second packet here: ${(error as Error).message}`)
  }
  const [seen] = (await net.ask({ timeoutMs: 10_000 }, 'batch')).seen
  assert.equal(seen?.reason, 'PASSED')
  // A second by the kernel's own timer, which may end a tick of it early.
  assert.ok(seen.totalMs >= 900, `took ${seen.totalMs} ms`)
})

test('by the batch: where a firewall stops the resets of the kernel, the target gets one of ours', async (t) => {
  const net = await network(t)
  if (net === undefined) return
  try {
    // A reset of the kernel has no options; ours has one.
    net.near.run('iptables -A OUTPUT -p tcp --tcp-flags RST RST -m length --length 40 -j DROP')
  } catch (error) {
    return t.skip(`iptables cannot tell the kernel's packets here: ${(error as Error).message}`)
  }
  assert.equal((await net.ask({}, 'batch')).seen[0]?.reason, 'PASSED')
  const silent = { address: '10.77.0.2', port: 9, timeoutMs: 2500 }
  net.far.run('iptables -A INPUT -p tcp --dport 9 -j DROP')
  // While this one waits, the target repeats its SYN-ACK of the first.
  const { seen, resets } = await net.ask(silent, 'batch')
  assert.equal(seen[0]?.reason, 'CONNECT_TIMEOUT')
  assert.equal(resets, 1)
})
