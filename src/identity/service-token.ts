/**
 * The token of our own account, which Keystone requires to validate other tokens. States: none → fetching → good →
 * renewing (the old one still serves) → good …; a refused login pauses all logins for KEYSTONE_LOGIN_RETRY_MS. Never
 * more than one login at a time.
 */
import type { DomainError } from '../domain/errors.ts'
import { KEYSTONE_LOGIN_RETRY_MS, KEYSTONE_RENEW_AFTER_SHARE } from '../domain/limits.ts'
import { identityUnavailable, type KeystoneHttp } from './keystone-http.ts'
import { readKeystoneToken } from './keystone-token.ts'

/** The service account: may validate tokens of others (role admin or service). */
export interface KeystoneAccount {
  readonly username: string
  readonly password: string
  readonly project: string
  /** Name of the domain of both. */
  readonly domain: string
}

/** Monotonic milliseconds, and the wall clock for Keystone's timestamps. */
export interface Clocks {
  readonly now: () => number
  readonly wallNow: () => number
}

interface Held {
  readonly token: string
  readonly renewAt: number
  readonly expiresAt: number
}

export class ServiceToken {
  readonly #http: KeystoneHttp
  readonly #account: KeystoneAccount
  readonly #clocks: Clocks
  #held: Held | undefined
  #login: Promise<string> | undefined
  #refused: { readonly error: DomainError; readonly until: number } | undefined

  constructor(http: KeystoneHttp, account: KeystoneAccount, clocks: Clocks) {
    this.#http = http
    this.#account = account
    this.#clocks = clocks
  }

  /** A token that Keystone should accept. Throws DomainError IDENTITY_UNAVAILABLE. */
  async get(): Promise<string> {
    const now = this.#clocks.now()
    const held = this.#held
    if (held !== undefined && now < held.renewAt) return held.token
    if (held === undefined || now >= held.expiresAt) return await this.#fetch()
    // Renewed in the background: this request does not wait for the new token.
    this.#fetch().catch(() => undefined)
    return held.token
  }

  /** Called when Keystone refused this token: it was revoked, or the keys were rotated. */
  discard(token: string): void {
    if (this.#held?.token === token) this.#held = undefined
  }

  #fetch(): Promise<string> {
    if (this.#refused !== undefined && this.#clocks.now() < this.#refused.until) {
      return Promise.reject(this.#refused.error)
    }
    this.#login ??= this.#logIn().finally(() => {
      this.#login = undefined
    })
    return this.#login
  }

  async #logIn(): Promise<string> {
    const { username, password, project, domain } = this.#account
    const user = { name: username, password, domain: { name: domain } }
    const answer = await this.#http.ask({
      method: 'POST',
      path: '/auth/tokens?nocatalog',
      body: {
        auth: {
          identity: { methods: ['password'], password: { user } },
          scope: { project: { name: project, domain: { name: domain } } },
        },
      },
    })
    const token = readKeystoneToken(answer.body)
    if (answer.status !== 201 || answer.subjectToken === undefined || token === undefined) {
      const error = identityUnavailable(`login of the service account: status ${answer.status}`)
      this.#refused = { error, until: this.#clocks.now() + KEYSTONE_LOGIN_RETRY_MS }
      throw error
    }
    const now = this.#clocks.now()
    const lifeMs = Math.max(0, token.expiresAt - this.#clocks.wallNow())
    this.#refused = undefined
    this.#held = {
      token: answer.subjectToken,
      renewAt: now + lifeMs * KEYSTONE_RENEW_AFTER_SHARE,
      expiresAt: now + lifeMs,
    }
    return answer.subjectToken
  }
}
