/** Notifications as a listener of oslo.messaging is given them, by a real RabbitMQ that may be away. */
import assert from 'node:assert/strict'
import { after, type TestContext, test } from 'node:test'
import { connect } from 'amqplib'
import type { ServiceEvent } from '../../src/domain/event/event.ts'
import { readReceiverLags } from '../../src/store/event/deliveries.ts'
import { readOutboxLag } from '../../src/store/event/events.ts'
import { testDatabase } from '../support/database.ts'
import { type FlippingFarm, flippingFarm } from '../support/flips.ts'
import { folderOfTest } from '../support/folders.ts'
import { startNotifierProcess } from '../support/notifier-process.ts'
import {
  type Heard,
  missingForAmqp,
  PASSWORD,
  type RabbitMq,
  startListener,
  startRabbitMq,
} from '../support/rabbitmq.ts'
import { sequenceAllEvents } from '../support/sequence.ts'
import { until } from '../support/service.ts'

const MEMBERS = 20
const FLIPS = 200
/** A node of the cluster that is away, the first one that is tried. */
const AWAY = 'amqp://127.0.0.1:1'

let rabbitMq: Promise<RabbitMq> | undefined
const endings: (() => Promise<void> | void)[] = []
// Not in a test: it would end with that one.
after(async () => {
  for (const end of endings.toReversed()) await end()
})

/** One RabbitMQ for all tests: it takes seconds to start. Each test has a topic of its own. */
function sharedRabbitMq(): Promise<RabbitMq> {
  return (rabbitMq ??= startRabbitMq({ after: (end) => void endings.push(end) }, folderOfTest()))
}

let topics = 0

/** A notifier that delivers to a RabbitMQ with a listener, and members that flip. Undefined: the test was skipped. */
async function aBus(t: TestContext, { notifiers = 1, isHeard = true, isTls = false } = {}) {
  const missing = missingForAmqp()
  if (missing !== undefined) {
    t.skip(missing)
    return undefined
  }
  const rabbit = await sharedRabbitMq()
  const database = await testDatabase(t)
  const { db } = database
  const farm = await flippingFarm(db, MEMBERS)
  const topic = `topic-${++topics}`
  const heard = isHeard ? await startListener(t, rabbit, topic) : []
  const HM_AMQP_URL = isTls ? rabbit.tlsUrl : `${AWAY},${rabbit.url}`
  const start = (more: NodeJS.ProcessEnv = {}) =>
    startNotifierProcess(database, { HM_AMQP_URL, HM_AMQP_TOPICS: topic, ...more })
  // What the farm has caused is before the position with which the receiver begins.
  await sequenceAllEvents(db)
  const from = (await farm.events()).at(-1)?.position ?? 0
  const first = start()
  const lag = async () => (await readReceiverLags(db)).find(({ receiver }) => receiver === 'amqp')?.events
  await until(async () => (await lag()) !== undefined, 'the receiver')
  const processes = [first, ...Array.from({ length: notifiers - 1 }, () => start())]
  const told = async () => {
    // The outbox first: what leaves it in between still counts as lag.
    await until(async () => (await readOutboxLag(db)).rows === 0 && (await lag()) === 0, 'no lag')
    const expected = await farm.events(from)
    const ids = () => new Set(heard.map(({ message_id }) => message_id))
    await until(() => !isHeard || ids().size >= expected.length, `${expected.length} notifications`)
    return expected
  }
  return { farm, rabbit, heard, processes, told, topic, lag, start }
}

/** Flips in turn; `meanwhile` is called once, in the middle, and may take as long as it likes. */
async function flipAll(farm: FlippingFarm, meanwhile: () => Promise<void> = async () => undefined) {
  let other: Promise<void> | undefined
  for (let i = 0; i < FLIPS; i += 1) {
    await farm.flip(i % MEMBERS)
    if (i === FLIPS / 2) other = meanwhile()
  }
  await other
}

/** What was heard for the first time, in that order. */
function withoutDuplicates(heard: readonly Heard[]): readonly Heard[] {
  const seen = new Set<string>()
  return heard.filter(({ message_id }) => !seen.has(message_id) && seen.add(message_id))
}

/** Nothing lost, nothing out of order; returns how many came twice. */
function assertTold(expected: readonly ServiceEvent[], heard: readonly Heard[]): number {
  const firsts = withoutDuplicates(heard)
  assert.deepEqual(
    firsts.map(({ payload }) => payload.event_id),
    expected.map(({ position }) => String(position)),
  )
  return heard.length - firsts.length
}

test('200 changes reach a listener of oslo.messaging in their order, each once, as notifications of Octavia', async (t) => {
  const bus = await aBus(t)
  if (bus === undefined) return
  await flipAll(bus.farm)
  const expected = await bus.told()
  assert.equal(assertTold(expected, bus.heard), 0)
  const ofMembers = bus.heard.filter(({ event_type }) => event_type === 'octavia.member.status')
  assert.equal(ofMembers.length, FLIPS)
  const [first] = ofMembers
  assert.equal(first?.priority, 'INFO')
  assert.match(first?.publisher_id ?? '', /^healthmonitor\./)
  assert.match(first?.timestamp ?? '', /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/)
  assert.equal(first?.context['project_id'], 'project-1')
  assert.deepEqual(
    [first?.payload.member?.id, first?.payload.from, first?.payload.to, first?.payload.reason],
    [bus.farm.members[0], 'UNKNOWN', 'ONLINE', 'PASSED'],
  )
  assert.ok(bus.heard.some(({ event_type }) => event_type === 'octavia.pool.status'))
})

test('while RabbitMQ is stopped and started again nothing is lost, and the order stays', async (t) => {
  const bus = await aBus(t)
  if (bus === undefined) return
  const { farm, rabbit, processes, lag } = bus
  await flipAll(farm, async () => {
    await rabbit.stop('SIGTERM')
    await until(async () => ((await lag()) ?? 0) > 0, 'events that wait')
    await rabbit.start()
  })
  const expected = await bus.told()
  t.diagnostic(`${expected.length} events, ${assertTold(expected, bus.heard)} came twice`)
  const log = processes.map((process) => process.log()).join('')
  assert.match(log, /events cannot be delivered; they wait/)
  for (const secret of [PASSWORD, decodeURIComponent(PASSWORD)]) assert.ok(!log.includes(secret))
})

test('RabbitMQ killed with -9 loses nothing that it has confirmed', async (t) => {
  const bus = await aBus(t)
  if (bus === undefined) return
  await flipAll(bus.farm, async () => {
    await bus.rabbit.stop('SIGKILL')
    await bus.rabbit.start()
  })
  const expected = await bus.told()
  t.diagnostic(`${expected.length} events, ${assertTold(expected, bus.heard)} came twice`)
})

test('a notifier killed with -9 is followed by another one: nothing is lost, and the order stays', async (t) => {
  const bus = await aBus(t, { notifiers: 2 })
  if (bus === undefined) return
  await flipAll(bus.farm, async () => bus.processes[0]?.end('SIGKILL'))
  const expected = await bus.told()
  t.diagnostic(`${expected.length} events, ${assertTold(expected, bus.heard)} came twice`)
  assert.match(bus.processes[1]?.log() ?? '', /this process delivers events/)
})

test('notifications wait for a listener that comes later, also after somebody has deleted the queue', async (t) => {
  const bus = await aBus(t, { isHeard: false })
  if (bus === undefined) return
  const { rabbit, farm, told, topic } = bus
  const connection = await connect(rabbit.url)
  t.after(() => connection.close())
  const channel = await connection.createChannel()
  await farm.flip(0)
  const before = (await told()).length
  await channel.deleteQueue(`${topic}.info`)
  await farm.flip(1)
  const expected = (await told()).slice(before)
  const heard = await startListener(t, rabbit, topic)
  await until(() => heard.length >= expected.length, 'the notifications')
  assertTold(expected, heard)
})

test('over TLS events go to a broker whose certificate is trusted, and to no other one', async (t) => {
  const bus = await aBus(t, { isTls: true })
  if (bus === undefined) return
  const { farm, heard, processes, told, rabbit, start } = bus
  await farm.flip(0)
  await until(() => /self-signed certificate/.test(processes[0]?.log() ?? ''), 'the refusal')
  assert.equal(heard.length, 0)
  await processes[0]?.end('SIGTERM')
  start({ NODE_EXTRA_CA_CERTS: rabbit.certificate })
  assertTold(await told(), heard)
})
