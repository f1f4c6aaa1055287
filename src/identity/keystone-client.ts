/**
 * Validates tokens with Keystone v3: `GET /v3/auth/tokens` with our own token and the one to validate. If the answer is
 * neither "valid" nor "not valid", the result is IDENTITY_UNAVAILABLE, which the API answers with 503. So a failure
 * never grants access.
 */
import { DomainError } from '../domain/errors.ts'
import { identityUnavailable, type KeystoneAnswer, keystoneHttp, type KeystoneHttp } from './keystone-http.ts'
import { type KeystoneToken, readKeystoneToken } from './keystone-token.ts'
import { type Clocks, type KeystoneAccount, ServiceToken } from './service-token.ts'

export interface KeystoneClientOptions {
  /** With or without `/v3`. */
  readonly url: string
  readonly account: KeystoneAccount
  readonly log: { warn(fields: object, message: string): void; info(fields: object, message: string): void }
  readonly clocks?: Clocks
  /** Milliseconds for one answer. */
  readonly timeoutMs?: number
}

export interface KeystoneClient {
  /** The holder of the token; undefined when it is not valid (any more). Throws DomainError IDENTITY_UNAVAILABLE. */
  validate(token: string): Promise<KeystoneToken | undefined>
  close(): Promise<void>
}

export const SYSTEM_CLOCKS: Clocks = { now: () => performance.now(), wallNow: () => Date.now() }

export function keystoneClient(options: KeystoneClientOptions): KeystoneClient {
  const { url, account, log, clocks = SYSTEM_CLOCKS, timeoutMs } = options
  const http = keystoneHttp(url, timeoutMs)
  const own = new ServiceToken(http, account, clocks)
  let available = true
  return {
    validate: async (token) => {
      try {
        const result = tokenIn(await askAbout(http, own, token))
        if (!available) log.info({}, 'Keystone answers again')
        available = true
        return result
      } catch (error) {
        if (available && error instanceof DomainError) {
          log.warn({ why: error.facts['why'], err: error.cause }, 'Keystone is not available: answering 503')
          available = false
        }
        throw error
      }
    },
    close: () => http.close(),
  }
}

async function askAbout(http: KeystoneHttp, own: ServiceToken, token: string): Promise<KeystoneAnswer> {
  const ask = (authToken: string) =>
    http.ask({
      method: 'GET',
      path: '/auth/tokens?nocatalog',
      headers: { 'x-auth-token': authToken, 'x-subject-token': token },
    })
  const authToken = await own.get()
  const answer = await ask(authToken)
  if (answer.status !== 401) return answer
  // 401 is about our own token, not about the one to validate.
  own.discard(authToken)
  return await ask(await own.get())
}

function tokenIn({ status, body }: KeystoneAnswer): KeystoneToken | undefined {
  // 404: not a token, expired, revoked, of a disabled user. 400: not in the form of a token.
  if (status === 404 || status === 400) return undefined
  const token = status === 200 ? readKeystoneToken(body) : undefined
  // 403: our account may not validate tokens: a mistake of the operator, not of the client.
  if (token === undefined) throw identityUnavailable(`validation of a token: status ${status}`)
  return token
}
