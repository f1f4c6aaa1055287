import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../../src/domain/ip-address.ts'
import { type Reason, REASONS } from '../../../src/domain/reasons.ts'
import { parseRoutes4, parseRoutes6 } from '../../../src/domain/routes.ts'
import { type HostNetwork, isDown, OwnNetwork } from '../../../src/schedule/own-network.ts'

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

const down = (address: string, network: HostNetwork) =>
  isDown(parseAddress(address) ?? assert.fail(), network)

test('the way to a target is down without a route, and when the device of the most specific route is not running', () => {
  const all = host({ lo: LOOPBACK, eth0: ETH0, eth1: ETH1 })
  const cases: readonly (readonly [string, HostNetwork, boolean])[] = [
    ['8.8.8.8', all, false],
    ['192.168.7.7', all, false],
    ['fd00::9', all, false],
    ['fd01::9', all, true],
    ['192.168.7.7', host({ lo: LOOPBACK, eth0: ETH0 }), true],
    ['8.8.8.8', host({ lo: LOOPBACK, eth0: ETH0 }), false],
    ['8.8.8.8', host({ lo: LOOPBACK, eth1: ETH1 }), true],
    ['127.0.0.9', host({ lo: LOOPBACK }), false],
    ['127.0.0.9', host({ eth0: ETH0 }), true],
    ['::1', host({ eth0: ETH0 }), true],
    // An address of this host goes by loopback, whatever the routes say.
    ['192.168.0.2', host({ eth1: ETH1 }), true],
    ['192.168.0.2', all, false],
  ]
  for (const [address, network, expected] of cases) assert.equal(down(address, network), expected, address)
})

test('where routes cannot be read, one running device is enough', () => {
  const unread = (devices: Readonly<Record<string, typeof ETH0>>) => ({ ...host(devices), routes: undefined })
  assert.equal(down('8.8.8.8', unread({ lo: LOOPBACK, eth0: ETH0 })), false)
  assert.equal(down('8.8.8.8', unread({ lo: LOOPBACK })), true)
})

const resultOf = (reason: Reason) => ({
  outcome: REASONS[reason].outcome,
  reason,
  detail: '',
  phases: { totalMs: 1 },
})

test('silence and "no route" count for nothing when the way was down since the probe began; an answer always counts', () => {
  let network = host({ lo: LOOPBACK })
  const own = new OwnNetwork(() => network)
  const weigh = (reason: Reason, startedMs: number, nowMs: number) =>
    own.weigh({ startedMs, config: { target: { address: '8.8.8.8' } } }, resultOf(reason), nowMs).reason
  for (const reason of ['CONNECT_TIMEOUT', 'RECV_TIMEOUT', 'ICMP_TIMEOUT', 'CONNECT_UNREACHABLE'] as const) {
    assert.equal(weigh(reason, 0, 1000), 'PROBER_OFFLINE')
  }
  for (const reason of ['CONNECT_REFUSED', 'STATUS_MISMATCH', 'PASSED', 'PROBER_NO_SOCKET'] as const) {
    assert.equal(weigh(reason, 0, 1000), reason)
  }
  network = host({ lo: LOOPBACK, eth0: ETH0 })
  assert.equal(
    weigh('CONNECT_TIMEOUT', 900, 2000),
    'PROBER_OFFLINE',
    'it was down while the probe was under way',
  )
  assert.equal(weigh('CONNECT_TIMEOUT', 1100, 2100), 'CONNECT_TIMEOUT')
})
