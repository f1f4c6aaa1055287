/** PING in a network with routers, firewalls, forgers and routes that change: by the batch as by its prober. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import type { ForgedAnswer } from '../support/echo-forger.ts'
import { alike, assertCannotSend, makeTwoHosts, tryIn, type TwoHosts } from '../support/two-hosts.ts'

const FAR = { 4: { address: '10.77.0.2', family: 4 }, 6: { address: 'fd77::2', family: 6 } } as const
const FORGER = fileURLToPath(new URL('../support/echo-forger.js', import.meta.url))

const PASSED = ['PASSED', 'echo answered']
/** What a busy host needs to bring an answer or an error of the network back. */
const WAIT_MS = 1500
const SILENT = ['ICMP_TIMEOUT', `no echo reply within ${WAIT_MS} ms`]
const UNREACHABLE = ['ICMP_UNREACHABLE', 'the echo could not be delivered']

const network = async (t: TestContext): Promise<TwoHosts | undefined> =>
  await makeTwoHosts(t, { type: 'PING', port: 0, timeoutMs: WAIT_MS })

function ignoreEchoes({ far }: TwoHosts): void {
  far.run('sysctl -qw net.ipv4.icmp_echo_ignore_all=1 net.ipv6.icmp.echo_ignore_all=1')
}

/** The far host answers echoes in this way, until the test ends or the returned function is called. */
async function forging(
  t: TestContext,
  { far }: TwoHosts,
  family: 4 | 6,
  how: ForgedAnswer,
): Promise<() => Promise<void>> {
  const [command, ...args] = [...far.within, process.execPath, FORGER, String(family), how]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return async () => {
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
}

/** What each way of answering means, by both ways of probing. */
const MEANINGS: Partial<Record<ForgedAnswer, readonly string[]>> = {
  right: PASSED,
  wrong: SILENT,
  unreachable: UNREACHABLE,
  'unreachable, quoted in short': UNREACHABLE,
  'unreachable, of others': SILENT,
  'time exceeded': SILENT,
}

for (const family of [4, 6] as const) {
  test(`over IPv${family} an answer counts if it is one to our echo, and means the same by both ways`, async (t) => {
    const net = await network(t)
    if (net === undefined) return
    assert.deepEqual(await alike(net, FAR[family]), PASSED)
    ignoreEchoes(net)
    assert.deepEqual(await alike(net, FAR[family]), SILENT)
    for (const [how, meaning] of Object.entries(MEANINGS)) {
      const stop = await forging(t, net, family, how as ForgedAnswer)
      assert.deepEqual(await alike(net, FAR[family]), meaning, how)
      await stop()
    }
    await forging(t, net, family, 'unreachable, with another random word')
    const [byBatch, , dedicated] = (await net.ask(FAR[family])).seen
    for (const seen of [byBatch, dedicated]) assert.deepEqual([seen?.reason, seen?.detail], SILENT)
  })
}

test('a right reply from another address is none, by both ways', async (t) => {
  const net = await network(t)
  if (net === undefined) return
  ignoreEchoes(net)
  await forging(t, net, 4, 'right')
  assert.deepEqual(await alike(net, {}), PASSED)
  net.far.run('ip addr add 10.77.0.3/24 dev cable; ip route replace 10.77.0.0/24 dev cable src 10.77.0.3')
  assert.deepEqual(await alike(net, {}), SILENT)
  assert.deepEqual(await alike(net, { address: '10.77.0.3' }), PASSED)
})

test('of several echoes one after the other, a missing one fails, and the detail says how many there were', async (t) => {
  const net = await network(t)
  if (net === undefined) return
  assert.deepEqual(await alike(net, { echoCount: 3 }), ['PASSED', '3 echoes answered'])
  const second = 'iptables -A INPUT -p icmp -m statistic --mode nth --every 2 --packet 1 -j DROP'
  if (tryIn(t, net.far, second) === undefined) return
  const [seen] = (await net.ask({ echoCount: 3 }, 'batch')).seen
  assert.deepEqual(
    [seen?.reason, seen?.detail],
    ['ICMP_TIMEOUT', `1 of 3 echoes answered within ${WAIT_MS} ms`],
  )
})

for (const kind of ['unreachable', 'prohibit', 'throw']) {
  test(`an ICMP error of a router whose route is "${kind}" means the same by both ways`, async (t) => {
    const net = await network(t)
    if (net === undefined) return
    const { near, far } = net
    near.run('ip route add 10.88.0.0/16 via 10.77.0.2; ip -6 route add fd88::/16 via fd77::2')
    far.run(
      'sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0 net.ipv6.conf.all.forwarding=1 net.ipv6.icmp.ratelimit=0',
    )
    far.run(`ip route add ${kind} 10.88.1.0/24; ip -6 route add ${kind} fd88:1::/32`)
    assert.deepEqual(await alike(net, { address: '10.88.1.1' }), UNREACHABLE)
    assert.deepEqual(await alike(net, { address: 'fd88:1::1', family: 6 }), UNREACHABLE)
  })
}

test('what this host cannot send means the same by both ways', async (t) => {
  const net = await network(t)
  if (net === undefined) return
  const further = [[{ address: '10.99.3.1' }, 'PROBER_FAULT', 'echo EINVAL']] as const
  await assertCannotSend(t, net, { call: 'echo', protocol: 'icmp', further })
})

test('nobody at an address of the own network: no neighbour is unreachable, by both ways', async (t) => {
  const net = await network(t)
  if (net === undefined) return
  assert.deepEqual(await alike(net, { address: '10.77.0.200', timeoutMs: 8000 }), UNREACHABLE)
})

test('by the batch: an echo leaves from the source address of its target, and from none that is not of this host', async (t) => {
  const net = await network(t)
  if (net === undefined) return
  const { near, far, ask } = net
  near.run('ip addr add 10.77.0.9/24 dev cable; ip -6 addr add fd77::9/64 dev cable nodad')
  // Only what comes from the address that the kernel does not choose by itself has a way back.
  far.run('ip route add blackhole 10.77.0.1/32; ip -6 route add blackhole fd77::9/128')
  for (const [of, source, foreign] of [
    [FAR[4], '10.77.0.9', '10.77.0.77'],
    [FAR[6], 'fd77::1', 'fd77::77'],
  ] as const) {
    const reasonFrom = async (from: Partial<ProbeTarget>): Promise<string | undefined> =>
      (await ask({ ...of, ...from }, 'batch')).seen[0]?.reason
    // The first packet may have to find its neighbour.
    assert.equal(await reasonFrom({ sourceAddress: source, timeoutMs: 3000 }), 'PASSED', source)
    assert.equal(await reasonFrom({}), 'ICMP_TIMEOUT')
    assert.equal(await reasonFrom({ sourceAddress: foreign }), 'PROBER_NO_SOCKET')
  }
})

test('by the batch: after a change of addresses and routes the next probe passes', async (t) => {
  const net = await network(t)
  if (net === undefined) return
  const passes = async (): Promise<void> =>
    assert.equal((await net.ask({}, 'batch')).seen[0]?.reason, 'PASSED')
  const route = 'ip route replace 10.77.0.0/24 dev cable src 10.77.0.9'
  await passes()
  net.near.run('sysctl -qw net.ipv4.conf.cable.promote_secondaries=1')
  net.near.run(`ip addr add 10.77.0.9/24 dev cable; ${route}; ip addr del 10.77.0.1/24 dev cable; ${route}`)
  await passes()
  net.near.run(`ip link set cable down; ip link set cable up; ${route}`)
  await passes()
})
