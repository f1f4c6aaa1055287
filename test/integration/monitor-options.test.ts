/** Options of health monitors in both dialects: accepted, merged, shown, cleared by plain fields, refused. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { query } from '../../src/store/connection/database.ts'
import { type Answer, type Api, type ApiOptions, type Json, startApi } from '../support/api.ts'
import * as elb from '../support/api-objects.ts'
import type { Ending } from '../support/database.ts'
import * as octavia from '../support/octavia.ts'

const MOUNT = { elb: '/elb/v2.0/lbaas', octavia: '/load-balancer/v2.0/lbaas' } as const
type Dialect = keyof typeof MOUNT
const DIALECTS = ['elb', 'octavia'] as const

const PROTOCOLS: Readonly<Record<string, string>> = { 'UDP-CONNECT': 'UDP', UDP_CONNECT: 'UDP', SCTP: 'SCTP' }

interface Monitors {
  readonly api: Api
  readonly create: (attributes: object) => Promise<Answer>
  /** Asserts 201. */
  readonly made: (attributes: object) => Promise<Json>
  readonly put: (id: string, attributes: object) => Promise<Answer>
  /** Asserts 200. */
  readonly changed: (id: string, attributes: object) => Promise<Json>
  readonly shown: (id: string) => Promise<Json>
}

async function monitors(t: Ending, dialect: Dialect, options: ApiOptions = {}): Promise<Monitors> {
  const api = await startApi(t, options)
  const loadBalancer = await elb.aLoadBalancer(api)
  const path = `${MOUNT[dialect]}/healthmonitors`
  const create = async ({ type = 'HTTP', ...attributes }: { type?: string }) => {
    const pool = await octavia.aPool(api, loadBalancer.id, { protocol: PROTOCOLS[type] ?? 'HTTP' })
    const monitor = { pool_id: pool.id, type, delay: 5, timeout: 3, max_retries: 2, ...attributes }
    return await api.request('POST', path, { healthmonitor: monitor })
  }
  const put = async (id: string, healthmonitor: object) =>
    await api.request('PUT', `${path}/${id}`, { healthmonitor })
  const body = (answer: Answer, status: number): Json => {
    assert.equal(answer.status, status, JSON.stringify(answer.body))
    return answer.body.healthmonitor
  }
  return {
    api,
    create,
    put,
    made: async (attributes) => body(await create(attributes), 201),
    changed: async (id, attributes) => body(await put(id, attributes), 200),
    shown: async (id) => body(await api.request('GET', `${path}/${id}`), 200),
  }
}

const sentence = ({ body }: Answer): string => String(body.error_msg ?? body.faultstring)

for (const dialect of DIALECTS) {
  suite(`options of health monitors, dialect ${dialect}`, () => {
    test('a monitor without options has no such key, also when it was sent as null or empty', async (t) => {
      const { made, shown, changed, api } = await monitors(t, dialect)
      for (const sent of [{}, { options: null }, { options: {} }, { options: { invert: null } }]) {
        const monitor = await made(sent)
        assert.ok(!('options' in monitor))
        assert.ok(!('options' in (await changed(monitor.id, sent))))
        assert.ok(!('options' in (await shown(monitor.id))))
      }
      assert.deepEqual(await query(api.db, 'select id from health_monitor where options is not null'), [])
    })

    test('options win over plain fields, which show seconds rounded up and ten at most', async (t) => {
      const { made, shown, api } = await monitors(t, dialect)
      const options = {
        interval_ms: 1001,
        timeout_ms: 250,
        rise: 12,
        fall: 7,
        http: {
          path: '/deep/health?full=1',
          method: 'POST',
          host: 'web.example.org:8080',
          version: '1.1',
          expected_statuses: [
            { start: 200, end: 201 },
            { start: 300, end: 400 },
          ],
        },
      }
      const monitor = await made({ options, delay: 7, timeout: 8, max_retries: 3, max_retries_down: 4 })
      assert.deepEqual(monitor.options, options)
      const { delay, timeout, max_retries, max_retries_down } = monitor
      assert.deepEqual([delay, timeout, max_retries, max_retries_down], [2, 1, 10, 7])
      const { url_path, http_method, domain_name, expected_codes } = monitor
      assert.deepEqual(
        [url_path, http_method, domain_name, expected_codes],
        ['/deep/health?full=1', 'POST', 'web.example.org:8080', '200,300-399'],
      )
      if (dialect === 'octavia') assert.equal(monitor.http_version, 1.1)
      assert.deepEqual((await shown(monitor.id)).options, options)
      const listed = await api.request('GET', `${MOUNT[dialect]}/healthmonitors?delay=2&max_retries=10`)
      assert.deepEqual(
        listed.body.healthmonitors.map((each: Json) => [each.id, each.options]),
        [[monitor.id, options]],
      )
    })

    test('a PUT merges as RFC 7396: null removes a key, lists are replaced, null removes all', async (t) => {
      const { made, changed, shown } = await monitors(t, dialect)
      const { id } = await made({ options: { interval_ms: 500, jitter: { ms: 5, percent: 10 }, rise: 20 } })
      const after = async (options: unknown) => (await changed(id, { options })).options
      assert.deepEqual(await after({ jitter: { ms: null }, hard_failures: ['status', 'payload'] }), {
        interval_ms: 500,
        jitter: { percent: 10 },
        rise: 20,
        hard_failures: ['status', 'payload'],
      })
      assert.deepEqual(await after({ hard_failures: ['immediate'], rise: null, jitter: null }), {
        interval_ms: 500,
        hard_failures: ['immediate'],
      })
      assert.deepEqual(await after({}), { interval_ms: 500, hard_failures: ['immediate'] })
      assert.equal(await after(null), undefined)
      const monitor = await shown(id)
      assert.deepEqual([monitor.delay, monitor.max_retries, 'options' in monitor], [1, 10, false])
    })

    test('another value of a plain field clears its option; what is written beside it wins', async (t) => {
      const { made, changed } = await monitors(t, dialect)
      const http = { path: '/a', method: 'PUT', host: 'a', version: '1.1', body: 'x' }
      const { id } = await made({
        options: { interval_ms: 500, timeout_ms: 100, rise: 30, fall: 31, preset: 'haproxy', http },
      })
      const steps: readonly (readonly [object, object])[] = [
        [{ delay: 9 }, { timeout_ms: 100, rise: 30, fall: 31, preset: 'haproxy', http }],
        [{ max_retries: 4 }, { timeout_ms: 100, fall: 31, preset: 'haproxy', http }],
        [{ max_retries_down: 4 }, { timeout_ms: 100, preset: 'haproxy', http }],
        [
          { url_path: '/b', timeout: 2 },
          { preset: 'haproxy', http: { ...http, path: undefined } },
        ],
        [{ domain_name: 'b' }, { preset: 'haproxy', http: { method: 'PUT', version: '1.1', body: 'x' } }],
        [
          { http_method: 'GET', delay: 9, options: { interval_ms: 300, http: { body: null } } },
          { preset: 'haproxy', interval_ms: 300, http: { version: '1.1' } },
        ],
      ]
      for (const [sent, options] of steps) {
        const monitor = await changed(id, sent)
        assert.deepEqual(monitor.options, JSON.parse(JSON.stringify(options)), JSON.stringify(sent))
      }
      if (dialect === 'octavia') {
        const monitor = await changed(id, { http_version: 1.1, options: { preset: null } })
        assert.deepEqual(
          [monitor.options, monitor.delay],
          [{ interval_ms: 300, http: { version: '1.1' } }, 1],
        )
      }
    })

    test('secrets are write-only: masked in every answer, kept when the mask comes back', async (t) => {
      const { made, changed, shown, put, api } = await monitors(t, dialect)
      const headers = [
        { name: 'Authorization', value: 'Bearer hidden-1' },
        { name: 'X-Env', value: 'test' },
        { name: 'cookie', value: 'hidden-2' },
      ]
      const masked = headers.map((header) => (header.name === 'X-Env' ? header : { ...header, value: '***' }))
      const stored = async () =>
        JSON.stringify(await query(api.db, 'select options from health_monitor order by created_at limit 1'))
      const monitor = await made({ options: { http: { headers } } })
      assert.deepEqual(monitor.options.http.headers, masked)
      assert.deepEqual((await shown(monitor.id)).options.http.headers, masked)
      const again = await changed(monitor.id, { options: { ...monitor.options, rise: 20 } })
      assert.deepEqual(again.options.http.headers, masked)
      assert.match(await stored(), /hidden-1.*hidden-2/)
      const turned = [masked[2], { name: 'AUTHORIZATION', value: '***' }]
      assert.deepEqual(
        (await changed(monitor.id, { options: { http: { headers: turned } } })).options.http.headers,
        turned,
      )
      assert.match(await stored(), /hidden-2.*hidden-1/)
      const lost = await put(monitor.id, {
        options: { http: { headers: [{ name: 'Proxy-Authorization', value: '***' }] } },
      })
      assert.equal(lost.status, 400)
      assert.match(
        sentence(lost),
        /'\*\*\*' stands for a stored value of Proxy-Authorization, and there is none/,
      )
      // Neither does a refusal of something else repeat them.
      for (const wrong of [
        { delay: 'x', options: { http: { headers } } },
        { options: { http: { headers: [{ name: 'Authorization', value: 'hidden-3\r\n' }] } } },
        { options: { http: { headers: { Authorization: 'hidden-4' } } } },
      ]) {
        const answer = await put(monitor.id, wrong)
        assert.equal(answer.status, 400)
        assert.doesNotMatch(JSON.stringify(answer.body), /hidden/)
      }
    })

    test('each refusal says which option and why, in the words of the peers where they have some', async (t) => {
      const { create, api } = await monitors(t, dialect, {
        sourceAddresses: ['127.0.0.2'],
        hasTlsFile: (name) => name === 'ca.pem',
      })
      const http = (of: object) => ({ http: of })
      const connection = (of: object) => ({ connection: of })
      const keepalived = (udp: object) => ({ preset: 'keepalived', udp })
      const range = (start: number, end: number) => [{ start, end }]
      const header = (name: string, value = 'x') => http({ headers: [{ name, value }] })
      const table: readonly (readonly [type: string, options: unknown, why: RegExp])[] = [
        ['HTTP', { colour: 'red' }, /options.*colour/],
        ['HTTP', { http: { colour: 'red' } }, /options\.http.*colour/],
        ['HTTP', [], /options.*must be an object/],
        ['HTTP', { interval_ms: 0 }, /interval_ms.*must be greater than zero/],
        ['HTTP', { interval_ms: 99 }, /interval_ms.*must be at least 100/],
        ['HTTP', { interval_ms: '500' }, /interval_ms.*must be a whole number/],
        ['HTTP', { timeout_ms: -1 }, /timeout_ms.*must be greater than zero/],
        ['HTTP', { rise: 0 }, /rise.*must be greater than zero/],
        ['HTTP', { fall: 1001 }, /fall.*must be at most 1000/],
        ['HTTP', { jitter: { percent: 101 } }, /jitter\.percent.*must be in inclusive range \[0, 100\]/],
        ['HTTP', { preset: 'nginx' }, /preset.*must be one of elb, octavia, envoy/],
        ['HTTP', { intervals: { offline_ms: 0 } }, /intervals\.offline_ms.*must be greater than zero/],
        ['HTTP', { flap: { high_percent: 20, low_percent: 30 } }, /low_percent.*above high_percent 20/],
        [
          'HTTP',
          http({ expected_statuses: range(300, 200) }),
          /Invalid http expected status range: expecting start < end, but found start=300 and end=200/,
        ],
        [
          'HTTP',
          http({ retriable_statuses: range(99, 200) }),
          /Invalid http retriable status range: expecting start >= 100, but found start=99/,
        ],
        [
          'HTTP',
          http({ expected_statuses: range(500, 601) }),
          /Invalid http expected status range: expecting end <= 600, but found end=601/,
        ],
        ['HTTP', http({ body: 'x' }), /HTTP health check cannot specify a request payload with method 'GET'/],
        [
          'HTTP',
          http({ expected_body: ['abc'], searched_body_bytes: 2 }),
          /The expected response length '3' is over than http health response buffer size '2'/,
        ],
        [
          'HTTP',
          { preset: 'envoy', ...http({ expected_body: ['a'.repeat(600), 'b'.repeat(600)] }) },
          /The expected response length '1200' is over than http health response buffer size '1024'/,
        ],
        ['HTTP', http({ expected_body: ['x'], method: 'HEAD' }), /expected_body.*HEAD/],
        ['HTTP', http({ method: 'CONNECT' }), /http\.method.*must be one of/],
        ['HTTP', http({ version: 'h2' }), /h2 is for HTTPS, h2c for HTTP/],
        ['HTTP', http({ path: 'x' }), /http\.path.*must match/],
        ['HTTP', http({ path: '/a b' }), /http\.path.*must match/],
        ['HTTP', http({ path: '/\u0085' }), /http\.path.*must match/],
        ['HTTP', http({ host: 'a\r\nX: y' }), /http\.host.*must match/],
        ['HTTP', header('Host'), /Host is set by the probe itself/],
        ['HTTP', header('content-length'), /is set by the probe itself/],
        ['HTTP', header('Transfer-Encoding'), /is set by the probe itself/],
        ['HTTP', header('Connection'), /is set by the probe itself/],
        ['HTTP', header('UPGRADE'), /is set by the probe itself/],
        ['HTTP', http({ remove_headers: ['Host'] }), /http\.remove_headers.*Host is set by the probe itself/],
        ['HTTP', header('a b'), /headers\[0\]\.name.*must match/],
        ['HTTP', header(':path'), /headers\[0\]\.name.*must match/],
        ['HTTP', header('a', 'b\nc'), /headers\[0\]\.value.*must match/],
        ['HTTP', header('a', '\u0081'), /headers\[0\]\.value.*must match/],
        ['HTTP', http({ headers: [{ value: 'a' }] }), /headers\[0\]\.name.*must be set/],
        ['HTTP', { grpc: {}, http: {} }, /must not have more than one type of health check defined/],
        [
          'HTTP',
          { grpc: { metadata: [{ name: 'grpc-timeout', value: '1' }] } },
          /is set by the probe itself/,
        ],
        ['HTTP', { tls: { verify: true } }, /options\.tls.*does not fit type HTTP, only HTTPS, TLS-HELLO/],
        ['TCP', http({ path: '/' }), /options\.http.*does not fit type TCP/],
        ['HTTP', { udp: { require_reply: true } }, /options\.udp.*does not fit type HTTP/],
        ['HTTP', { icmp: { count: 2 } }, /options\.icmp.*does not fit type HTTP/],
        ['HTTP', { tcp: { send: 'AA==' } }, /options\.tcp.*does not fit type HTTP/],
        ['TCP', { tcp: { send: 'A' } }, /tcp\.send.*must match/],
        ['TCP', { tcp: { receive: [''] } }, /receive\[0\].*must match/],
        [
          'TCP',
          { connection: { source_address: '127.0.0.3' } },
          /127\.0\.0\.3 is not one of HM_SOURCE_ADDRESSES/,
        ],
        ['TCP', { connection: { proxy_protocol: 'v3' } }, /proxy_protocol.*must be one of v1, v2/],
      ]
      const ofOctavia: typeof table = [
        ['HTTP', connection({ handshake: 'half' }), /handshake.*does not fit type HTTP, only TCP/],
        ['TCP', connection({ handshake: 'half', close: 'fin' }), /handshake.*half does not fit/],
        ['PING', connection({ close: 'rst' }), /connection\.close.*does not fit type PING/],
        ...['PING', 'SCTP'].map(
          (type) =>
            [
              type,
              connection({ source_address: '127.0.0.2' }),
              new RegExp(`source_address.*does not fit type ${type}`),
            ] as const,
        ),
        ['UDP-CONNECT', { udp: { min_reply_length: 2, max_reply_length: 1 } }, /will always fail/],
        ['UDP-CONNECT', { udp: { reply_pattern: '0000', max_reply_length: 1 } }, /will always fail/],
        ['UDP-CONNECT', keepalived({ reply_pattern: '00', min_reply_length: 256 }), /will always fail/],
        ['TLS-HELLO', connection({ reuse: true }), /connection\.reuse.*does not fit type TLS-HELLO/],
        ['HTTPS', { tls: { ca: '../ca.pem' } }, /tls\.ca.*must match/],
        ['HTTPS', { tls: { ca: 'a/ca.pem' } }, /tls\.ca.*must match/],
        ['HTTPS', { tls: { ca: '..' } }, /tls\.ca.*must match/],
        ['HTTPS', { tls: { ca: 'other.pem' } }, /HM_TLS_DIR has no file other\.pem/],
        ['HTTPS', { tls: { certificate: 'ca.pem' } }, /certificate and key are set together/],
        ['HTTPS', { tls: { server_name: '127.0.0.1' } }, /an address is no server name/],
        [
          'HTTPS',
          { tls: { alpn: ['http/1.1'] }, ...http({ version: 'h2' }) },
          /tls\.alpn.*does not fit HTTP\/2/,
        ],
        ['HTTPS', { tls: { alpn: [] }, grpc: {} }, /tls\.alpn.*does not fit HTTP\/2/],
      ]
      const before = await elb.contents(api)
      for (const [type, options, why] of dialect === 'elb' ? table : [...table, ...ofOctavia]) {
        const answer = await create({ type, options })
        assert.equal(answer.status, 400, JSON.stringify(options))
        assert.match(sentence(answer), why)
      }
      assert.equal((await elb.contents(api))['health_monitor'], before['health_monitor'])
    })
  })
}

test('files of HM_TLS_DIR are refused where it is not set', async (t) => {
  const { create } = await monitors(t, 'octavia')
  const answer = await create({ type: 'HTTPS', options: { tls: { ca: 'ca.pem' } } })
  octavia.assertFault(answer, 400, 'Validation failure: options.tls.ca: HM_TLS_DIR is not set.')
})

test('options that do not fit another type hold it back until they are removed', async (t) => {
  const { made, put, changed } = await monitors(t, 'elb')
  const { id } = await made({ options: { http: { path: '/x' } } })
  const answer = await put(id, { type: 'TCP' })
  assert.equal(answer.status, 400)
  assert.match(sentence(answer), /options\.http\. Reason: it does not fit type TCP/)
  assert.equal((await changed(id, { type: 'TCP', options: { http: null } })).type, 'TCP')
})

test('gRPC and an inverted monitor start their checks anew; other options keep what is known', async (t) => {
  const { made, changed, api } = await monitors(t, 'octavia')
  const { id } = await made({})
  const generation = async () =>
    (await query<{ generation: number }>(api.db, 'select generation from health_monitor'))[0]?.generation
  const table: readonly (readonly [object, boolean])[] = [
    [{ interval_ms: 200, http: { path: '/x' }, rise: 5, preset: 'envoy' }, false],
    [{ http: null, grpc: {} }, true],
    [{ grpc: { service: 'a' } }, false],
    [{ grpc: null }, true],
    [{ invert: true }, true],
    [{ invert: false }, true],
    [{ invert: null }, false],
  ]
  for (const [options, isRenewed] of table) {
    const before = await generation()
    await changed(id, { options })
    assert.equal((await generation()) !== before, isRenewed, JSON.stringify(options))
  }
})

test('a monitor inside the create of a load balancer has options too', async (t) => {
  const { api } = await monitors(t, 'octavia')
  const healthmonitor = { type: 'TCP', delay: 5, timeout: 3, max_retries: 2, options: { interval_ms: 700 } }
  const answer = await api.request('POST', `${MOUNT.octavia}/loadbalancers`, {
    loadbalancer: {
      vip_subnet_id: elb.SUBNET,
      pools: [{ name: 'p', protocol: 'TCP', lb_algorithm: 'ROUND_ROBIN', healthmonitor }],
    },
  })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  const shown = answer.body.loadbalancer.pools[0].healthmonitor
  assert.deepEqual([shown.options, shown.delay], [{ interval_ms: 700 }, 1])
})

test('dialect octavia: no interval of UDP-CONNECT is below HM_UDP_MIN_DELAY, whatever option or preset makes it', async (t) => {
  const { create, made, put, changed } = await monitors(t, 'octavia')
  const short = [
    { interval_ms: 2999 },
    { intervals: { offline_ms: 100 } },
    { intervals: { no_traffic_ms: 1000 } },
    { preset: 'keepalived' },
  ]
  const monitor = await made({ type: 'UDP-CONNECT', options: { interval_ms: 3000 } })
  for (const options of short) {
    for (const answer of [
      await create({ type: 'UDP-CONNECT', options }),
      await put(monitor.id, { options }),
    ]) {
      assert.equal(answer.status, 400, JSON.stringify(options))
      assert.match(sentence(answer), /should be larger than 3 for UDP-CONNECT/)
    }
    await made({ type: 'HTTP', options })
  }
  await changed(monitor.id, { options: { preset: 'keepalived', intervals: { online_pending_ms: 3000 } } })
  const refused = await put(monitor.id, { options: { intervals: null } })
  assert.equal(refused.status, 400)
})
