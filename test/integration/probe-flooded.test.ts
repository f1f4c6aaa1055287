/**
 * A flood by what one project lets the prober probe: members of other projects that die become OFFLINE all the same, and
 * those that answer never do (docs/adr/0033-ping-and-udp-by-the-batch.md).
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { LOST_BEFORE_DEDICATED } from '../../src/domain/limits.ts'
import { eventually } from '../support/configuration.ts'
import { type FloodedNetwork, makeFloodedNetwork } from '../support/flooded-network.ts'

const INTERVAL_MS = 200
const TIMEOUT_MS = 1000
const FALL = 3
/** From the death to OFFLINE: the probe under way may pass, then each takes its interval and its timeout. */
const WITHIN_MS = (FALL + LOST_BEFORE_DEDICATED + 1) * (INTERVAL_MS + TIMEOUT_MS)
/** What the tests of a whole run may take from the prober. */
const LEEWAY_MS = 3000

const DEAD = ['dead 4', 'dead 6']
const DYING = ['dying 4', 'dying 6']
const LIVE = ['live 4', 'live 6']

type Kind = Parameters<typeof makeFloodedNetwork>[1]

const KINDS: readonly (readonly [what: string, kind: Kind])[] = [
  ['PING', { type: 'PING', timeoutMs: TIMEOUT_MS }],
  ['UDP', { type: 'UDP-CONNECT', timeoutMs: TIMEOUT_MS, udp: { requireReply: true } }],
  [
    'UDP after an echo',
    { type: 'UDP-CONNECT', timeoutMs: TIMEOUT_MS, echoFirst: true, udp: { requireReply: true } },
  ],
  ['half-open TCP', { type: 'TCP', timeoutMs: TIMEOUT_MS, halfOpen: true }],
]

for (const [what, kind] of KINDS) {
  test(`${what}, flooded by a member of another project: who dies is OFFLINE within ${WITHIN_MS} ms, who lives stays ONLINE`, async (t) => {
    const net = await flooded(t, kind)
    if (net === undefined) return
    const { lost } = await net.counts()
    const tookMs = await offlineAfterMs(net)
    t.diagnostic(`OFFLINE after ${Math.round(tookMs)} ms`)
    assert.ok(tookMs <= WITHIN_MS + LEEWAY_MS, `${tookMs} ms`)
    // Seconds may pass without a loss where the host is slow.
    await eventually('the flood goes on', async () => (await net.counts()).lost > lost, 20_000)
    for (const [members, status] of [
      [LIVE, 'ONLINE'],
      [DEAD, 'OFFLINE'],
    ] as const)
      for (const member of members) assert.deepEqual(statusesOf(net, member), new Set([status]), member)
  })
}

/** A network whose members were found ONLINE, but for the dead, before it was flooded; and of which answers are lost now. */
async function flooded(t: TestContext, kind: Kind): Promise<FloodedNetwork | undefined> {
  const net = await makeFloodedNetwork(t, kind, { intervalMs: INTERVAL_MS, fall: FALL, buffers: 'small' })
  if (net === undefined) return undefined
  await eventually('they are ONLINE', () => areAll(net, [...DYING, ...LIVE], 'ONLINE'))
  await eventually('the dead are OFFLINE', () => areAll(net, DEAD, 'OFFLINE'))
  await net.flood()
  await eventually('probes are lost', async () => (await net.counts()).lost > 0, 20_000)
  return net
}

/** Milliseconds from the death of the dying hosts until the last of them is OFFLINE. */
async function offlineAfterMs(net: FloodedNetwork): Promise<number> {
  const diedAt = performance.timeOrigin + performance.now()
  net.kill()
  await eventually('the dying are OFFLINE', () => areAll(net, DYING, 'OFFLINE'), 4 * WITHIN_MS)
  const fell = net.verdicts.filter(({ member, status }) => DYING.includes(member) && status === 'OFFLINE')
  return Math.max(...fell.map(({ atMs }) => atMs)) - diedAt
}

function areAll({ verdicts }: FloodedNetwork, members: readonly string[], status: string): boolean {
  return members.every((each) => verdicts.findLast(({ member }) => member === each)?.status === status)
}

function statusesOf({ verdicts }: FloodedNetwork, member: string): ReadonlySet<string> {
  return new Set(verdicts.filter((verdict) => verdict.member === member).map(({ status }) => status))
}
