import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../../../src/domain/address/ip-address.ts'
import { OWN_NETWORK_LEARN_EVERY_MS, OWN_WAYS_DOWN_MAX } from '../../../../src/domain/limits.ts'
import { type Reason, REASONS } from '../../../../src/domain/result/reasons.ts'
import type { MonitorType } from '../../../../src/domain/types.ts'
import { parseRoutes4, parseRoutes6 } from '../../../../src/domain/address/kernel-routes.ts'
import {
  type Fault,
  faultTowards,
  type HostNetwork,
  OwnNetwork,
} from '../../../../src/schedule/judge/own-network.ts'

const ROUTES4 = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	0100000A	0003	0	0	0	00000000	0	0	0
eth1	0000A8C0	00000000	0001	0	0	0	0000FFFF	0	0	0
*	0000010A	00000000	0201	0	0	0	0000FFFF	0	0	0
`
const ROUTES6 = `fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth1
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
`
const LOOPBACK = { isLoopback: true, addresses: ['127.0.0.1', '::1'] }
const ETH0 = { isLoopback: false, addresses: ['10.0.0.2'] }
const ETH1 = { isLoopback: false, addresses: ['192.168.0.2', 'fd00::2'] }

function host(
  devices: Readonly<Record<string, HostNetwork['devices'] extends ReadonlyMap<string, infer D> ? D : never>>,
): HostNetwork {
  return {
    devices: new Map(Object.entries(devices)),
    routes: [...parseRoutes4(ROUTES4), ...parseRoutes6(ROUTES6)],
  }
}

const faultOf = (address: string, network: HostNetwork) =>
  faultTowards(parseAddress(address) ?? assert.fail(), network)

test('the way to a target is down without a route, and when the device of the most specific route is not running', () => {
  const all = host({ lo: LOOPBACK, eth0: ETH0, eth1: ETH1 })
  const cases: readonly (readonly [string, HostNetwork, Fault | undefined])[] = [
    ['8.8.8.8', all, undefined],
    ['192.168.7.7', all, undefined],
    ['fd00::9', all, undefined],
    ['fd01::9', all, 'no route'],
    ['fd01::9', host({ lo: LOOPBACK }), 'device down'],
    ['192.168.7.7', host({ lo: LOOPBACK, eth0: ETH0 }), 'device down'],
    ['8.8.8.8', host({ lo: LOOPBACK, eth0: ETH0 }), undefined],
    ['8.8.8.8', host({ lo: LOOPBACK, eth1: ETH1 }), 'device down'],
    ['127.0.0.9', host({ lo: LOOPBACK }), undefined],
    ['127.0.0.9', host({ eth0: ETH0 }), 'device down'],
    ['::1', host({ eth0: ETH0 }), 'device down'],
    // An address of this host is reached by loopback, whatever the routes say.
    ['192.168.0.2', host({ eth1: ETH1 }), 'device down'],
    ['192.168.0.2', all, undefined],
  ]
  for (const [address, network, expected] of cases) {
    assert.equal(faultOf(address, network), expected, address)
  }
})

test('where routes cannot be read, one running device is enough', () => {
  const unread = (devices: Readonly<Record<string, typeof ETH0>>) => ({ ...host(devices), routes: undefined })
  assert.equal(faultOf('8.8.8.8', unread({ lo: LOOPBACK, eth0: ETH0 })), undefined)
  assert.equal(faultOf('8.8.8.8', unread({ lo: LOOPBACK })), 'device down')
})

const resultOf = (reason: Reason) => ({
  outcome: REASONS[reason].outcome,
  reason,
  detail: '',
  phases: { totalMs: 1 },
})

const probed = (address: string, startedMs: number, type: MonitorType = 'TCP') => ({
  startedMs,
  config: { target: { address, type }, policy: {} },
  state: { status: 'OFFLINE', decided: true } as const,
})

test('silence and "no route" count for nothing when the way was down since the probe began; an answer always counts', () => {
  let network = host({ lo: LOOPBACK })
  const own = new OwnNetwork(() => network)
  const reconsider = (reason: Reason, startedMs: number, nowMs: number) =>
    own.reconsider(probed('8.8.8.8', startedMs), resultOf(reason), nowMs).reason
  const suspects = ['CONNECT_TIMEOUT', 'RECV_TIMEOUT', 'ICMP_TIMEOUT', 'CONNECT_UNREACHABLE'] as const
  // The last is our own kernel's word for a neighbour whom it cannot find without carrier.
  for (const reason of [...suspects, 'ICMP_UNREACHABLE'] as const) {
    assert.equal(reconsider(reason, 0, 1000), 'PROBER_OFFLINE')
  }
  for (const reason of ['CONNECT_REFUSED', 'STATUS_MISMATCH', 'PASSED', 'PROBER_NO_SOCKET'] as const) {
    assert.equal(reconsider(reason, 0, 1000), reason)
  }
  network = host({ lo: LOOPBACK, eth0: ETH0 })
  assert.equal(
    reconsider('CONNECT_TIMEOUT', 900, 2000),
    'PROBER_OFFLINE',
    'it was down while the probe was under way',
  )
  assert.equal(
    reconsider('CONNECT_TIMEOUT', 1999, 2100),
    'PROBER_OFFLINE',
    'it may have come up at any time before it was seen to be up',
  )
  assert.equal(reconsider('CONNECT_TIMEOUT', 2001, 3000), 'CONNECT_TIMEOUT')
})

test('silence over UDP makes no member ONLINE while the way is down, and is not checked where it changes nothing', () => {
  let looks = 0
  const own = new OwnNetwork(() => {
    looks++
    return host({ lo: LOOPBACK })
  })
  const offline = probed('8.8.8.8', 0, 'UDP-CONNECT')
  const silence = resultOf('PASSED')
  assert.equal(own.reconsider(offline, silence, 1000).reason, 'PROBER_OFFLINE')
  const undecided = { ...offline, state: { status: 'ONLINE', decided: false } as const }
  assert.equal(own.reconsider(undecided, silence, 1000).reason, 'PROBER_OFFLINE')
  const reply = { ...silence, phases: { totalMs: 1, firstByteMs: 1 } }
  assert.equal(own.reconsider(offline, reply, 1000).reason, 'PASSED')
  const online = { ...offline, state: { status: 'ONLINE', decided: true } as const }
  looks = 0
  assert.equal(own.reconsider(online, silence, 1000 + OWN_NETWORK_LEARN_EVERY_MS - 1).reason, 'PASSED')
  assert.equal(looks, 0)
  const inverted = { ...online, config: { ...online.config, policy: { invert: true } } }
  assert.equal(own.reconsider(inverted, silence, 1000).reason, 'PROBER_OFFLINE')
})

const running = { lo: LOOPBACK, eth0: ETH0, eth1: ETH1 }
const withoutRoute = (): HostNetwork => ({ ...host(running), routes: [] })

test('a way that was never in the main table of routes may be in another one: its silence counts', () => {
  const own = new OwnNetwork(withoutRoute)
  const reconsider = (result: ReturnType<typeof resultOf>) =>
    own.reconsider(probed('8.8.8.8', 0), result, 1000).reason
  assert.equal(reconsider(resultOf('CONNECT_TIMEOUT')), 'CONNECT_TIMEOUT')
  const hostUnreachable = { ...resultOf('CONNECT_UNREACHABLE'), detail: 'connect EHOSTUNREACH' }
  assert.equal(reconsider(hostUnreachable), 'CONNECT_UNREACHABLE')
  const noRoute = { ...resultOf('CONNECT_UNREACHABLE'), detail: 'connect ENETUNREACH' }
  assert.equal(reconsider(noRoute), 'PROBER_OFFLINE', 'the kernel knows all tables')
})

test('a route that this process has seen and that is gone counts for nothing, and the detail names the way', () => {
  let network = withoutRoute()
  const own = new OwnNetwork(() => network)
  const reconsider = (address: string, reason: Reason, nowMs: number) =>
    own.reconsider(probed(address, nowMs - 100), resultOf(reason), nowMs)
  // While nothing fails, what is there is looked at too.
  network = host(running)
  assert.equal(reconsider('8.8.8.8', 'PASSED', 1000).reason, 'PASSED')
  network = withoutRoute()
  const lost = reconsider('8.8.8.8', 'CONNECT_TIMEOUT', 2000)
  assert.equal(lost.reason, 'PROBER_OFFLINE')
  assert.equal(lost.detail, 'this prober has lost its route to 8.8.8.0/24')
  network = host({ lo: LOOPBACK })
  const down = reconsider('fd00::7:9', 'RECV_TIMEOUT', 3000)
  assert.equal(down.detail, 'this prober has no running device towards fd00::/64')
})

test('a route that is lost just after a look counts for nothing too: a probe that began after the look makes another one', () => {
  let network = host(running)
  let looks = 0
  let clockMs = 0
  const read = () => {
    looks += 1
    clockMs += 2
    return network
  }
  const own = new OwnNetwork(read, () => clockMs)
  const reconsider = (startedMs: number, nowMs: number) =>
    own.reconsider(probed('8.8.8.8', startedMs), resultOf('CONNECT_UNREACHABLE'), nowMs).reason
  assert.equal(reconsider(999, 1000), 'CONNECT_UNREACHABLE')
  network = withoutRoute()
  assert.equal(reconsider(1050, 1050), 'PROBER_OFFLINE')
  const before = looks
  // A look takes 2 ms, so that the next one comes after 40 ms at the earliest.
  for (let ms = 1051; ms < 1090; ms++) assert.equal(reconsider(ms, ms), 'PROBER_OFFLINE')
  assert.equal(looks, before)
  reconsider(1090, 1090)
  assert.equal(looks, before + 1)
  for (let ms = 1091; ms < 1190; ms++) reconsider(1080, ms)
  assert.equal(looks, before + 1, 'a look that is newer than the probe holds for 100 ms')
})

test('of more ways than are remembered the oldest is forgotten', () => {
  let network = host({ lo: LOOPBACK })
  const own = new OwnNetwork(() => network)
  const reconsider = (i: number, nowMs: number) =>
    own.reconsider(probed(`11.${i >> 8}.${i & 255}.1`, 0), resultOf('CONNECT_TIMEOUT'), nowMs).reason
  for (let i = 0; i <= OWN_WAYS_DOWN_MAX; i++) assert.equal(reconsider(i, 1000), 'PROBER_OFFLINE')
  network = host(running)
  assert.equal(reconsider(1, 2000), 'PROBER_OFFLINE')
  assert.equal(reconsider(0, 2000), 'CONNECT_TIMEOUT')
})

test('a host that cannot be read, when no descriptor is free, is as it was read last; before that nothing is known to be down', () => {
  const outOfDescriptors = (): never => {
    throw Object.assign(new Error('uv_interface_addresses returned EMFILE'), { code: 'ERR_SYSTEM_ERROR' })
  }
  const never = new OwnNetwork(outOfDescriptors)
  assert.equal(
    never.reconsider(probed('8.8.8.8', 0), resultOf('CONNECT_TIMEOUT'), 1000).reason,
    'CONNECT_TIMEOUT',
  )
  let read: () => HostNetwork = () => host({ lo: LOOPBACK })
  const own = new OwnNetwork(() => read())
  const reconsider = (nowMs: number) =>
    own.reconsider(probed('8.8.8.8', nowMs - 1), resultOf('CONNECT_TIMEOUT'), nowMs).reason
  read = outOfDescriptors
  assert.equal(reconsider(10_000), 'PROBER_OFFLINE')
  read = () => host({ lo: LOOPBACK, eth0: ETH0 })
  assert.equal(reconsider(20_000), 'PROBER_OFFLINE', 'it ended at an unknown time since the last look')
  read = outOfDescriptors
  assert.equal(reconsider(30_000), 'CONNECT_TIMEOUT')
})
