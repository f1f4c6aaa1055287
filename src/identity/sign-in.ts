/**
 * Sign-in of people with user, password and project: Keystone gives a token, which is then used as any other token is.
 * Attempts are limited by client and by user, so that nobody can try many passwords on the page. A successful sign-in
 * does not count as an attempt.
 */
import { DomainError } from '../domain/errors.ts'
import {
  SIGN_IN_ATTEMPTS_PER_CLIENT,
  SIGN_IN_ATTEMPTS_PER_USER,
  SIGN_IN_KEYS_MAX,
  SIGN_IN_WINDOW_MS,
} from '../domain/limits.ts'
import { AttemptWindows } from '../domain/share/attempt-windows.ts'
import { clientKey } from './client-key.ts'
import { identityUnavailable, type KeystoneHttp } from './keystone-http.ts'
import { readKeystoneToken } from './keystone-token.ts'

export interface Credentials {
  readonly user: string
  readonly password: string
  readonly project: string
  /** Name of the domain of both. */
  readonly domain: string
}

export interface SignedIn {
  readonly token: string
  /** Wall clock, milliseconds since 1970. */
  readonly expiresAt: number
}

export interface SignIn {
  /** Throws DomainError UNAUTHENTICATED, TOO_MANY_ATTEMPTS, IDENTITY_UNAVAILABLE. */
  signIn(credentials: Credentials, clientAddress: string | undefined): Promise<SignedIn>
  /** Ends the token, in Keystone and here. A token that has ended already is no error. */
  signOut(token: string): Promise<void>
}

export interface SignInOptions {
  readonly http: Pick<KeystoneHttp, 'ask'>
  /** Called with a token that has ended. */
  readonly forget: (token: string) => void
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

export function keystoneSignIn({ http, forget, now = () => performance.now() }: SignInOptions): SignIn {
  const attempts = new Attempts(now)
  return {
    signIn: async (credentials, clientAddress) => {
      const giveBack = attempts.take([
        { key: `client ${clientKey(clientAddress)}`, max: SIGN_IN_ATTEMPTS_PER_CLIENT },
        { key: `user ${credentials.domain} ${credentials.user}`, max: SIGN_IN_ATTEMPTS_PER_USER },
      ])
      const signedIn = await logIn(http, credentials)
      giveBack()
      return signedIn
    },
    signOut: async (token) => {
      forget(token)
      const headers = { 'x-auth-token': token, 'x-subject-token': token }
      // A request in between may have found it valid: it is forgotten again, also when Keystone fails.
      const asked = http.ask({ method: 'DELETE', path: '/auth/tokens', headers })
      const { status } = await asked.finally(() => forget(token))
      // 401 and 404: it has ended already.
      if (status >= 500) throw identityUnavailable(`end of a token: status ${status}`)
    },
  }
}

async function logIn(
  http: SignInOptions['http'],
  { user, password, project, domain }: Credentials,
): Promise<SignedIn> {
  const inDomain = { domain: { name: domain } }
  const { status, subjectToken, body } = await http.ask({
    method: 'POST',
    path: '/auth/tokens?nocatalog',
    body: {
      auth: {
        identity: { methods: ['password'], password: { user: { name: user, password, ...inDomain } } },
        scope: { project: { name: project, ...inDomain } },
      },
    },
  })
  const token = status === 201 ? readKeystoneToken(body) : undefined
  if (token !== undefined && subjectToken !== undefined) {
    return { token: subjectToken, expiresAt: token.expiresAt }
  }
  // 403: the account is locked, or must change its password. The response does not say which.
  if (status === 400 || status === 401 || status === 403 || status === 404) {
    throw new DomainError('UNAUTHENTICATED', 'The user, the password, the project or the domain is wrong.')
  }
  throw identityUnavailable(`sign-in: status ${status}`)
}

interface Bound {
  readonly key: string
  readonly max: number
}

/** Attempts to sign in, each within several bounds at once. */
class Attempts {
  readonly #windows: AttemptWindows

  constructor(now: () => number) {
    this.#windows = new AttemptWindows({ now, windowMs: SIGN_IN_WINDOW_MS, windowsMax: SIGN_IN_KEYS_MAX })
  }

  /** Counts an attempt before it is made, so that many at once are bounded too. Returns what takes it back. */
  take(bounds: readonly Bound[]): () => void {
    const windows = bounds.map((bound) => ({ bound, window: this.#windows.of(bound.key) }))
    for (const { bound, window } of windows) {
      if (window.count >= bound.max) {
        throw new DomainError('TOO_MANY_ATTEMPTS', 'Too many attempts to sign in. Please try again later.', {
          retryAfterSeconds: this.#windows.secondsLeft(window),
        })
      }
    }
    for (const { window } of windows) window.count += 1
    return () => {
      for (const { window } of windows) window.count -= 1
    }
  }
}
