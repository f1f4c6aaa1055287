/** Sessions of BFD, two of ours against each other in virtual time, over a network that loses and reorders packets. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CONTROL_PACKET_BYTES,
  type ControlPacket,
  readControlPacket,
  writeControlPacket,
} from '../../../../src/domain/bfd/packet.ts'
import { type BfdChange, BfdSession, type BfdTimers, SLOW_TX_US } from '../../../../src/domain/bfd/session.ts'
import { seededRandom } from '../../../support/random.ts'

const MS = 1000
const FAST: BfdTimers = { minTxUs: 100 * MS, minRxUs: 100 * MS, multiplier: 3 }
/** Two slow intervals, a third for a packet that was lost, and what they are apart. */
const UP_WITHIN_MS = 4000

interface Sent {
  readonly atMs: number
  readonly packet: ControlPacket
}

/** One end: its session, what it sent, and what changed. */
class End {
  session: BfdSession
  readonly sent: Sent[] = []
  readonly changes: (BfdChange & { readonly atMs: number })[] = []
  isFrozen = false

  constructor(session: BfdSession) {
    this.session = session
  }

  noteChange(change: BfdChange | undefined, atMs: number): void {
    if (change !== undefined) this.changes.push({ ...change, atMs })
  }
}

interface Net {
  /** Of 1000 packets so many are lost. */
  lossOfThousand: number
  /** Milliseconds that a packet takes at most. */
  delayMs: number
  isCut: boolean
}

/** Both ends and the network between them; `run` lets milliseconds pass. */
function twoEnds(
  below: (n: number) => number,
  { a = FAST, b = FAST, isPassive = [false, false] as readonly [boolean, boolean] } = {},
) {
  const random = () => below(1000) / 1000
  let nowMs = 1000
  let lastDiscriminator = 0
  const begin = (timers: BfdTimers, passive = false) =>
    new BfdSession({ timers, discriminator: ++lastDiscriminator, isPassive: passive, random }, nowMs)
  const ends = [new End(begin(a, isPassive[0])), new End(begin(b, isPassive[1]))] as const
  const net: Net = { lossOfThousand: 0, delayMs: 0, isCut: false }
  const flying: { readonly atMs: number; readonly to: End; readonly bytes: Uint8Array }[] = []
  const send = (from: End, packet: ControlPacket) => {
    from.sent.push({ atMs: nowMs, packet })
    if (net.isCut || below(1000) < net.lossOfThousand) return
    const bytes = new Uint8Array(CONTROL_PACKET_BYTES)
    writeControlPacket(packet, new DataView(bytes.buffer))
    const to = from === ends[0] ? ends[1] : ends[0]
    flying.push({ atMs: nowMs + below(net.delayMs + 1), to, bytes })
  }
  const receive = (end: End, bytes: Uint8Array) => {
    const packet = readControlPacket(new DataView(bytes.buffer))
    if (typeof packet === 'string') return assert.fail(packet)
    // As a receiver of many sessions does: a packet to a session that is gone belongs to nobody.
    if (packet.yourDiscriminator !== 0 && packet.yourDiscriminator !== end.session.discriminator) return
    end.noteChange(end.session.receive(packet, nowMs), nowMs)
    if (packet.isPoll && end.session.state !== 'AdminDown') send(end, end.session.answerPoll())
  }
  const turn = (end: End) => {
    if (end.isFrozen) return
    for (let i = 0; i < flying.length; ) {
      const packet = flying[i]
      if (packet === undefined || packet.to !== end || packet.atMs > nowMs) i += 1
      else {
        flying.splice(i, 1)
        receive(end, packet.bytes)
      }
    }
    end.noteChange(end.session.expire(nowMs), nowMs)
    if (end.session.nextSendMs <= nowMs) send(end, end.session.send(nowMs))
  }
  const run = (ms: number, isDone: () => boolean = () => false) => {
    for (const endMs = nowMs + ms; nowMs < endMs && !isDone(); nowMs += 1) ends.forEach(turn)
  }
  const areUp = () => ends.every(({ session }) => session.state === 'Up')
  const comeUp = () => {
    run(UP_WITHIN_MS, areUp)
    assert.ok(areUp(), 'both are up')
    // Until the poll sequences of coming up have ended.
    run(1500)
  }
  return { ends, net, run, comeUp, areUp, now: () => nowMs, begin }
}

/** Milliseconds between packets of the schedule; answers to polls are outside of it. */
function gapsOf(sent: readonly Sent[]): readonly number[] {
  const times = sent.filter(({ packet }) => !packet.isFinal).map(({ atMs }) => atMs)
  return times.slice(1).map((at, i) => at - (times[i] ?? 0))
}

test('two sessions come up at the slow rate, and then send in the interval of both, a part less at random', (t) => {
  const { ends, run, comeUp } = twoEnds(seededRandom(t, 'bfd up'), {
    a: { ...FAST, minTxUs: 50 * MS },
    b: { ...FAST, minRxUs: 200 * MS },
  })
  const [a, b] = ends
  comeUp()
  for (const { sent } of ends)
    for (const { packet } of sent.filter((each) => each.packet.state !== 'Up'))
      assert.equal(packet.desiredMinTxUs, SLOW_TX_US)
  a.sent.length = b.sent.length = 0
  run(10_000)
  for (const [end, intervalMs] of [
    [a, 200],
    [b, 100],
  ] as const)
    for (const gap of gapsOf(end.sent))
      assert.ok(gap >= intervalMs * 0.75 - 1 && gap <= intervalMs + 1, `${gap} ms of ${intervalMs}`)
  assert.equal(a.session.detectionMs, 3 * 100)
  assert.equal(b.session.detectionMs, 3 * 200)
})

test('with a multiplier of 1 a packet is sent at 75 to 90 % of the interval', (t) => {
  const { ends, run, comeUp } = twoEnds(seededRandom(t, 'bfd alone'), { a: { ...FAST, multiplier: 1 } })
  comeUp()
  ends[0].sent.length = 0
  run(5000)
  for (const gap of gapsOf(ends[0].sent)) assert.ok(gap >= 74 && gap <= 91, `${gap} ms`)
})

test('when the path is cut both notice within the detection time, and it is no stall of ours', (t) => {
  const { ends, net, run, comeUp, now } = twoEnds(seededRandom(t, 'bfd cut'))
  comeUp()
  net.isCut = true
  const cutMs = now()
  run(1000)
  for (const { session, changes } of ends) {
    const down = changes.at(-1)
    assert.ok(down !== undefined && down.atMs - cutMs <= 301, JSON.stringify(down))
    assert.deepEqual([down.to, down.diagnostic, down.isOwnStall], ['Down', 1, false])
    assert.equal(session.remoteDiscriminator, 0)
  }
  net.isCut = false
  comeUp()
})

test('over a network that loses and reorders they are never stuck: when it is well again, both are up and stay up', (t) => {
  const below = seededRandom(t, 'bfd loss')
  for (let round = 0; round < 20; round++) {
    const { ends, net, run, comeUp, areUp } = twoEnds(below, {
      a: { minTxUs: (20 + below(300)) * MS, minRxUs: (20 + below(300)) * MS, multiplier: 1 + below(5) },
    })
    Object.assign(net, { lossOfThousand: 100 + below(600), delayMs: below(400) })
    run(20_000)
    Object.assign(net, { lossOfThousand: 0, delayMs: 0 })
    // What is still on its way, and what is down because of it.
    run(UP_WITHIN_MS)
    comeUp()
    for (const end of ends) end.changes.length = 0
    run(10_000)
    assert.ok(areUp())
    assert.deepEqual(
      ends.map(({ changes }) => changes),
      [[], []],
    )
  }
})

test('a peer that starts anew is noticed, and the session comes up again with its new discriminator', (t) => {
  const { ends, run, comeUp, begin } = twoEnds(seededRandom(t, 'bfd restart'))
  const [a, b] = ends
  comeUp()
  a.changes.length = 0
  b.session = begin(FAST)
  run(400)
  assert.equal(a.changes[0]?.to, 'Down')
  comeUp()
  assert.equal(a.session.remoteDiscriminator, b.session.discriminator)
})

test('a change of timers while up is agreed by a poll: what is slower holds after the answer, what is faster at once', (t) => {
  const { ends, net, run, comeUp } = twoEnds(seededRandom(t, 'bfd poll'))
  const [a, b] = ends
  comeUp()
  // The answer cannot arrive yet.
  net.isCut = true
  a.session.setTimers({ minTxUs: 400 * MS, minRxUs: 50 * MS, multiplier: 3 }, 0)
  assert.equal(a.session.txIntervalUs, 100 * MS)
  assert.equal(a.session.detectionMs, 300)
  net.isCut = false
  a.sent.length = 0
  run(1000)
  assert.ok(a.sent[0]?.packet.isPoll)
  assert.ok(b.sent.some(({ packet }) => packet.isFinal && !packet.isPoll))
  assert.equal(a.sent.at(-1)?.packet.isPoll, false)
  assert.equal(a.session.txIntervalUs, 400 * MS)
  assert.equal(a.session.detectionMs, 300, 'the peer sends no faster than it wants to')
  assert.equal(b.session.detectionMs, 3 * 400)
})

test('no change of timers, however many follow each other, makes either end go down', (t) => {
  const below = seededRandom(t, 'bfd timers')
  const { ends, run, comeUp } = twoEnds(below)
  comeUp()
  for (const end of ends) end.changes.length = 0
  for (let i = 0; i < 200; i++) {
    const end = ends[below(2)] ?? ends[0]
    const timers = {
      minTxUs: (10 + below(500)) * MS,
      minRxUs: (10 + below(500)) * MS,
      multiplier: 2 + below(4),
    }
    end.session.setTimers(timers, 0)
    run(below(600))
  }
  assert.deepEqual(
    ends.map(({ changes }) => changes),
    [[], []],
  )
})

test('AdminDown is said to the peer, which goes down and learns why; afterwards both come up again', (t) => {
  const { ends, run, comeUp, now } = twoEnds(seededRandom(t, 'bfd admin'))
  const [a, b] = ends
  comeUp()
  a.noteChange(a.session.setAdmin(false, now()), now())
  run(2)
  const { to, diagnostic, remoteState, remoteDiagnostic } = b.changes.at(-1) ?? assert.fail()
  assert.deepEqual([to, diagnostic, remoteState, remoteDiagnostic], ['Down', 3, 'AdminDown', 7])
  run(5000)
  assert.equal(a.session.state, 'AdminDown')
  assert.equal(b.session.state, 'Down')
  assert.equal(a.session.setAdmin(false, now()), undefined)
  a.noteChange(a.session.setAdmin(true, now()), now())
  comeUp()
})

test('a passive session waits for the first packet, so that two of them send nothing', (t) => {
  const below = seededRandom(t, 'bfd passive')
  twoEnds(below, { isPassive: [true, false] }).comeUp()
  const { ends, run } = twoEnds(below, { isPassive: [true, true] })
  run(10_000)
  for (const { sent } of ends) assert.deepEqual(sent, [])
})

test('a peer that wants to receive nothing is sent nothing but the answers to its polls', (t) => {
  const { ends, run, comeUp, now } = twoEnds(seededRandom(t, 'bfd silent'))
  const [a] = ends
  comeUp()
  const nothing: ControlPacket = {
    state: 'Up',
    diagnostic: 0,
    isPoll: true,
    isFinal: false,
    isDemand: false,
    multiplier: 50,
    myDiscriminator: ends[1].session.discriminator,
    yourDiscriminator: a.session.discriminator,
    desiredMinTxUs: 100 * MS,
    requiredMinRxUs: 0,
  }
  ends[1].isFrozen = true
  run(2)
  a.session.receive(nothing, now())
  const answer = a.session.answerPoll()
  assert.deepEqual([answer.isFinal, answer.isPoll], [true, false])
  a.sent.length = 0
  run(2000)
  assert.deepEqual(a.sent, [])
  a.session.receive({ ...nothing, requiredMinRxUs: 100 * MS, isDemand: true }, now())
  run(500)
  assert.deepEqual(a.sent, [], 'nor one in demand mode')
})

test('a stall of ours is not taken for a failure of the peer, which goes on, and gave us up', (t) => {
  const { ends, run, comeUp } = twoEnds(seededRandom(t, 'bfd stall'))
  const [a, b] = ends
  comeUp()
  a.isFrozen = true
  a.changes.length = 0
  run(1000)
  assert.deepEqual([b.changes.at(-1)?.to, b.changes.at(-1)?.diagnostic], ['Down', 1])
  a.isFrozen = false
  run(1)
  const [change] = a.changes
  assert.deepEqual(
    [change?.to, change?.diagnostic, change?.remoteDiagnostic, change?.isOwnStall],
    ['Down', 3, 1, true],
  )
  comeUp()
})

test('a stall that is shorter than the peer waits changes nothing, though packets of the peer were read late', (t) => {
  const { ends, run, comeUp } = twoEnds(seededRandom(t, 'bfd short stall'))
  const [a] = ends
  comeUp()
  for (const end of ends) end.changes.length = 0
  for (let i = 0; i < 20; i++) {
    a.isFrozen = true
    run(190)
    a.isFrozen = false
    run(300)
  }
  assert.deepEqual(
    ends.map(({ changes }) => changes),
    [[], []],
  )
})
