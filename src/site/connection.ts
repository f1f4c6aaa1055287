/** The connection to NATS: made when it can be, made again when it breaks. Nothing waits in it for a server to come back. */
import { readFileSync } from 'node:fs'
import {
  type DirectStreamAPI,
  jetstream,
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
} from '@nats-io/jetstream'
import { type KV, Kvm } from '@nats-io/kv'
import {
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  type NatsConnection,
} from '@nats-io/transport-node'
import {
  NATS_CONNECT_WITHIN_MS,
  NATS_PING_EVERY_MS,
  NATS_PINGS_MISSED_MAX,
  NATS_RECONNECT_MS,
  NATS_REQUEST_WITHIN_MS,
} from '../domain/limits.ts'
import type { Log } from './log.ts'
import { reaching, SiteAway } from './away.ts'

export interface NatsSettings {
  /** nats://HOST:PORT, or tls://; several with commas. */
  readonly url: string
  /** Path of a credentials file; absent = none. Read at each new connection, so that a renewed one is used. */
  readonly credentials?: string | undefined
  /** Path of the certificates of authorities that sign the server's; absent = those of Node.js. */
  readonly caFile?: string | undefined
  /** JetStream's domain; absent = none. */
  readonly domain?: string | undefined
  readonly inbox: string
  /** Of the connection, as the server shows it. */
  readonly name: string
}

/** A connection that is up. */
export interface Reached {
  readonly connection: NatsConnection
  readonly js: JetStreamClient
  readonly jsm: JetStreamManager
  /** Reads streams without their leader. */
  readonly direct: DirectStreamAPI
}

export class SiteConnection {
  readonly #settings: NatsSettings
  readonly #log: Log
  readonly #buckets = new Map<string, KV>()
  #reached: Reached | undefined
  #connecting: Promise<Reached> | undefined
  #isUp = false
  #isClosed = false

  constructor(settings: NatsSettings, log: Log) {
    this.#settings = settings
    this.#log = log
  }

  /** Rejects at once with SiteAway while there is no connection. */
  async reach(): Promise<Reached> {
    if (this.#isClosed) throw new SiteAway('the connection to NATS is closed')
    if (this.#reached !== undefined) {
      if (this.#isUp) return this.#reached
      throw new SiteAway('no connection to NATS')
    }
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined
    })
    return await reaching(
      'no connection to NATS',
      () => this.#connecting ?? Promise.reject(new Error('none')),
    )
  }

  /** A bucket that exists. */
  async bucket(name: string): Promise<KV> {
    const { js } = await this.reach()
    const known = this.#buckets.get(name)
    if (known !== undefined) return known
    const bucket = await reaching(`the bucket ${name} cannot be opened`, () =>
      new Kvm(js).open(name, { bindOnly: true, allow_direct: true }),
    )
    this.#buckets.set(name, bucket)
    return bucket
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const reached = this.#reached ?? (await this.#connecting?.catch(() => undefined))
    await reached?.connection.close().catch(() => undefined)
  }

  async #connect(): Promise<Reached> {
    const { domain } = this.#settings
    const connection = await connect(this.#options())
    if (this.#isClosed) {
      await connection.close()
      throw new SiteAway('the connection to NATS is closed')
    }
    const options = { timeout: NATS_REQUEST_WITHIN_MS, ...(domain === undefined ? {} : { domain }) }
    const js = jetstream(connection, options)
    const jsm = await jetstreamManager(connection, { ...options, checkAPI: false })
    this.#reached = { connection, js, jsm, direct: jsm.direct }
    this.#isUp = true
    void this.#follow(connection)
    return this.#reached
  }

  #options(): ConnectionOptions {
    const { url, credentials, caFile, inbox, name } = this.#settings
    return {
      servers: url.split(','),
      name,
      inboxPrefix: inbox,
      timeout: NATS_CONNECT_WITHIN_MS,
      maxReconnectAttempts: -1,
      reconnectTimeWait: NATS_RECONNECT_MS,
      pingInterval: NATS_PING_EVERY_MS,
      maxPingOut: NATS_PINGS_MISSED_MAX,
      // Of several, the first one that answers: the order is that of the setting.
      noRandomize: true,
      ignoreAuthErrorAbort: true,
      ...(credentials === undefined
        ? {}
        : { authenticator: (nonce) => credsAuthenticator(readFileSync(credentials))(nonce) }),
      ...(caFile === undefined ? {} : { tls: { caFile } }),
    }
  }

  async #follow(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect' || status.type === 'staleConnection') {
        if (this.#isUp) this.#log.warn({ nats: connection.getServer() }, 'the connection to NATS is lost')
        this.#isUp = false
      } else if (status.type === 'reconnect') {
        this.#isUp = true
        this.#log.info({ nats: connection.getServer() }, 'the connection to NATS is back')
      } else if (status.type === 'error') {
        this.#log.warn({ err: status.error }, 'NATS refuses')
      }
    }
    // It ends for good only when it is closed.
    this.#isUp = false
    this.#reached = undefined
    this.#buckets.clear()
  }
}
