/** The API on a port of its own against a fresh database, and the one client through which every test speaks to it. */
import { createServer, type IncomingHttpHeaders, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { createApp } from '../../src/api/app.ts'
import type { ApiDependencies, ApiSettings, Route } from '../../src/api/http/context.ts'
import { elbRoutes } from '../../src/api/dialect/elb/routes.ts'
import type { DialectName } from '../../src/api/dialects.ts'
import {
  PAGE_MAX_DEFAULT,
  UDP_MIN_DELAY_SECONDS_DEFAULT,
  VIP_RANGE_DEFAULT,
} from '../../src/domain/limits.ts'
import { parseCidr } from '../../src/domain/address/ip-address.ts'
import { makeTargetPolicy } from '../../src/domain/address/target-policy.ts'
import { vipRangeOf } from '../../src/domain/address/vip-range.ts'
import { EventStreams } from '../../src/api/v1/event-streams.ts'
import { ProbeAllowance } from '../../src/api/resource/probe-allowance.ts'
import { ProbeAnswers } from '../../src/api/resource/probe-answers.ts'
import { feedOf } from '../../src/bin/process/events.ts'
import { testSender } from '../../src/bin/process/webhooks.ts'
import { noIdentity } from '../../src/identity/no-identity.ts'
import { type Database } from '../../src/store/connection/database.ts'
import { readProbeAnswers } from '../../src/store/probing/probe-requests.ts'
import { type Ending, testDatabase } from './database.ts'
import { doorOf, validateDoorAnswer } from './door-openapi.ts'
import { asOneRequest, ofTheProcess, oneConnectionPerRequest, readsForAll } from './one-connection.ts'
import { validateAnswer } from './openapi.ts'

export const UNLIMITED = { loadbalancer: -1, listener: -1, pool: -1, member: -1, healthmonitor: -1 }
export const DEFAULT_PROJECT = 'default-project'

export interface ApiOptions extends Partial<ApiSettings> {
  /** Instead of a fresh database. */
  readonly db?: Database
  readonly targetPolicy?: ApiDependencies['targetPolicy']
  readonly log?: ApiDependencies['log']
  readonly admission?: ApiDependencies['admission']
  /** Instead of a feed that looks once a second, and of which nobody gives the events their positions. */
  readonly events?: ApiDependencies['events']
  /** Instead of a policy that allows loopback, and a real test. */
  readonly webhooks?: Partial<ApiDependencies['webhooks']>
  /** Instead of answers that are looked for once a second, and of allowances as they are. */
  readonly probes?: ApiDependencies['probes']
  /** Instead of no identity. */
  readonly identity?: Pick<ApiDependencies, 'identify' | 'developmentIdentity' | 'signIn'>
}

/** A parsed JSON body; tests know its shape. */
// oxlint-disable-next-line typescript/no-explicit-any -- assertions on the shape are what the tests are for
export type Json = any

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Parsed when it is JSON, else the text; undefined when empty. */
  readonly body: Json
}

export interface Exchange {
  readonly method: string
  /** As sent, with the query string. */
  readonly path: string
  readonly requestBody: unknown
  readonly answer: Answer
}

/** Called with every answer that any test receives: tests that check answers against a contract add themselves here. */
export const everyAnswer: ((exchange: Exchange) => void)[] = []

export interface Api {
  readonly url: string
  readonly port: number
  readonly db: Database
  /** Every operation of dialect elb. */
  readonly routes: readonly Route[]
  /** What the API logged as errors. */
  readonly errors: readonly object[]
  /** Connections of clients that are open. */
  connections(): Promise<number>
  /** Sends one request. A string or Buffer goes out as it is, anything else as JSON. */
  request(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>
}

const SILENT = { info: () => undefined, warn: () => undefined }

/** Milliseconds that a request may wait for its project's turn. */
const BUSY_HOST_MS = 60_000

const OPEN_POLICY = makeTargetPolicy({
  allow: [],
  deny: [],
  loopbackAllowed: true,
  ownListeners: [],
  localAddresses: [],
})

function webhooksOf(t: Ending): ApiDependencies['webhooks'] {
  const tests = testSender({ policy: OPEN_POLICY, origin: { source: 'urn:healthmonitor' } })
  t.after(() => tests.close())
  return { policy: OPEN_POLICY, test: tests.send }
}

function probesOf(t: Ending, db: Database): ApiDependencies['probes'] {
  const quiet = () => undefined
  const answers = new ProbeAnswers({
    read: (ids) => readProbeAnswers(db, ids),
    onTrouble: quiet,
    onRecovery: quiet,
  })
  t.after(() => answers.close())
  return { answers, allowance: new ProbeAllowance(), ended: quiet }
}

type Parts = Pick<ApiDependencies, 'events' | 'webhooks' | 'probes'>

function partsOf(
  t: Ending,
  db: Database,
  given: { readonly [Name in keyof Parts]: ApiOptions[Name] | undefined },
): Parts {
  return {
    events: ofTheProcess(given.events ?? { feed: feedOf(db, SILENT), streams: new EventStreams() }),
    webhooks: { ...webhooksOf(t), ...given.webhooks },
    probes: readsForAll(given.probes ?? probesOf(t, db)),
  }
}

/** Starts the API; it ends with the test. */
export async function startApi(t: Ending, options: ApiOptions = {}): Promise<Api> {
  const { db: givenDb, targetPolicy, admission, identity, log, ...rest } = options
  const { events, webhooks, probes, ...settings } = rest
  const db = givenDb ?? (await testDatabase(t)).db
  oneConnectionPerRequest(db)
  const errors: object[] = []
  const deps: ApiDependencies = {
    db,
    settings: {
      defaultDialect: 'elb',
      pageMax: PAGE_MAX_DEFAULT,
      quotas: UNLIMITED,
      rbac: 'both',
      vipRange: vipRangeOf(parseCidr(VIP_RANGE_DEFAULT)),
      loopbackHostsOnly: true,
      trustedProxies: [],
      allowPing: true,
      udpMinDelaySeconds: UDP_MIN_DELAY_SECONDS_DEFAULT,
      ...settings,
    },
    log: log ?? { debug: () => undefined, info: () => undefined, error: (fields) => errors.push(fields) },
    ...(identity ?? { identify: noIdentity(DEFAULT_PROJECT) }),
    targetPolicy: targetPolicy ?? OPEN_POLICY,
    ...partsOf(t, db, { events, webhooks, probes }),
    observe: () => undefined,
    // A busy host makes nobody wait too long: what tests the wait says how long it is.
    admission: { waitMs: BUSY_HOST_MS, ...admission },
  }
  const serve = createApp(deps).callback()
  const server = createServer((request, response) => asOneRequest(() => void serve(request, response)))
  const port = await listen(server)
  t.after(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    db,
    routes: elbRoutes(deps),
    errors,
    connections: () => promisify(server.getConnections.bind(server))(),
    request: (method, path, body, headers = {}) =>
      send(port, {
        method,
        path,
        body,
        headers,
        defaultDialect: deps.settings.defaultDialect as DialectName,
      }),
  }
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

interface Sent {
  readonly method: string
  readonly path: string
  readonly body: unknown
  readonly headers: Readonly<Record<string, string>>
  readonly defaultDialect: DialectName
}

/** Neither part of a dialect nor described: Keystone's, and what Neutron would answer. */
const FOREIGN =
  /^\/identity\b|^(?:\/load-balancer)?\/v2(?:\.0)?\/(?:subnets|networks|ports|floatingips|security-groups)\b/

async function send(port: number, sent: Sent): Promise<Answer> {
  const answer = await exchange(port, sent)
  const { method, path, body: requestBody, defaultDialect } = sent
  const door = doorOf(path)
  if (door !== undefined) validateDoorAnswer(door, { method, ...answer, path: path.slice(door.length + 1) })
  else if (!FOREIGN.test(path)) validateAnswer({ method, path, defaultDialect, ...answer })
  for (const check of everyAnswer) check({ method, path, requestBody, answer })
  return answer
}

function exchange(port: number, { method, path, body, headers }: Sent): Promise<Answer> {
  const raw = typeof body === 'string' || Buffer.isBuffer(body) || body === undefined
  const payload = raw ? body : JSON.stringify(body)
  const type = payload === undefined ? {} : { 'content-type': 'application/json' }
  const length = payload === undefined ? {} : { 'content-length': String(Buffer.byteLength(payload)) }
  const chunked = headers['transfer-encoding'] === 'chunked'
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        // An empty type: none at all.
        headers: Object.fromEntries(
          Object.entries({ ...type, ...(chunked ? {} : length), ...headers }).filter(
            ([name, value]) => name !== 'content-type' || value !== '',
          ),
        ),
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: parsed(Buffer.concat(chunks).toString()),
          }),
        )
      },
    )
    request.on('error', reject)
    request.end(payload)
  })
}

function parsed(text: string): Json {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
