/** NATS as deploy/nats sets it up, with the credentials of `healthmonitor nats-access`. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { issueCredentials, removeSites } from '../../src/site/access/access-folder.ts'
import { HUB_DOMAIN, namesOf } from '../../src/site/subjects.ts'
import { eventually } from '../support/configuration.ts'
import {
  connectNats,
  connectToHub,
  credentialsFile,
  type Hub,
  startHub,
  startLeaf,
} from '../support/nats-hub.ts'
import { testOnNats } from '../support/nats-server.ts'

const CONFIG = namesOf('fra').configStream
const DOMAIN = { domain: HUB_DOMAIN }

/** What the relay makes before a prober can work. */
async function makeStreams(t: TestContext, hub: Hub, site: string): Promise<void> {
  const relay = await connectToHub(t, hub, [site, 'relay'])
  const manager = await jetstreamManager(relay, DOMAIN)
  const { config, configStream, configSubjects } = namesOf(site)
  await manager.streams.add({ name: configStream, subjects: [configSubjects] })
  await jetstream(relay, DOMAIN).publish(config(0, 0), 'configuration')
}

testOnNats(
  'nats-server -t has nothing to say about the configurations of hub and site',
  async (t, binary) => {
    const hub = await startHub(t, binary, ['fra'])
    const leaf = await startLeaf(t, { hub, site: 'fra', binary, by: 'wss' })
    for (const { folder } of [hub.server, leaf]) {
      const path = join(folder, 'nats-server.conf')
      const { stdout, stderr, status } = spawnSync(binary.path, ['-c', path, '-t'], { encoding: 'utf8' })
      assert.match(`${stdout}${stderr}`, /^nats-server: configuration file \S+ is valid( \(\S+\))?\n$/)
      assert.equal(status, 0)
    }
  },
)

testOnNats('the hub lets relay and probers in, over TLS alone, and nobody else', async (t, binary) => {
  const hub = await startHub(t, binary, ['fra'])
  await makeStreams(t, hub, 'fra')
  const prober = await connectToHub(t, hub, ['fra', 'prober'])
  const info = await (await jetstreamManager(prober, { ...DOMAIN, checkAPI: false })).streams.info(CONFIG)
  assert.equal(info.state.messages, 1)

  const credentials = credentialsFile(hub.folder, 'fra', 'prober')
  await assert.rejects(connectNats(t, { url: hub.server.url, credentials }, 'prober'), /certificate/i)
  const other = await startHub(t, binary, ['fra'])
  const foreign = { url: hub.server.url, credentials: credentialsFile(other.folder, 'fra', 'relay') }
  await assert.rejects(
    connectNats(t, { ...foreign, ca: hub.authority.ca }, 'relay'),
    /Authorization Violation/,
  )
})

for (const by of ['tls', 'wss'] as const) {
  testOnNats(
    `a leaf node dials out by ${by}, and probers of its site use the hub through it`,
    async (t, binary) => {
      const hub = await startHub(t, binary, ['fra'])
      await makeStreams(t, hub, 'fra')
      const leaf = await startLeaf(t, { hub, site: 'fra', binary, by })
      const prober = await connectNats(
        t,
        { url: leaf.url, credentials: credentialsFile(hub.folder, 'fra', 'prober') },
        'prober',
      )
      const manager = await jetstreamManager(prober, { ...DOMAIN, checkAPI: false })
      const messages = async () => (await manager.streams.info(CONFIG).catch(() => undefined))?.state.messages
      await eventually('the hub', async () => (await messages()) === 1, 10_000)

      // The hub goes and comes back; the prober at the leaf node notices nothing but requests without an answer.
      await hub.server.stop('SIGKILL')
      await eventually('no answer', async () => (await messages()) === undefined, 10_000)
      await hub.server.start()
      await eventually('the hub again', async () => (await messages()) === 1, 20_000)
      assert.equal(prober.isClosed(), false)
    },
  )
}

testOnNats('a leaf node lets in the probers of its site alone', async (t, binary) => {
  const hub = await startHub(t, binary, ['fra', 'ams'])
  const leaf = await startLeaf(t, { hub, site: 'fra', binary, by: 'tls' })
  for (const [site, user] of [
    ['ams', 'prober'],
    ['fra', 'relay'],
  ] as const) {
    const credentials = credentialsFile(hub.folder, site, user)
    await assert.rejects(connectNats(t, { url: leaf.url, credentials }, user), /Authorization Violation/)
  }
})

testOnNats('sites are added, renewed and removed while the hub runs', async (t, binary) => {
  const hub = await startHub(t, binary, ['fra'])
  await makeStreams(t, hub, 'fra')
  const kept = await connectToHub(t, hub, ['fra', 'relay'])
  issueCredentials(hub.folder, ['ams'], false)
  await hub.reload()
  await makeStreams(t, hub, 'ams')
  const removed = await connectToHub(t, hub, ['ams', 'prober'])
  // A server of 2.9 closes all connections of users that a role has let in; clients connect again.
  assert.equal(kept.isClosed(), binary.version.startsWith('2.9.'))

  const old = await connectToHub(t, hub, ['fra', 'prober'])
  issueCredentials(hub.folder, ['fra'], true)
  removeSites(hub.folder, ['ams'])
  await hub.reload()
  const areClosed = () => [kept, old, removed].every((connection) => connection.isClosed())
  await eventually('connections with credentials that are not valid any more to be closed', areClosed)
  const renewed = await connectToHub(t, hub, ['fra', 'prober'])
  const manager = await jetstreamManager(renewed, { ...DOMAIN, checkAPI: false })
  assert.equal(
    (await manager.streams.info(CONFIG)).state.messages,
    1,
    'what NATS kept for the site is still there',
  )
})
