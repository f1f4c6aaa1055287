/** Certificates in PostgreSQL: who may write them, when they have events, and when they are forgotten. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { CertificateWrite } from '../../src/domain/prober/check.ts'
import { CERTIFICATES_PER_RUN, OVERVIEW_CERTIFICATES_MAX } from '../../src/domain/limits.ts'
import { type Db, query } from '../../src/store/connection/database.ts'
import { observeClock, readEvents } from '../../src/store/event/events.ts'
import { purgeOrphanedCertificates, writeCertificates } from '../../src/store/probing/certificates.ts'
import { claimShards } from '../../src/store/probing/shards.ts'
import { readServiceFacts } from '../../src/store/status/service-facts.ts'
import { readOverviewCounts } from '../../src/store/status/overview.ts'
import { insertMembers, insertPool, PROJECT } from '../support/configuration.ts'
import { type Ending, testDatabase } from '../support/database.ts'
import { sequenceAllEvents } from '../support/sequence.ts'

const DAY_MS = 86_400_000
/** The end of a certificate in so many days; whole seconds. */
const inDays = (days: number): number => Math.floor(Date.now() / 1000 + days * 86_400) * 1000

/** A pool of TLS-HELLO checks with so many members, in a shard that `owner` holds at epoch 1. */
async function pool(t: Ending, count: number) {
  const { db } = await testDatabase(t)
  const owner = randomUUID()
  await claimShards(db, { owner, count: 256, foreignToo: false })
  const made = async (projectId: string, members: number) => {
    const ids = await insertPool(db, { type: 'TLS-HELLO' }, projectId)
    const memberIds = await insertMembers(
      db,
      ids.poolId,
      Array.from({ length: members }, (_, n) => ({ address: '10.0.0.1', port: n + 1 })),
    )
    // Each has one of its own: here they are all alike.
    await query(
      db,
      'update member set generation = (select max(generation) from member) where pool_id = $1',
      [ids.poolId],
    )
    return { ...ids, projectId, memberIds, generation: await generationOf(db, ids.poolId) }
  }
  return { db, owner, made, ...(await made(PROJECT, count)) }
}

async function generationOf(db: Db, poolId: string): Promise<number> {
  const [row] = await query<{ n: number }>(
    db,
    'select max(check_generation) as n from member_detail where pool_id = $1',
    [poolId],
  )
  return Number(row?.n)
}

type Place = Pick<Awaited<ReturnType<typeof pool>>, 'projectId' | 'shard' | 'generation'>

function shows(
  place: Place,
  memberId: string,
  notAfter: number,
  more: Partial<CertificateWrite> = {},
): CertificateWrite {
  const { projectId, shard, generation } = place
  return {
    memberId,
    projectId,
    shard,
    generation,
    epoch: 1,
    notAfter,
    subject: 'a.example',
    issuer: 'CA',
    warningDays: 14,
    ...more,
  }
}

async function told(db: Db): Promise<readonly string[]> {
  await observeClock(db)
  await sequenceAllEvents(db)
  const types = new Set(['certificate.expiring', 'certificate.expired'])
  const events = await readEvents(db, { after: 0, upTo: 1e6, limit: 10_000, filter: { types } })
  return events.map(({ type, member }) => `${type.replace('certificate.', '')} ${member?.id}`)
}

const stored = (db: Db) =>
  query<{ member_id: string; xmin: string; not_after: Date; warn_at: Date | null }>(
    db,
    'select member_id, xmin::text, not_after, warn_at from member_certificate order by member_id',
  )

test('the owner of the shard at its epoch writes; others do not, nor for a member that is gone', async (t) => {
  const at = await pool(t, 1)
  const { db, owner, memberIds } = at
  const [id = ''] = memberIds
  await writeCertificates(db, randomUUID(), [shows(at, id, inDays(5))])
  await writeCertificates(db, owner, [shows(at, id, inDays(5), { epoch: 2 })])
  await writeCertificates(db, owner, [shows(at, randomUUID(), inDays(5))])
  assert.deepEqual(await stored(db), [])
  const end = inDays(5)
  await writeCertificates(db, owner, [shows(at, id, end), shows(at, randomUUID(), end)])
  assert.deepEqual(
    (await stored(db)).map(({ member_id, not_after, warn_at }) => [
      member_id,
      not_after.getTime(),
      warn_at?.getTime(),
    ]),
    [[id, end, end - 14 * DAY_MS]],
  )
})

test('what would not change is not touched; each thing that differs is written', async (t) => {
  const at = await pool(t, 1)
  const { db, owner, memberIds } = at
  const [id = ''] = memberIds
  const end = inDays(100)
  await writeCertificates(db, owner, [shows(at, id, end)])
  let [last] = await stored(db)
  await writeCertificates(db, owner, [shows(at, id, end)])
  assert.deepEqual((await stored(db))[0], last)
  for (const more of [
    { notAfter: end + 1000 },
    { subject: 'b.example' },
    { issuer: 'Other' },
    { warningDays: 0 },
    { warningDays: 3650 },
    { generation: at.generation + 1 },
    // The latest one that a certificate can have (RFC 5280 section 4.1.2.5).
    { notAfter: Date.UTC(9999, 11, 31, 23, 59, 59) },
    { notAfter: Date.UTC(1950, 0, 1), warningDays: 3650 },
  ]) {
    await writeCertificates(db, owner, [shows(at, id, end, more)])
    const [now] = await stored(db)
    assert.notEqual(now?.xmin, last?.xmin, JSON.stringify(more))
    assert.equal(now?.not_after.getTime(), more.notAfter ?? end)
    last = now
  }
})

test('an end has one event before it and one after it, and the next certificate again, however many look', async (t) => {
  const at = await pool(t, 4)
  const { db, owner, memberIds } = at
  const [soon = '', over = '', late = '', never = ''] = memberIds
  await writeCertificates(db, owner, [
    shows(at, soon, inDays(13)),
    shows(at, over, inDays(-1)),
    shows(at, late, inDays(15)),
    shows(at, never, inDays(-1), { warningDays: 0 }),
  ])
  await Promise.all([observeClock(db), observeClock(db), observeClock(db)])
  const first = [`expired ${over}`, `expiring ${soon}`]
  assert.deepEqual((await told(db)).toSorted(), first)
  assert.deepEqual((await told(db)).toSorted(), first)
  const [counts, facts] = [await readOverviewCounts(db, { projectId: PROJECT }), await readServiceFacts(db)]
  assert.equal(counts.certificate_expiring, 2)
  assert.deepEqual([facts.certificatesExpiring, facts.certificatesExpired], [2, 1])
  // Time passes.
  await query(
    db,
    `update member_certificate set not_after = not_after, warn_at = now() where member_id = $1`,
    [late],
  )
  assert.deepEqual((await told(db)).toSorted(), [...first, `expiring ${late}`].toSorted())
  // Renewed, and that one expires too.
  await writeCertificates(db, owner, [shows(at, over, inDays(400))])
  await told(db)
  assert.equal((await readOverviewCounts(db, { projectId: PROJECT })).certificate_expiring, 2)
  await writeCertificates(db, owner, [shows(at, over, inDays(-3))])
  const all = await told(db)
  assert.deepEqual(
    all.filter((each) => each.endsWith(over)),
    [`expired ${over}`, `expired ${over}`],
  )
})

test('a shown certificate ends with its generation, its type, its TLS, and while its member is not probed', async (t) => {
  const at = await pool(t, 1)
  const { db, owner, memberIds, poolId } = at
  const [id = ''] = memberIds
  const shown = async () => (await query(db, 'select from shown_certificate')).length
  const minima = () => query<{ pool_id: string; not_after: Date }>(db, 'select * from pool_certificate')
  const end = inDays(-1)
  const write = async () =>
    await writeCertificates(db, owner, [
      shows({ ...at, generation: await generationOf(db, poolId) }, id, end),
    ])
  await write()
  assert.equal(await shown(), 1)
  assert.deepEqual(await minima(), [{ pool_id: poolId, not_after: new Date(end) }])
  for (const [change, back] of [
    [`update member set generation = nextval('check_generation')`, undefined],
    [`update health_monitor set type = 'PING'`, `update health_monitor set type = 'TLS-HELLO'`],
    [
      `update health_monitor set type = 'HTTP'; update pool set echo = echo || '{"tls_enabled": false}'`,
      `update pool set echo = echo || '{"tls_enabled": true}'`,
    ],
    ...['member', 'pool', 'load_balancer', 'health_monitor'].map((table) => [
      `update ${table} set admin_state_up = false`,
      `update ${table} set admin_state_up = true`,
    ]),
  ]) {
    for (const statement of change?.split(';') ?? []) await query(db, statement)
    assert.equal(await shown(), 0, change)
    assert.deepEqual(await minima(), [])
    // It is due and has no event; the next one that is shown has an event.
    assert.deepEqual(await told(db), [], change)
    assert.deepEqual(await stored(db), [])
    if (back !== undefined) await query(db, back)
    await write()
    assert.equal(await shown(), 1, change)
  }
  assert.deepEqual(await told(db), [`expired ${id}`])
})

test('with the member its certificate is deleted; what came at that moment is purged later', async (t) => {
  const at = await pool(t, 3)
  const { db, owner, memberIds } = at
  await writeCertificates(
    db,
    owner,
    memberIds.map((id) => shows(at, id, inDays(5))),
  )
  await query(db, 'delete from member where id = $1', [memberIds[0]])
  assert.equal((await stored(db)).length, 2)
  const gone = [randomUUID(), randomUUID()]
  for (const id of gone)
    await query(
      db,
      `insert into member_certificate (member_id, project_id, generation, not_after, warn_at, subject, issuer) values ($1, 'p', 1, now(), now(), '', '')`,
      [id],
    )
  assert.equal((await told(db)).length, 2)
  // Due, and of nobody: the clock has forgotten them already.
  assert.equal((await stored(db)).length, 2)
  await query(
    db,
    `insert into member_certificate (member_id, project_id, generation, not_after, subject, issuer) select id, 'p', 1, now(), '', '' from unnest($1::uuid[]) id`,
    [gone],
  )
  assert.equal(await purgeOrphanedCertificates(db, 1), 1)
  assert.equal(await purgeOrphanedCertificates(db, 10), 1)
  assert.equal((await stored(db)).length, 2)
})

test('thousands of certificates of one project have their events in parts; another project waits a few seconds at most', async (t) => {
  const many = 2 * CERTIFICATES_PER_RUN + 1
  const at = await pool(t, many)
  const { db, owner, made, memberIds } = at
  const other = await made('project-2', 1)
  await writeCertificates(
    db,
    owner,
    memberIds.map((id) => shows(at, id, inDays(5))),
  )
  await writeCertificates(db, owner, [shows(other, other.memberIds[0] ?? '', inDays(6))])
  assert.equal((await told(db)).length, CERTIFICATES_PER_RUN)
  assert.equal((await told(db)).length, 2 * CERTIFICATES_PER_RUN)
  const all = await told(db)
  assert.equal(all.length, many + 1)
  assert.equal(new Set(all).size, all.length)
  assert.equal((await readServiceFacts(db)).certificatesExpiring, many + 1)
  // An overview counts as many as it can look up in time.
  assert.equal(
    (await readOverviewCounts(db, { projectId: PROJECT })).certificate_expiring,
    OVERVIEW_CERTIFICATES_MAX,
  )
  assert.equal((await readOverviewCounts(db, { projectId: 'project-2' })).certificate_expiring, 1)
  assert.equal(
    (await readOverviewCounts(db, { projectId: undefined })).certificate_expiring,
    OVERVIEW_CERTIFICATES_MAX,
  )
})
