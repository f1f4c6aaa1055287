/**
 * Somebody has stolen the credential of a site, and speaks NATS as they like: what reaches anybody is what the probers of
 * that site may do, and nothing of it leaves the site's account.
 */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { jetstreamManager } from '@nats-io/jetstream'
import type { Msg, NatsConnection } from '@nats-io/transport-node'
import { NATS_SITE_CONSUMERS_MAX } from '../../src/domain/limits.ts'
import {
  HUB_DOMAIN,
  namesOf,
  POSITION_KEY,
  proberPublishes,
  proberSubscribes,
  RELAY_KEY,
} from '../../src/site/subjects.ts'
import { eventually } from '../support/configuration.ts'
import { connectToHub, credentialsFile, type Hub, startHub, type User } from '../support/nats-hub.ts'
import { type NatsBinary, testOnNats } from '../support/nats-server.ts'
import { connectRawLeaf, type RawLeaf } from '../support/raw-leaf.ts'

const [SITE, OTHER] = ['fra', 'ams'] as const
const NAMES = namesOf(SITE)
const API = ['$JS.hub.API', '$JS.API'] as const
const STREAMS = [
  NAMES.configStream,
  NAMES.resultStream,
  NAMES.checkpointStream,
  `KV_${NAMES.leaseBucket}`,
] as const

/** A subject for each that a rule allows. */
const concrete = (rule: string): string => rule.replace(/>$/, 'a.b').replaceAll('*', 'a')

const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/** What JetStream does with a stream, and a prober may not. */
const STREAM_VERBS = words(`
  STREAM.CREATE STREAM.UPDATE STREAM.DELETE STREAM.PURGE STREAM.MSG.GET STREAM.MSG.DELETE STREAM.SNAPSHOT
  STREAM.RESTORE STREAM.PEER.REMOVE STREAM.LEADER.STEPDOWN CONSUMER.NAMES CONSUMER.LIST`)
/** What JetStream does with a consumer; of results and checkpoints the relay alone has some. */
const CONSUMER_VERBS = words('CREATE DURABLE.CREATE INFO DELETE MSG.NEXT PAUSE LEADER.STEPDOWN')
/** What JetStream does with an account, and what it would do with a stream of the thief's own. */
const ACCOUNT_VERBS = words(`
  INFO STREAM.NAMES STREAM.LIST STREAM.CREATE.mine ACCOUNT.PURGE.a META.LEADER.STEPDOWN
  DIRECT.GET.KV_${NAMES.leaseBucket}`)
/** The name of a consumer that somebody else has. */
const CONSUMER = 'relay'
const OF_THE_RELAY = [NAMES.resultStream, NAMES.checkpointStream] as const

const refusedOfTheApi = (api: string): readonly string[] => [
  ...STREAM_VERBS.flatMap((verb) => STREAMS.map((stream) => `${api}.${verb}.${stream}`)),
  ...OF_THE_RELAY.flatMap((stream) =>
    CONSUMER_VERBS.map((verb) => `${api}.CONSUMER.${verb}.${stream}.${CONSUMER}`),
  ),
  ...STREAMS.map((stream) => `${api}.CONSUMER.DURABLE.CREATE.${stream}.mine`),
  ...ACCOUNT_VERBS.map((verb) => `${api}.${verb}`),
]

const REFUSED_TO_PUBLISH: readonly string[] = [
  ...API.flatMap((api) => proberPublishes(OTHER, api)).filter((rule) => rule !== '$JS.FC.>'),
  ...API.flatMap(refusedOfTheApi),
  ...[NAMES, namesOf(OTHER)].flatMap(({ config, probeRequested }) => [config(0, 0), probeRequested]),
  ...['$KV', '$JS.hub.API.$KV'].flatMap((keys) =>
    [RELAY_KEY, POSITION_KEY].map((key) => `${keys}.${NAMES.leaseBucket}.${key}`),
  ),
  `$JS.ACK.${NAMES.resultStream}.${CONSUMER}.1.1.1.1.0`,
  ...words('_INBOX_relay.a _INBOX.a anything $SYS.REQ.SERVER.PING $SYS.REQ.ACCOUNT.PING.CONNZ'),
].map(concrete)

const REFUSED_TO_SUBSCRIBE: readonly string[] = [
  ...words(`> *.*.* hm.> hm.${SITE}.> hm.${OTHER}.> _INBOX.> _INBOX_relay.> $JS.> $KV.> $SYS.>`),
  NAMES.configSubjects,
  NAMES.resultSubjects,
  NAMES.checkpointSubjects,
  NAMES.asked,
  ...proberSubscribes(OTHER).filter((rule) => !proberSubscribes(SITE).includes(rule)),
]

/** Everything that is said in an account, as its relay hears it: subjects, without those of answers. */
function overheard(relay: NatsConnection): readonly string[] {
  const subjects: string[] = []
  relay.subscribe('>', { callback: (_, { subject }: Msg) => void subjects.push(subject) })
  return subjects
}

/** As the server maps it. */
const mapped = (subject: string): string =>
  subject.replace('$JS.hub.API.$KV.', '$KV.').replace('$JS.hub.API.', '$JS.API.')

async function stolen(t: TestContext, hub: Hub) {
  const thief = await connectToHub(t, hub, [SITE, 'prober'])
  const refusals: string[] = []
  void (async () => {
    for await (const status of thief.status())
      if (status.type === 'error') refusals.push(status.error.message)
  })()
  return { thief, refusals }
}

testOnNats(
  'a stolen credential publishes what probers of the site may, and nothing else',
  async (t, binary) => {
    const hub = await startHub(t, binary, [SITE, OTHER])
    const heard = overheard(await connectToHub(t, hub, [SITE, 'relay']))
    const heardByOther = overheard(await connectToHub(t, hub, [OTHER, 'relay']))
    const { thief, refusals } = await stolen(t, hub)

    for (const subject of REFUSED_TO_PUBLISH) thief.publish(subject, 'stolen')
    const allowed = proberPublishes(SITE).map(concrete)
    for (const subject of allowed) thief.publish(subject, 'stolen')
    await thief.flush()
    await eventually('the relay to hear what is allowed', () =>
      allowed.every((subject) => heard.includes(mapped(subject))),
    )
    assert.deepEqual(
      REFUSED_TO_PUBLISH.map(mapped).filter((subject) => heard.includes(subject)),
      [],
    )
    assert.deepEqual(heardByOther, [])
    await eventually('each refusal', () => refusals.length === REFUSED_TO_PUBLISH.length)
  },
)

testOnNats('a stolen credential hears what probers of the site may, and nothing else', async (t, binary) => {
  const hub = await startHub(t, binary, [SITE, OTHER])
  const relay = await connectToHub(t, hub, [SITE, 'relay'])
  const { thief, refusals } = await stolen(t, hub)
  const heard: string[] = []
  const listen = (subject: string, queue?: string): void => {
    const callback = (error: Error | null, { subject: heardAt }: Msg): void => {
      if (error === null) heard.push(heardAt)
    }
    thief.subscribe(subject, queue === undefined ? { callback } : { callback, queue })
  }
  for (const subject of REFUSED_TO_SUBSCRIBE) listen(subject)
  for (const subject of REFUSED_TO_SUBSCRIBE) listen(subject, 'relays')
  await thief.flush()
  await eventually('each refusal', () => refusals.length === 2 * REFUSED_TO_SUBSCRIBE.length)
  for (const subject of proberSubscribes(SITE)) listen(subject)
  await thief.flush()
  const said = [...REFUSED_TO_SUBSCRIBE, ...proberSubscribes(SITE)].map(concrete)
  for (const subject of said) relay.publish(subject, 'secret')
  await eventually('what is allowed', () => heard.length === proberSubscribes(SITE).length)
  assert.deepEqual(heard.toSorted(), proberSubscribes(SITE).map(concrete).toSorted())
})

testOnNats(
  'what the server answers to a stolen credential stays in the account of its site',
  async (t, binary) => {
    const hub = await startHub(t, binary, [SITE, OTHER])
    const heardByOther = overheard(await connectToHub(t, hub, [OTHER, 'relay']))
    const relay = await connectToHub(t, hub, [SITE, 'relay'])
    const { streams } = await jetstreamManager(relay, { domain: HUB_DOMAIN })
    await streams.add({ name: NAMES.resultStream, subjects: [NAMES.resultSubjects], allow_direct: true })
    const heard = overheard(relay)
    const { thief } = await stolen(t, hub)

    const target = namesOf(OTHER).result(0)
    thief.publish(NAMES.result(0), 'a verdict of another site', { reply: target })
    await thief.flush()
    const last = JSON.stringify({ last_by_subj: NAMES.result(0) })
    thief.publish(`$JS.hub.API.DIRECT.GET.${NAMES.resultStream}`, last, { reply: target })
    await thief.flush()
    await eventually(
      'the answers, in the account of the site itself',
      () => heard.filter((subject) => subject === target).length === 2,
    )
    assert.deepEqual(heardByOther, [])
  },
)

testOnNats('a stolen credential uses up what its own site has at the hub, and no more', async (t, binary) => {
  const hub = await startHub(t, binary, [SITE, OTHER])
  for (const site of [SITE, OTHER]) {
    const { streams } = await jetstreamManager(await connectToHub(t, hub, [site, 'relay']), {
      domain: HUB_DOMAIN,
    })
    const { configStream, configSubjects } = namesOf(site)
    await streams.add({ name: configStream, subjects: [configSubjects] })
  }
  const makesConsumer = async (connection: NatsConnection, site: string, name: string): Promise<boolean> => {
    const { configStream } = namesOf(site)
    const config = { name, mem_storage: true, ack_policy: 'none', filter_subject: `hm.${site}.config.>` }
    const answer = await connection.request(
      `$JS.${HUB_DOMAIN}.API.CONSUMER.CREATE.${configStream}.${name}.hm.${site}.config.>`,
      JSON.stringify({
        stream_name: configStream,
        config: { ...config, inactive_threshold: 60_000_000_000 },
      }),
      { timeout: 10_000 },
    )
    return answer.json<{ readonly error?: unknown }>().error === undefined
  }
  const { thief } = await stolen(t, hub)
  const names = Array.from({ length: NATS_SITE_CONSUMERS_MAX + 50 }, (_, index) => `consumer-${index}`)
  let made = 0
  await inTurns(names, async (name) => {
    if (await makesConsumer(thief, SITE, name)) made++
  })
  assert.equal(made, NATS_SITE_CONSUMERS_MAX)
  const prober = await connectToHub(t, hub, [OTHER, 'prober'])
  assert.equal(await makesConsumer(prober, OTHER, 'consumer'), true)
})

/** Connections of a thief at a time. */
const AT_ONCE = 16

async function inTurns<Item>(
  items: readonly Item[],
  each: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) await each(items[index] as Item, index)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** With the credential of the leaf node, or with another one. */
function stolenLeaf(t: TestContext, hub: Hub, user: User = 'leaf'): Promise<RawLeaf> {
  const credentials = credentialsFile(hub.folder, SITE, user)
  const port = hub.server.port('leaf')
  return connectRawLeaf(t, { host: '127.0.0.1', port, ca: hub.authority.ca, credentials })
}

/** False for a refusal; throws what else went wrong. */
function refusedOnly(error: unknown): false {
  if (error instanceof Error && /Authorization Violation|turned away/.test(error.message)) return false
  throw error
}

testOnNats(
  'the credential of a prober is no leaf node, and that of a leaf node no client',
  async (t, binary) => {
    const hub = await startHub(t, binary, [SITE])
    // A server of 2.9 does not read from the account how a user may connect.
    const isLetIn = binary.version.startsWith('2.9.')
    const letIn = (connecting: Promise<unknown>) => connecting.then(() => true, refusedOnly)
    for (const user of ['prober', 'relay'] as const)
      assert.equal(await letIn(stolenLeaf(t, hub, user)), isLetIn, user)
    assert.equal(await letIn(connectToHub(t, hub, [SITE, 'leaf'])), isLetIn)
    assert.ok(await (await stolenLeaf(t, hub)).isKept())
  },
)

/**
 * Whether the server looks at what a leaf node publishes: from these releases on. Older ones rely on leaf nodes to send what
 * was asked for alone; there the account is all that holds a stolen credential (docs/nats-accounts.md).
 */
const LOOKS_AT_LEAF_NODES: Readonly<Record<string, number>> = { '2.12': 14, '2.14': 6, '2.15': 1 }
const FIRST_LINE_THAT_ALWAYS_DID = '2.16'

function looksAtLeafNodes({ version }: NatsBinary): boolean {
  const [major, minor, patch] = version.split('.')
  const line = `${major}.${minor}`
  const from = LOOKS_AT_LEAF_NODES[line]
  if (from !== undefined) return Number(patch) >= from
  return line.localeCompare(FIRST_LINE_THAT_ALWAYS_DID, 'en', { numeric: true }) >= 0
}

testOnNats('as a leaf node, a stolen credential publishes the same, and nothing else', async (t, binary) => {
  const hub = await startHub(t, binary, [SITE, OTHER])
  const heard = overheard(await connectToHub(t, hub, [SITE, 'relay']))
  const heardByOther = overheard(await connectToHub(t, hub, [OTHER, 'relay']))
  // A server that refuses closes the connection.
  await inTurns(REFUSED_TO_PUBLISH, async (subject) => {
    const thief = await stolenLeaf(t, hub)
    thief.publish(subject, 'stolen')
    assert.equal(await thief.isKept(), !looksAtLeafNodes(binary), subject)
  })
  const thief = await stolenLeaf(t, hub)
  const allowed = proberPublishes(SITE).map(concrete)
  for (const subject of allowed) thief.publish(subject, 'stolen')
  await eventually('the relay to hear what is allowed', () =>
    allowed.every((subject) => heard.includes(mapped(subject))),
  )
  const refused = new Set(REFUSED_TO_PUBLISH.map(mapped))
  if (looksAtLeafNodes(binary))
    assert.deepEqual(
      heard.filter((subject) => refused.has(subject)),
      [],
    )
  assert.deepEqual(heardByOther, [])
})

testOnNats('as a leaf node, a stolen credential hears the same, and nothing else', async (t, binary) => {
  const hub = await startHub(t, binary, [SITE, OTHER])
  const relay = await connectToHub(t, hub, [SITE, 'relay'])
  const thieves: RawLeaf[] = []
  await inTurns([...REFUSED_TO_SUBSCRIBE, ...REFUSED_TO_SUBSCRIBE], async (subject, index) => {
    const thief = await stolenLeaf(t, hub)
    thief.subscribe(subject, index < REFUSED_TO_SUBSCRIBE.length ? undefined : 'relays')
    await thief.isKept()
    thieves.push(thief)
  })
  const thief = await stolenLeaf(t, hub)
  for (const subject of proberSubscribes(SITE)) thief.subscribe(subject)
  assert.ok(await thief.isKept())
  const allowed = proberSubscribes(SITE).map(concrete)
  for (const subject of [...REFUSED_TO_SUBSCRIBE.map(concrete), ...allowed]) relay.publish(subject, 'secret')
  await eventually('what is allowed', () => allowed.every((subject) => thief.heard().includes(subject)))
  assert.deepEqual(thief.heard().toSorted(), allowed.toSorted())
  // Who asked for everything may be kept, and hears what is allowed.
  const overheardByThieves = thieves.flatMap((other) => other.heard())
  assert.deepEqual(
    overheardByThieves.filter((subject) => !allowed.includes(subject)),
    [],
  )
})
