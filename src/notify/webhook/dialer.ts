/**
 * Connections to receivers. A name is resolved here, every address of it is checked, and a checked address is dialled.
 * So a name cannot lead to another address after the check. TLS is verified by the name.
 */
import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { buildConnector } from 'undici'
import type { TargetPolicy } from '../../domain/address/target-policy.ts'
import { WEBHOOK_CONNECT_MS, WEBHOOK_LOOKUPS } from '../../domain/limits.ts'
import { FairGate } from '../../domain/share/fair-gate.ts'

/** No address of the receiver may be called; the message is for the owner of the webhook. */
export class NoAddress extends Error {}
/** No address of the receiver took a connection: nothing was sent. The message is for the owner of the webhook. */
export class NoConnection extends Error {}

export type Resolve = (name: string) => Promise<readonly LookupAddress[]>

export interface DialerOptions {
  readonly policy: TargetPolicy
  /** Replaced in tests; absent = as the host resolves names. */
  readonly resolve?: Resolve
  /** PEM of certificate authorities, for tests; absent = those of Node. */
  readonly ca?: string
}

const asHost: Resolve = (name) => lookup(name, { all: true, verbatim: true })

/** Makes connectors. They share the threads for look-ups, round-robin by project. */
export class Dialer {
  readonly #options: DialerOptions
  readonly #lookups = new FairGate({ places: WEBHOOK_LOOKUPS, waitingMax: Number.POSITIVE_INFINITY })
  readonly #connect: buildConnector.connector

  constructor(options: DialerOptions) {
    this.#options = options
    const ca = options.ca === undefined ? {} : { ca: options.ca }
    this.#connect = buildConnector({ timeout: WEBHOOK_CONNECT_MS, ...ca })
  }

  /** The connector of one project. */
  connectorOf(projectKey: string): buildConnector.connector {
    return (options, callback) => {
      const port = Number(options.port || (options.protocol === 'https:' ? 443 : 80))
      const answer = onceWithin(WEBHOOK_CONNECT_MS, callback)
      this.#checkedAddresses(projectKey, options.hostname.replace(/^\[|\]$/g, ''), port).then(
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
    const isAdmitted = await this.#lookups.enter(projectKey, (expire) => {
      const timer = setTimeout(expire, WEBHOOK_CONNECT_MS)
      return () => clearTimeout(timer)
    })
    if (!isAdmitted) throw new NoAddress('other look-ups of names took too long')
    // The look-up occupies its thread until it ends, even if its request has timed out.
    try {
      return (await (this.#options.resolve ?? asHost)(name)).map(({ address }) => address)
    } finally {
      this.#lookups.leave(projectKey)
    }
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
