/** `/v1/webhooks`: who may have them, what may be in them, what is shown of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WEBHOOK_COUNTED_MAX, WEBHOOKS_PER_PROJECT } from '../../src/domain/limits.ts'
import { parseCidr } from '../../src/domain/address/ip-address.ts'
import { makeTargetPolicy } from '../../src/domain/address/target-policy.ts'
import { query } from '../../src/store/connection/database.ts'
import { startApi } from '../support/api.ts'
import { eventually } from '../support/configuration.ts'
import { testDatabase } from '../support/database.ts'
import { FOREIGN, OWNER, startTwoProjects } from '../support/two-projects.ts'
import { aSecret, startReceiver } from '../support/webhook-receiver.ts'
import { aNotifier, memberIds, tellOf } from '../support/webhooks.ts'

const HOOK = { webhook: { url: 'http://127.0.0.1:9/hook' } }

test('a secret that the service made is shown once; a later answer, a list and a change show none', async (t) => {
  const api = await startApi(t)
  const { status, body } = await api.request('POST', '/v1/webhooks', HOOK)
  assert.equal(status, 201)
  const { id, secrets } = body.webhook
  assert.match(secrets[0], /^whsec_[A-Za-z0-9+/]{43}=$/)
  const path = `/v1/webhooks/${id}`
  for (const answer of [
    await api.request('GET', path),
    await api.request('GET', '/v1/webhooks'),
    await api.request('PUT', path, { webhook: { name: 'x' } }),
  ]) {
    assert.ok(!JSON.stringify(answer.body).includes(secrets[0]))
    assert.match(JSON.stringify(answer.body), /"secrets":\["\*\*\*"\]/)
  }
  assert.deepEqual(
    (await query<{ secrets: string[] }>(api.db, 'select secrets from webhook'))[0]?.secrets,
    secrets,
  )
})

test('a new secret goes before the stored one, and then alone', async (t) => {
  const api = await startApi(t)
  const [old, fresh] = [aSecret(), aSecret()]
  const made = await api.request('POST', '/v1/webhooks', { webhook: { ...HOOK.webhook, secrets: [old] } })
  assert.deepEqual(made.body.webhook.secrets, ['***'], 'the client knows it already')
  const path = `/v1/webhooks/${made.body.webhook.id}`
  const stored = async () =>
    (await query<{ secrets: string[] }>(api.db, 'select secrets from webhook'))[0]?.secrets
  await api.request('PUT', path, { webhook: { secrets: [fresh, '***'] } })
  assert.deepEqual(await stored(), [fresh, old])
  await api.request('PUT', path, { webhook: { secrets: ['***'] } })
  assert.deepEqual(await stored(), [fresh])
  for (const secrets of [[], ['whsec_short'], ['***', '***'], [fresh, fresh, fresh], ['***', old, fresh]]) {
    const { status, body } = await api.request('PUT', path, { webhook: { secrets } })
    assert.equal(status, 400)
    assert.ok(!JSON.stringify(body).includes(old) && !JSON.stringify(body).includes('short'))
  }
})

test('what may be a key in a URL is hidden, and sent back it changes nothing', async (t) => {
  const api = await startApi(t)
  for (const [format, url, shown] of [
    ['slack', 'https://hooks.slack.com/services/T0/B0/key', 'https://hooks.slack.com/***'],
    ['cloudevents', 'https://example.org/in?token=key', 'https://example.org/in?***'],
    ['alertmanager', 'http://alerts.example.org:9093/', 'http://alerts.example.org:9093/'],
  ]) {
    const made = await api.request('POST', '/v1/webhooks', { webhook: { url, format } })
    assert.equal(made.body.webhook.url, shown)
    const path = `/v1/webhooks/${made.body.webhook.id}`
    await api.request('PUT', path, { webhook: { url: shown, name: 'again' } })
    const [row] = await query<{ url: string }>(api.db, 'select url from webhook where id = $1', [
      made.body.webhook.id,
    ])
    assert.equal(row?.url, url)
    const other = await api.request('PUT', path, { webhook: { format: 'cloudevents' } })
    assert.equal(other.status, format === 'slack' ? 400 : 200, 'no other format shows the path')
  }
})

test('URLs that no webhook may have are refused, in every spelling of an address', async (t) => {
  const policy = makeTargetPolicy({
    allow: [],
    deny: [parseCidr('10.0.0.0/8')],
    loopbackAllowed: false,
    ownListeners: [],
    localAddresses: [],
    words: { allow: 'HM_WEBHOOK_ALLOW', deny: 'HM_WEBHOOK_DENY', done: 'called' },
  })
  const api = await startApi(t, { webhooks: { policy } })
  for (const [url, reason] of [
    ['ftp://example.org/', /its scheme must be http or https/],
    ['http://user:pass@example.org/', /must not contain a user or a password/],
    ['http://example.org/#part', /must not contain a fragment/],
    ['not a url', /not a URL in printable ASCII/],
    ['http://10.1.2.3/', /the address is in HM_WEBHOOK_DENY/],
    ['http://0x0a010203/', /the address is in HM_WEBHOOK_DENY/],
    ['http://[::ffff:10.1.2.3]/', /the address is in HM_WEBHOOK_DENY/],
    ['http://[64:ff9b::a01:203]/', /the address is in HM_WEBHOOK_DENY/],
    ['http://169.254.169.254/latest', /link-local 169\.254\.0\.0\/16 is never called/],
    ['http://127.1/', /loopback is not called unless HM_WEBHOOK_ALLOW names it/],
    ['http://[::1]:8080/', /loopback is not called unless HM_WEBHOOK_ALLOW names it/],
  ] as const) {
    const { status, body } = await api.request('POST', '/v1/webhooks', { webhook: { url } })
    assert.deepEqual([status, body.code], [400, 'TARGET_DENIED'], url)
    assert.match(body.detail, reason, url)
  }
  assert.deepEqual((await api.request('GET', '/v1/webhooks')).body.webhooks, [])
})

test('a project has a bounded number of webhooks, also when they are made at one moment', async (t) => {
  const api = await startApi(t)
  const answers = await Promise.all(
    Array.from({ length: WEBHOOKS_PER_PROJECT + 5 }, () => api.request('POST', '/v1/webhooks', HOOK)),
  )
  assert.equal(answers.filter(({ status }) => status === 201).length, WEBHOOKS_PER_PROJECT)
  const refused = answers.find(({ status }) => status !== 201)
  assert.deepEqual([refused?.status, refused?.body.code], [403, 'QUOTA_EXCEEDED'])
  const other = await api.request('POST', '/v1/webhooks', HOOK, { 'x-project-id': 'another' })
  assert.equal(other.status, 201)
})

test('a foreign project sees and changes nothing, a reader changes nothing, and only administrators get those of all projects', async (t) => {
  const { ask, api, contents } = await startTwoProjects(t)
  const made = await ask('member', 'POST', '/v1/webhooks', HOOK)
  const all = await ask('admin', 'POST', '/v1/webhooks', { webhook: { ...HOOK.webhook, project_id: null } })
  assert.deepEqual([made.body.webhook.project_id, all.body.webhook.project_id], [OWNER, null])
  const id = made.body.webhook.id
  await query(
    api.db,
    `insert into webhook_dead_letter (webhook_id, position, subject, event, reason)
     values ($1, 1, 'x', '{"position": 1, "type": "member.status", "at": "2026-11-30T00:00:00Z", "project_id": null,
       "from_status": null, "to_status": null, "data": {}}', 'test')`,
    [id],
  )
  const before = await contents()
  const reads = ['', '/dead-letters']
  const writes = [
    ['PUT', '', { webhook: { name: 'mine' } }],
    ['DELETE', '', undefined],
    ['POST', '/test', undefined],
    ['POST', '/dead-letters/1/resend', undefined],
  ] as const
  for (const [who, hook, readable] of [
    ['foreign', id, false],
    ['roleless', id, false],
    ['reader', id, true],
    ['member', all.body.webhook.id, false],
    ['stranger', id, false],
  ] as const) {
    const refused = who === 'stranger' ? 401 : 403
    for (const path of reads) {
      const { status } = await ask(who, 'GET', `/v1/webhooks/${hook}${path}`)
      assert.equal(status, readable ? 200 : refused, `${who} GET ${path}`)
    }
    for (const [method, path, body] of writes) {
      const { status } = await ask(who, method, `/v1/webhooks/${hook}${path}`, body)
      assert.equal(status, refused, `${who} ${method} ${path}`)
    }
  }
  for (const [who, projectId] of [
    ['reader', OWNER],
    ['member', FOREIGN],
    ['member', null],
  ] as const) {
    const body = { webhook: { ...HOOK.webhook, project_id: projectId } }
    assert.equal((await ask(who, 'POST', '/v1/webhooks', body)).status, 403, `${who} for ${projectId}`)
  }
  assert.deepEqual(await contents(), before, 'the database is unchanged')
  const seen = async (who: Parameters<typeof ask>[0]) =>
    (await ask(who, 'GET', '/v1/webhooks')).body.webhooks.length
  assert.deepEqual([await seen('foreign'), await seen('reader'), await seen('admin')], [0, 1, 2])
  assert.equal((await ask('foreign', 'GET', `/v1/webhooks?project_id=${OWNER}`)).status, 403)
  assert.equal((await ask('foreign', 'GET', `/v1/webhooks?marker=${id}`)).status, 400)
})

test('a test says what the receiver answered, and never a byte of its body', async (t) => {
  const api = await startApi(t)
  const receiver = await startReceiver(t)
  const made = await api.request('POST', '/v1/webhooks', {
    webhook: { url: receiver.url, secrets: [receiver.secret], enabled: false },
  })
  const path = `/v1/webhooks/${made.body.webhook.id}/test`
  const good = (await api.request('POST', path)).body.test
  assert.deepEqual([good.result, good.status, good.error], ['delivered', 204, null])
  assert.equal(JSON.parse(receiver.requests[0]?.body ?? '').type, 'healthmonitor.webhook.test')
  assert.equal(receiver.unsigned, 0)
  receiver.answer = () => 418
  const bad = await api.request('POST', path)
  assert.deepEqual([bad.body.test.result, bad.body.test.status], ['refused', 418])
  assert.ok(!JSON.stringify(bad.body).includes('nobody shows'))
  await receiver.away()
  const gone = (await api.request('POST', path)).body.test
  assert.deepEqual(
    [gone.result, gone.status, gone.error],
    ['unreachable', null, 'no connection to the receiver (ECONNREFUSED)'],
  )
})

test('what was given up is listed with its event, also when that is deleted, and arrives when it is sent again', async (t) => {
  const database = await testDatabase(t)
  const api = await startApi(t, { db: database.db })
  const receiver = await startReceiver(t)
  await aNotifier(database)
  receiver.answer = () => 422
  const made = await api.request(
    'POST',
    '/v1/webhooks',
    { webhook: { url: receiver.url, secrets: [receiver.secret] } },
    { 'x-project-id': 'project-1' },
  )
  const as = { 'x-project-id': 'project-1' }
  const path = `/v1/webhooks/${made.body.webhook.id}`
  await tellOf(database.db, memberIds(3), { from: 7 })
  const shown = async () => (await api.request('GET', path, undefined, as)).body.webhook
  await eventually('the failure', async () => (await shown()).last_error === 'the receiver answered 422')
  assert.equal((await shown()).lag.events, 3)
  await query(database.db, `update webhook_delivery set queued_at = now() - interval '25 hours'`)
  await query(database.db, 'update webhook_hold set retry_at = now()')
  await query(database.db, `select pg_notify('healthmonitor_webhooks', '')`)
  await eventually('dead letters', async () => (await shown()).dead_letters.kept === 3)
  await query(database.db, 'delete from event')
  const page = async (parameters = '') =>
    (await api.request('GET', `${path}/dead-letters${parameters}`, undefined, as)).body
  const first = await page('?limit=2')
  const rest = await page(`?limit=2&before=${first.before}`)
  assert.deepEqual([first.dead_letters.length, rest.dead_letters.length, rest.before], [2, 1, undefined])
  const [letter] = rest.dead_letters
  assert.deepEqual(
    [letter.reason, letter.event.n, letter.event.to],
    ['the receiver answered 422', 7, 'OFFLINE'],
  )
  receiver.answer = () => 204
  const resend = `${path}/dead-letters/${letter.id}/resend`
  assert.equal((await api.request('POST', resend, undefined, as)).status, 204)
  await receiver.until(1)
  assert.deepEqual([receiver.heard[0]?.id, (await page()).dead_letters.length], [letter.event.id, 2])
  assert.equal((await api.request('POST', resend, undefined, as)).status, 404)
})

test('a webhook that is disabled forgets what waits, and one that is changed is tried at once', async (t) => {
  const database = await testDatabase(t)
  const api = await startApi(t, { db: database.db })
  const receiver = await startReceiver(t)
  await aNotifier(database)
  const as = { 'x-project-id': 'project-1' }
  await receiver.away()
  const made = await api.request('POST', '/v1/webhooks', { webhook: { url: receiver.url } }, as)
  const path = `/v1/webhooks/${made.body.webhook.id}`
  const shown = async () => (await api.request('GET', path, undefined, as)).body.webhook
  await tellOf(database.db, memberIds(2))
  await eventually('failures', async () => (await shown()).failures > 0)
  const change = (webhook: object) => api.request('PUT', path, { webhook }, as)
  assert.equal((await change({ enabled: false })).body.webhook.lag.events, 0)
  await tellOf(database.db, memberIds(2))
  await eventually('they are known', async () => (await query(database.db, 'select from event')).length >= 4)
  await change({ enabled: true })
  await tellOf(database.db, memberIds(1), { from: 9 })
  await eventually('one waits', async () => (await shown()).failures > 0 && (await shown()).lag.events === 1)
  await query(database.db, `update webhook_state set retry_at = now() + interval '1 hour'`)
  await receiver.listen()
  await change({ secrets: [receiver.secret] })
  await receiver.until(1)
  assert.deepEqual([receiver.heard[0]?.n, receiver.unsigned], [9, 0])
})

test('what waits, and what was given up, is counted up to a bound, and beyond it the answer says so', async (t) => {
  const api = await startApi(t)
  const { id } = (await api.request('POST', '/v1/webhooks', HOOK)).body.webhook
  const fill = (count: number) =>
    query(
      api.db,
      `with waiting as (
         insert into webhook_delivery (webhook_id, position, subject)
         select $1, n, 's' from generate_series(1, $2::integer) n on conflict do nothing
       )
       insert into webhook_dead_letter (webhook_id, position, subject, event, reason)
       select $1, n, 's', '{}', 'x' from generate_series(1, $2::integer) n on conflict do nothing`,
      [id, count],
    )
  const shown = async () => {
    const [{ lag, dead_letters: dead }] = (await api.request('GET', '/v1/webhooks')).body.webhooks
    return [lag.events, lag.at_least, dead.kept, dead.at_least]
  }
  await fill(WEBHOOK_COUNTED_MAX)
  assert.deepEqual(await shown(), [WEBHOOK_COUNTED_MAX, false, WEBHOOK_COUNTED_MAX, false])
  await fill(WEBHOOK_COUNTED_MAX + 1)
  assert.deepEqual(await shown(), [WEBHOOK_COUNTED_MAX, true, WEBHOOK_COUNTED_MAX, true])
})

test('a marker whose webhook is gone, or of another project, is refused; one without anything behind it is not', async (t) => {
  const { ask } = await startTwoProjects(t)
  const make = async (who: 'member' | 'foreign') =>
    (await ask(who, 'POST', '/v1/webhooks', HOOK)).body.webhook.id
  const [gone, theirs, last] = [await make('member'), await make('foreign'), await make('member')]
  await ask('member', 'DELETE', `/v1/webhooks/${gone}`)
  for (const marker of [gone, theirs]) {
    const { status, body } = await ask('member', 'GET', `/v1/webhooks?marker=${marker}`)
    assert.deepEqual([status, body.code], [400, 'INVALID_QUERY'], JSON.stringify(body))
  }
  const end = await ask('member', 'GET', `/v1/webhooks?marker=${last}`)
  assert.deepEqual([end.status, end.body], [200, { webhooks: [] }])
})
