/**
 * NATS has no room: its stream of results is full because nobody takes them, or its whole disk is, so that not even a lease is
 * renewed. Probers and relay go on; what had been confirmed is not lost, the log says what is full, and when there is room
 * everything arrives.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { namesOf } from '../../src/site/subjects.ts'
import { type Db, query } from '../../src/store/connection/database.ts'
import { eventually, insertMembers, insertPool } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { folderOfTest } from '../support/folders.ts'
import {
  type NatsBinary,
  type NatsPlace,
  startNatsServer,
  testOnNats,
  withJetStream,
} from '../support/nats-server.ts'
import { testNatsProber, testRelay, type TestNatsProber } from '../support/nats-site.ts'
import { startTargets, type Target } from '../support/targets.ts'

const SITE = 'fra'
const MEMBERS = 10
/** Bytes of messages that fill a place, one size after the other, and how many of a size at most. */
const PIECES = [900_000, 10_000, 100]
const PIECES_MAX = 200
/** The probers' lease is 1 s, the relay's 3 s: both have ended by then. */
const FULL_FOR_MS = 6000

async function farm(t: TestContext, binary: NatsBinary, configuration: (place: NatsPlace) => string) {
  const database = await testDatabase(t)
  const { db } = database
  const nats = await startNatsServer(t, { binary, configuration })
  const targets = await startTargets(t, MEMBERS)
  const { poolId, monitorId } = await insertPool(db, { delaySeconds: 1, timeoutSeconds: 1, fall: 2 })
  const ids = await insertMembers(db, poolId, targets)
  await query(db, 'update health_monitor set sites = $2, options = $3 where id = $1', [
    monitorId,
    JSON.stringify([SITE]),
    JSON.stringify({ sites: [SITE] }),
  ])
  await query(db, 'update pool set config_version = config_version + 1 where id = $1', [poolId])
  const relay = testRelay(database, nats.url, [SITE])
  const prober = testNatsProber(database, nats.url, SITE, { heldFolder: join(folderOfTest(), SITE) })
  await eventually('all are ONLINE', () => are(db, ids, 'ONLINE'))
  const connection = await connect({ servers: nats.url })
  t.after(() => connection.close())
  const js = jetstream(connection, { domain: 'hub' })
  const jsm = await jetstreamManager(connection, { domain: 'hub' })
  /** Publishes until the server refuses, in the end the smallest message; what it says then. */
  const fill = async (subject: string): Promise<string> => {
    let refusal = ''
    for (const bytes of PIECES) {
      for (let i = 0; ; i++) {
        assert.ok(i < PIECES_MAX, 'it takes everything')
        const piece = new Uint8Array(bytes)
        const error = await js.publish(subject, piece).then(
          () => undefined,
          (reason: unknown) => reason as Error,
        )
        refusal = error?.message ?? refusal
        if (error !== undefined) break
      }
    }
    return refusal
  }
  return { database, db, nats, targets, ids, relay, prober, jsm, fill }
}

async function are(db: Db, ids: readonly string[], status: string): Promise<boolean> {
  const rows = await query<{ status: string }>(
    db,
    'select status from member_site_state where member_id = any($1::uuid[])',
    [ids],
  )
  return rows.length === ids.length && rows.every((row) => row.status === status)
}

/** Some fall and stay so, some come back; probing goes on meanwhile. */
async function changes(targets: readonly Target[]): Promise<void> {
  const begunMs = performance.now()
  await Promise.all(targets.slice(0, 6).map((target) => target.stop()))
  await eventually('failures are counted', () => performance.now() - begunMs > FULL_FOR_MS / 2)
  await Promise.all(targets.slice(3, 6).map((target) => target.restart()))
  await eventually('it is full for a while', () => performance.now() - begunMs > FULL_FOR_MS)
  const probed = targets.slice(3).map(({ probedAt }) => performance.now() - (probedAt.at(-1) ?? 0))
  assert.ok(Math.max(...probed) < 3000, 'probing goes on')
}

/**
 * What fell is reported once, and nothing else is: a quorum decides by the last vote of a site, which for what came back
 * meanwhile is the one that it had before.
 */
async function assertNothingLost(db: Db, ids: readonly string[]): Promise<void> {
  await eventually('what fell is OFFLINE', () => are(db, ids.slice(0, 3), 'OFFLINE'))
  await eventually('the others are ONLINE', () => are(db, ids.slice(3), 'ONLINE'))
  const rows = await query<{ member_id: string; to_state: string }>(
    db,
    'select member_id, to_state from member_transition order by id',
  )
  const chains = ids.map((id) => rows.filter(({ member_id }) => member_id === id).map((row) => row.to_state))
  assert.deepEqual(
    chains,
    ids.map((_, i) => (i < 3 ? ['ONLINE', 'OFFLINE'] : ['ONLINE'])),
  )
}

const held = ({ log }: TestNatsProber) =>
  log.lines.filter(({ message }) => message.includes('held on disk')).map(({ facts }) => String(facts['err']))

testOnNats(
  'the stream of results is full: probers hold what is new until a relay makes room',
  async (t, binary) => {
    const { database, db, nats, targets, ids, relay, prober, fill } = await farm(t, binary, withJetStream())
    await relay.close()
    assert.match(await fill(namesOf(SITE).result(999)), /maximum bytes/)
    await changes(targets)
    const causes = held(prober)
    assert.ok(
      causes.length > 0 &&
        causes.every((cause) => cause.includes(`not stored in hm-results-${SITE}: maximum bytes`)),
      causes.join('; '),
    )
    const begunMs = performance.now()
    const next = testRelay(database, nats.url, [SITE])
    await assertNothingLost(db, ids)
    t.diagnostic(`caught up ${Math.round(performance.now() - begunMs)} ms after there was a relay`)
    await eventually('nothing is held', () =>
      prober.log.lines.some(({ message }) => message === 'results that were held are sent'),
    )
    const junk = next.log.lines.filter(({ message }) => message === 'a message of a site is no result')
    assert.ok(junk.length > 0)
  },
)

testOnNats(
  'the disk of NATS is full: probers and relay go on, and work when there is room',
  async (t, binary) => {
    // The stream of results has 64 MiB of it for itself.
    const small = (place: NatsPlace) => withJetStream()(place).replace('max_file: 16GB', 'max_file: 90MB')
    const { db, targets, ids, relay, prober, jsm, fill } = await farm(t, binary, small)
    await jsm.streams.add({ name: 'filler', subjects: ['filler'] })
    t.diagnostic(await fill('filler'))
    await changes(targets)
    const said = (log: TestNatsProber['log']) =>
      log.lines
        .filter(({ level }) => level === 'warn' || level === 'error')
        .map(({ facts, message }) => `${message}: ${String(facts['err'])}`)
    for (const log of [prober.log, relay.log])
      assert.match(said(log).join('; '), /(?:insufficient|exceeded)/, 'the log says what is full')
    const begunMs = performance.now()
    await jsm.streams.delete('filler')
    await assertNothingLost(db, ids)
    t.diagnostic(`caught up ${Math.round(performance.now() - begunMs)} ms after there was room`)
    await eventually('the relay works', () => relay.working().length === 1)
  },
)
