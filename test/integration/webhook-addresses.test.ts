/** Where requests to receivers go: the checked address, verified by the name, and nowhere else. */
import assert from 'node:assert/strict'
import { setMaxListeners } from 'node:events'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { WEBHOOK_CONNECT_MS, WEBHOOK_LOOKUPS } from '../../src/domain/limits.ts'
import { parseCidr } from '../../src/domain/address/ip-address.ts'
import { makeTargetPolicy } from '../../src/domain/address/target-policy.ts'
import type { Outcome } from '../../src/domain/webhook/outcome.ts'
import { WebhookClient } from '../../src/notify/webhook/client.ts'
import type { DialerOptions } from '../../src/notify/webhook/dialer.ts'
import type { Resolve } from '../../src/notify/webhook/names.ts'
import { selfSigned } from '../support/certificate.ts'
import { eventually } from '../support/configuration.ts'
import { aSecret, startReceiver } from '../support/webhook-receiver.ts'

const POLICY = makeTargetPolicy({
  allow: [],
  deny: [parseCidr('127.9.0.0/16')],
  loopbackAllowed: true,
  ownListeners: [{ address: '127.0.0.1', port: 9 }],
  localAddresses: [],
  words: { allow: 'HM_WEBHOOK_ALLOW', deny: 'HM_WEBHOOK_DENY', done: 'called' },
})

function send(t: TestContext, url: string, options: Partial<DialerOptions> = {}): Promise<Outcome> {
  const client = new WebhookClient({ policy: POLICY, ...options })
  t.after(() => client.close())
  const target = { id: 'x', projectId: 'p', url, format: 'cloudevents', secrets: [aSecret()] } as const
  const message = { url, id: 'evt_1', contentType: 'application/json', body: '{}', count: 1 }
  return client.send(target, message, new AbortController().signal)
}

/** A host that resolves names like this, and a DNS that answers nothing. */
const resolving = (host: Resolve): Pick<DialerOptions, 'resolvers'> => ({
  resolvers: { host, dns: () => Promise.resolve([]) },
})

/** A host that knows every name by these addresses. */
const named = (...addresses: readonly string[]): Pick<DialerOptions, 'resolvers'> =>
  resolving(() =>
    Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))),
  )

for (const [what, addresses, reason] of [
  ['a denied address', ['127.9.0.1'], 'the address is in HM_WEBHOOK_DENY'],
  ['an allowed and a denied address', ['127.0.0.1', '127.9.0.1'], 'the address is in HM_WEBHOOK_DENY'],
  ['the metadata service', ['169.254.169.254'], 'link-local 169.254.0.0/16 is never called'],
  ['a denied address in IPv6', ['::ffff:127.9.0.1'], 'the address is in HM_WEBHOOK_DENY'],
  ['a link-local address with a zone', ['fe80::1%eth0'], 'link-local fe80::/10 is never called'],
  ['no address', [], 'the name of the receiver has no address'],
] as const) {
  test(`a name that leads to ${what} is not called`, async (t) => {
    const receiver = await startReceiver(t)
    const { port } = new URL(receiver.url)
    const outcome = await send(t, `http://receiver.test:${port}/`, named(...addresses))
    assert.deepEqual(outcome, { kind: 'unreachable', error: reason })
    assert.equal(receiver.count, 0)
  })
}

test('a literal address is checked too, and so is a listener of the service', async (t) => {
  const denied = 'the address is in HM_WEBHOOK_DENY'
  assert.deepEqual(await send(t, 'http://127.9.0.1:8/'), { kind: 'unreachable', error: denied })
  assert.deepEqual(await send(t, 'http://[::ffff:7f09:1]:8/'), { kind: 'unreachable', error: denied })
  assert.deepEqual(await send(t, 'http://127.0.0.1:9/'), {
    kind: 'unreachable',
    error: 'a listener of this service is never called',
  })
})

test('the address that was checked is dialled, with the name in Host', async (t) => {
  const receiver = await startReceiver(t)
  const { port } = new URL(receiver.url)
  let asked = 0
  // A name that leads elsewhere when it is asked for again.
  const elsewhere = resolving(() =>
    Promise.resolve([{ address: asked++ === 0 ? '127.0.0.1' : '127.9.0.1', family: 4 }]),
  )
  const outcome = await send(t, `http://receiver.test:${port}/`, elsewhere)
  assert.deepEqual([outcome, asked], [{ kind: 'delivered', status: 204 }, 1])
  assert.equal(receiver.requests[0]?.headers.host, `receiver.test:${port}`)
})

test('the next address of a name is tried when one does not answer', async (t) => {
  const receiver = await startReceiver(t)
  const { port } = new URL(receiver.url)
  const outcome = await send(t, `http://receiver.test:${port}/`, named('127.0.0.2', '127.0.0.1'))
  assert.deepEqual(outcome, { kind: 'delivered', status: 204 })
})

test('TLS is verified by the name, not by the address', async (t) => {
  const { cert, key } = selfSigned('receiver.test')
  const server = createTlsServer({ cert, key }, (_, response) => void response.writeHead(204).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const known = { ...named('127.0.0.1'), ca: cert }
  assert.deepEqual(await send(t, `https://receiver.test:${port}/`, known), { kind: 'delivered', status: 204 })
  assert.deepEqual(await send(t, `https://other.test:${port}/`, known), {
    kind: 'unreachable',
    error: 'no connection to the receiver (ERR_TLS_CERT_ALTNAME_INVALID)',
  })
  assert.equal((await send(t, `https://receiver.test:${port}/`, named('127.0.0.1'))).kind, 'unreachable')
})

test('a redirect to a denied address is an answer, and nothing follows it', async (t) => {
  const receiver = await startReceiver(t)
  receiver.answer = () => 307
  assert.deepEqual(await send(t, receiver.url), {
    kind: 'refused',
    status: 307,
    error: 'the receiver answered 307; redirects are not followed',
  })
  assert.equal(receiver.count, 1)
})

test('a receiver that has too much to do says how long it wants to be left alone, within bounds', async (t) => {
  const receiver = await startReceiver(t)
  receiver.answer = () => 429
  assert.deepEqual(await send(t, receiver.url), {
    kind: 'unreachable',
    status: 429,
    error: 'the receiver answered 429',
  })
  receiver.retryAfter = '7'
  const asked = await send(t, receiver.url)
  assert.equal(asked.kind === 'unreachable' ? asked.retryAfterMs : 0, 7000)
  receiver.retryAfter = '86400'
  const long = await send(t, receiver.url)
  assert.equal(long.kind === 'unreachable' ? long.retryAfterMs : 0, 600_000)
})

test('look-ups of two projects that hang keep no other project waiting, be its name known or not', async (t) => {
  const [receiver, another] = [await startReceiver(t), await startReceiver(t)]
  let hanging = 0
  const client = new WebhookClient({
    policy: POLICY,
    resolvers: {
      host: (name) => {
        if (!name.startsWith('hangs')) return Promise.resolve([{ address: '127.0.0.1', family: 4 }])
        hanging += 1
        return new Promise(() => undefined)
      },
      dns: (name) => Promise.resolve(name.startsWith('hangs') ? [] : [{ address: '127.0.0.1', family: 4 }]),
    },
  })
  const ending = new AbortController()
  setMaxListeners(0, ending.signal)
  const sendAs = (projectId: string, host: string, { url: at } = receiver) => {
    const url = `http://${host}:${new URL(at).port}/`
    const target = { id: 'x', projectId, url, format: 'cloudevents', secrets: [aSecret()] } as const
    const message = { url, id: 'evt_1', contentType: 'application/json', body: '{}', count: 1 }
    return client.send(target, message, ending.signal)
  }
  const delivered = { kind: 'delivered', status: 204 }
  assert.deepEqual(await sendAs('works', 'receiver.test'), delivered)
  const hung = Array.from({ length: 10 }, (_, i) => sendAs(`hangs ${i % 2}`, `hangs-${i}.test`))
  await eventually('every place is taken', () => hanging === WEBHOOK_LOOKUPS)
  for (const host of ['receiver.test', 'never-seen.test']) {
    const startMs = performance.now()
    // Where there is no connection yet.
    assert.deepEqual(await sendAs('works', host, another), delivered)
    const tookMs = performance.now() - startMs
    assert.ok(tookMs < WEBHOOK_CONNECT_MS / 2, `${host} took ${tookMs} ms`)
  }
  assert.equal(hanging, WEBHOOK_LOOKUPS, 'no more threads are taken')
  ending.abort()
  const ends = await Promise.allSettled(hung)
  assert.ok(
    ends.every(({ status }) => status === 'rejected'),
    'a request that is ended ends at once, also while it waits for a look-up',
  )
  await client.close()
})
