/**
 * What a dialect accepts, the prober can send: bodies of monitors and pools go through the parsers of both dialects, and
 * whatever passes is probed for once, against listeners. A result that is inconclusive would stay so for ever.
 */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { suite, test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { elbHealthMonitors } from '../../src/api/dialect/elb/health-monitor.ts'
import { octaviaHealthMonitors } from '../../src/api/dialect/octavia/health-monitor.ts'
import { octaviaPools } from '../../src/api/dialect/octavia/pool.ts'
import { DomainError } from '../../src/domain/errors.ts'
import type { MonitorOptions } from '../../src/domain/options/monitor-options.ts'
import { poolSettings } from '../../src/domain/target/pool-settings.ts'
import { probeTarget } from '../../src/domain/target/monitor-target.ts'
import { REASONS } from '../../src/domain/result/reasons.ts'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import type { HealthMonitor } from '../../src/domain/health-monitor.ts'
import type { LoadBalancer, Pool } from '../../src/domain/types.ts'
import { patternProblem } from '../../src/probe/http/body-pattern.ts'
import { fittingOptions } from '../support/fitting-options.ts'
import { listen, probeWithin } from '../support/probing.ts'
import { probers } from '../support/probers.ts'

const RUNS = Number(process.env['ACCEPTED_RUNS'] ?? 60)
const ID = '11111111-1111-4111-8111-111111111111'
const SETTINGS = {
  allowPing: true,
  udpMinDelaySeconds: 3,
  sourceAddresses: ['127.0.0.2', '::1'],
  hasTlsFile: () => true,
  patternProblem,
}
const DIALECTS = { octavia: octaviaHealthMonitors(SETTINGS), elb: elbHealthMonitors(SETTINGS) } as const
const POOL: Pool = {
  id: ID,
  projectId: 'p',
  name: '',
  adminStateUp: true,
  provisioningStatus: 'ACTIVE',
  createdAt: new Date(0),
  updatedAt: new Date(0),
  description: '',
  loadBalancerId: ID,
  protocol: 'HTTP',
  lbAlgorithm: 'ROUND_ROBIN',
  sessionPersistence: null,
  tags: [],
  echo: {},
}

const LOAD_BALANCER: LoadBalancer = {
  id: ID,
  projectId: 'p',
  name: '',
  adminStateUp: true,
  provisioningStatus: 'ACTIVE',
  createdAt: new Date(0),
  updatedAt: new Date(0),
  description: '',
  provider: 'octavia',
  vipAddress: '192.0.2.7',
  madeVipAddress: null,
  vipSubnetId: null,
  vipPortId: null,
  tags: [],
  echo: {},
}

/** Undefined = it was refused. */
function accepted<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (error instanceof DomainError) return undefined
    throw error
  }
}

type Draft = Pick<HealthMonitor, 'type' | 'profile' | 'options'> & Parameters<typeof probeTarget>[0]

function monitorOf(dialect: keyof typeof DIALECTS, attributes: object, pool: Pool): Draft | undefined {
  const body = {
    healthmonitor: { pool_id: ID, type: 'HTTP', delay: 5, timeout: 3, max_retries: 3, ...attributes },
  }
  return accepted(() => {
    const { assertFits, draftFor } = DIALECTS[dialect].parseCreate(body, 'p')
    assertFits?.(pool)
    return draftFor(pool, LOAD_BALANCER)
  })
}

interface Listeners {
  readonly heard: string[]
  readonly tcp: number
  readonly udp: number
}

async function startListeners(t: TestContext): Promise<Listeners> {
  const heard: string[] = []
  const server = await listen(t, (socket) => {
    socket.once('data', (bytes: Buffer) => {
      heard.push(bytes.toString('latin1'))
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
  })
  const datagrams = createSocket('udp4')
  datagrams.on('message', (_, { port, address }) => datagrams.send('reply', port, address))
  datagrams.bind(0, '127.0.0.1')
  await once(datagrams, 'listening')
  t.after(() => datagrams.close())
  return { heard, tcp: (server.address() as AddressInfo).port, udp: datagrams.address().port }
}

/** One probe of what was accepted; it may fail, but must not be inconclusive. */
async function assertProbed(monitor: Draft, pool: Pool, { heard, tcp, udp }: Listeners): Promise<void> {
  const port = monitor.type === 'UDP-CONNECT' ? udp : tcp
  const member = { address: '127.0.0.1', protocolPort: port, monitorAddress: null, monitorPort: null }
  const { reuse: _, ...target }: ProbeTarget = probeTarget(
    { ...monitor, monitorPort: null },
    member,
    poolSettings(pool),
  )
  heard.length = 0
  const { reason, detail } = await probeWithin(probers[target.type], { ...target, timeoutMs: 1000 })
  assert.notEqual(REASONS[reason].outcome, 'inconclusive', `${reason} ${detail}: ${JSON.stringify(target)}`)
  const isHttp1 = target.http !== undefined && target.http.version !== '2' && target.tls === undefined
  if (isHttp1 && target.type === 'HTTP' && target.proxyProtocol === undefined) {
    // What the target of the probe before hears late may be among it.
    assert.match(heard.at(-1) ?? '', /^[!-~]+ \/[!-~]* HTTP\/1\.[01]\r\n([!-9;-~]+:[ -~]*\r\n)+\r\n/)
  }
}

const anything = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'binary-ascii', maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom(
      ...'aZ09-._~!$&\'()*+,;=:@%/?#[]"<>^`{|}\\žü€😀\u0085\u00a0\u200b\ud800 \t\r\n\0\x7f'.split(''),
    ),
    maxLength: 20,
  }),
)
const TEXTS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  url_path: anything.map((text) => `/${text}`),
  domain_name: fc.oneof(anything, fc.stringMatching(/^[a-z0-9_-]{1,20}(\.[a-z0-9_-]{1,20}){0,3}\.?$/)),
  http_method: fc.constantFrom(
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'DELETE',
    'TRACE',
    'OPTIONS',
    'CONNECT',
    'PATCH',
  ),
  http_version: fc.constantFrom('1.0', '1.1'),
  expected_codes: fc.constantFrom('200', '200-204', '200,404'),
}

suite('what is accepted is probed', () => {
  for (const dialect of ['octavia', 'elb'] as const) {
    test(`plain fields of ${dialect}, whatever texts they hold`, async (t) => {
      const listeners = await startListeners(t)
      let count = 0
      await fc.assert(
        fc.asyncProperty(fc.record(TEXTS, { requiredKeys: [] }), async (fields) => {
          const sent = 'domain_name' in fields ? { http_version: '1.1', ...fields } : fields
          const monitor = monitorOf(dialect, sent, POOL)
          if (monitor === undefined) return
          count++
          await assertProbed(monitor, POOL, listeners)
        }),
        { numRuns: 4 * RUNS },
      )
      // Of elb one text in sixteen: as often fewer than a quarter of RUNS as more.
      assert.ok(count > RUNS / 12, `only ${count} were accepted`)
    })
  }

  for (const type of ['HTTP', 'HTTPS', 'TCP', 'TLS-HELLO', 'UDP-CONNECT'] as const) {
    test(`options of ${type}, with every preset`, async (t) => {
      const listeners = await startListeners(t)
      const pool: Pool = type === 'UDP-CONNECT' ? { ...POOL, protocol: 'UDP' } : POOL
      let count = 0
      await fc.assert(
        fc.asyncProperty(fittingOptions(type), async (options) => {
          const monitor = monitorOf('octavia', { type, options: withoutFiles(options) }, pool)
          if (monitor === undefined) return
          count++
          await assertProbed(monitor, pool, listeners)
        }),
        { numRuns: RUNS },
      )
      assert.ok(count > RUNS / 4, `only ${count} were accepted`)
    })
  }

  test('pools: protocols, TLS and whatever their lists and texts hold', async (t) => {
    const listeners = await startListeners(t)
    const pools = fc.record(
      {
        protocol: fc.constantFrom('HTTP', 'HTTPS', 'TCP', 'PROXY', 'PROXYV2'),
        tls_enabled: fc.boolean(),
        alpn_protocols: fc.array(fc.oneof(anything, fc.constantFrom('h2', 'http/1.1', 'http/1.0')), {
          maxLength: 3,
        }),
        tls_versions: fc.array(fc.oneof(anything, fc.constantFrom('SSLv3', 'TLSv1', 'TLSv1.2', 'TLSv1.3')), {
          maxLength: 4,
        }),
        tls_ciphers: fc.oneof(
          anything,
          fc.constantFrom('AES256-SHA', 'NONE', '!ALL', 'TLS_AES_128_GCM_SHA256', 'A:-B:@STRENGTH'),
        ),
        tls_container_ref: anything,
      },
      { requiredKeys: ['protocol'] },
    )
    const types = fc.constantFrom('HTTP', 'HTTPS', 'TCP', 'TLS-HELLO')
    let count = 0
    await fc.assert(
      fc.asyncProperty(pools, types, async (attributes, type) => {
        const body = { pool: { loadbalancer_id: ID, lb_algorithm: 'ROUND_ROBIN', ...attributes } }
        const parents = { loadBalancer: { id: ID, projectId: 'p' } as LoadBalancer, listener: undefined }
        const draft = accepted(() => octaviaPools.parseCreate(body, 'p').draftFor(parents))
        if (draft === undefined) return
        const pool: Pool = { ...POOL, ...draft }
        const monitor = monitorOf('octavia', { type }, pool) ?? assert.fail(`${type} in ${draft.protocol}`)
        count++
        await assertProbed(monitor, pool, listeners)
      }),
      { numRuns: 2 * RUNS },
    )
    assert.ok(count > RUNS / 4, `only ${count} were accepted`)
  })
})

/** Files that are there when options are written, and gone when they are probed with, are another matter. */
function withoutFiles(options: MonitorOptions): MonitorOptions {
  if (options.tls === undefined) return options
  const { ca: _, certificate: __, key: ___, ...tls } = options.tls
  return { ...options, tls }
}
