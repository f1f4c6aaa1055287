/**
 * Connections to receivers. A name is resolved here, every address of it is checked, and a checked address is dialled.
 * So a name cannot lead to another address after the check. TLS is verified by the name.
 */
import { isIP } from 'node:net'
import { buildConnector } from 'undici'
import type { TargetPolicy } from '../../domain/address/target-policy.ts'
import { WEBHOOK_CONNECT_MS } from '../../domain/limits.ts'
import { LookupsBusy, Names, type Resolvers } from './names.ts'

/** No address of the receiver may be called; the message is for the owner of the webhook. */
export class NoAddress extends Error {}
/** No address of the receiver took a connection: nothing was sent. The message is for the owner of the webhook. */
export class NoConnection extends Error {}

export interface DialerOptions {
  readonly policy: TargetPolicy
  /** Replaced in tests; absent = those of this host. */
  readonly resolvers?: Resolvers
  /** PEM of certificate authorities, for tests; absent = those of Node. */
  readonly ca?: string
}

/** Makes connectors. They share the look-ups of names. */
export class Dialer {
  readonly #options: DialerOptions
  readonly #names: Names
  readonly #connect: buildConnector.connector

  constructor(options: DialerOptions) {
    this.#options = options
    this.#names = new Names(options.resolvers)
    const ca = options.ca === undefined ? {} : { ca: options.ca }
    this.#connect = buildConnector({ timeout: WEBHOOK_CONNECT_MS, ...ca })
  }

  /** The connector of one project. */
  connectorOf(projectKey: string): buildConnector.connector {
    return (options, callback) => {
      const port = Number(options.port || (options.protocol === 'https:' ? 443 : 80))
      const host = options.hostname.replace(/^\[|\]$/g, '')
      const answer = onceWithin(
        WEBHOOK_CONNECT_MS,
        (...[error, socket]: Parameters<buildConnector.Callback>) => {
          if (error === null) return callback(null, socket)
          this.#names.doubt(projectKey, host)
          callback(error, null)
        },
      )
      this.#checkedAddresses(projectKey, host, port).then(
        (addresses) => this.#connectFirst(addresses, options, answer),
        (error: unknown) => answer(error instanceof Error ? error : new Error(String(error)), null),
      )
    }
  }

  /** Throws NoAddress when one of them must not be called, and errors of the resolver. */
  async #checkedAddresses(projectKey: string, host: string, port: number): Promise<readonly string[]> {
    const addresses = isIP(host) === 0 ? await this.#resolved(projectKey, host) : [host]
    if (addresses.length === 0) throw new NoAddress('the name of the receiver has no address')
    for (const address of addresses) {
      const denied = this.#options.policy(address.replace(/%.*$/, ''), port)
      if (denied !== undefined) throw new NoAddress(denied)
    }
    return addresses
  }

  async #resolved(projectKey: string, name: string): Promise<readonly string[]> {
    try {
      return await this.#names.addressesOf(projectKey, name)
    } catch (error) {
      throw error instanceof LookupsBusy ? new NoAddress(error.message) : error
    }
  }

  /** Forgets what is known for projects that are not among these. */
  keepOnly(projectKeys: ReadonlySet<string>): void {
    this.#names.keepOnly(projectKeys)
  }

  #connectFirst(
    [address = '', ...others]: readonly string[],
    options: buildConnector.Options,
    callback: buildConnector.Callback,
  ): void {
    this.#connect(
      { ...options, hostname: address },
      (...[error, socket]: Parameters<buildConnector.Callback>) => {
        if (error !== null && others.length > 0) this.#connectFirst(others, options, callback)
        else if (error !== null) callback(noConnection(error), null)
        else callback(null, socket)
      },
    )
  }
}

function noConnection(error: Error): NoConnection {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error'
  return new NoConnection(`no connection to the receiver (${code})`, { cause: error })
}

/**
 * The look-up and all connection attempts together have one time limit, far below that of the request. Without a
 * connection the receiver counts as unreachable; it has not refused anything. A socket that connects later is closed.
 */
function onceWithin(ms: number, callback: buildConnector.Callback): buildConnector.Callback {
  let isAnswered = false
  const timer = setTimeout(() => {
    isAnswered = true
    callback(new NoConnection(`no connection to the receiver within ${ms / 1000} s`), null)
  }, ms)
  return (...[error, socket]: Parameters<buildConnector.Callback>) => {
    if (isAnswered) return void socket?.destroy()
    isAnswered = true
    clearTimeout(timer)
    if (error !== null) callback(error, null)
    else callback(null, socket)
  }
}
