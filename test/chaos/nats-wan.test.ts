/**
 * The way from a site to the hub, as deploy/nats has both: packets are lost, all of them are swallowed, the cable is pulled.
 * A prober at the leaf node gets answers from the hub again soon after the way is back.
 */
import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import type { TestContext } from 'node:test'
import { eventually } from '../support/configuration.ts'
import { type Asker, startAsker } from '../support/nats-asker.ts'
import { credentialsFile, type Dialled, startHub, startLeaf } from '../support/nats-hub.ts'
import { type NatsBinary, testOnNats } from '../support/nats-server.ts'
import { HUB_ADDRESS, makeWan, type WanSite } from '../support/wan.ts'

const SITE = 'fra'
/** How long the way is gone: longer than both ends take to give up a connection, and than TCP waits between tries. */
const AWAY_MS = 25_000
/** Until a site that is back has caught up, of what is promised: 30 s. The rest is for what it has to send. */
const BACK_WITHIN_MS = 20_000

async function site(
  t: TestContext,
  binary: NatsBinary,
  by: Dialled,
): Promise<{ readonly wan: WanSite; readonly prober: Asker } | undefined> {
  const wan = makeWan(t, 1)
  const [fra] = wan?.sites ?? []
  if (wan === undefined || fra === undefined) return undefined
  const hub = await startHub(t, binary, [SITE], { host: HUB_ADDRESS, within: wan.hub.within })
  const relay = await startAsker(t, wan.hub, {
    url: hub.server.url,
    credentials: credentialsFile(hub.folder, SITE, 'relay'),
    site: SITE,
    ca: hub.authority.ca,
  })
  await relay.make()
  const leaf = await startLeaf(t, { hub, site: SITE, binary, by }, { within: fra.namespace.within })
  const credentials = credentialsFile(hub.folder, SITE, 'prober')
  const prober = await startAsker(t, fra.namespace, { url: leaf.url, credentials, site: SITE })
  await eventually('the hub', async () => (await prober.messages()) === 1)
  return { wan: fra, prober }
}

for (const by of ['tls', 'wss'] as const) {
  testOnNats(
    `by ${by}: a tenth of all packets is lost, and most requests are answered`,
    async (t, binary) => {
      const { wan, prober } = (await site(t, binary, by)) ?? {}
      if (wan === undefined || prober === undefined) return
      wan.lose(10)
      let answered = 0
      for (let asked = 0; asked < 20; asked++) if ((await prober.messages()) === 1) answered++
      assert.ok(answered >= 15, `${answered} of 20`)
    },
  )

  testOnNats(`by ${by}: all packets are swallowed, and the site is back after that`, async (t, binary) => {
    const { wan, prober } = (await site(t, binary, by)) ?? {}
    if (wan === undefined || prober === undefined) return
    wan.lose(100)
    await eventually('no answer', async () => (await prober.messages()) === undefined)
    await wait(AWAY_MS)
    assert.equal(await prober.messages(), undefined)
    wan.lose(0)
    const begun = performance.now()
    await eventually('an answer', async () => (await prober.messages()) === 1, BACK_WITHIN_MS)
    t.diagnostic(`back after ${((performance.now() - begun) / 1000).toFixed(1)} s`)
  })
}

testOnNats('on a narrow line requests are answered', async (t, binary) => {
  const { wan, prober } = (await site(t, binary, 'wss')) ?? {}
  if (wan === undefined || prober === undefined) return
  wan.limit(64_000)
  for (let asked = 0; asked < 5; asked++) assert.equal(await prober.messages(), 1)
  wan.limit(undefined)
  assert.equal(await prober.messages(), 1)
})

testOnNats('the cable is pulled, and the site is back when it is plugged in', async (t, binary) => {
  const { wan, prober } = (await site(t, binary, 'tls')) ?? {}
  if (wan === undefined || prober === undefined) return
  wan.unplug()
  await eventually('no answer', async () => (await prober.messages()) === undefined)
  await wait(AWAY_MS)
  wan.plugIn()
  const begun = performance.now()
  await eventually('an answer', async () => (await prober.messages()) === 1, BACK_WITHIN_MS)
  t.diagnostic(`back after ${((performance.now() - begun) / 1000).toFixed(1)} s`)
})
