/** HM_AUTH=keystone in tests: identity and sign-in with a Keystone, and one of recordings in which Alice has an account. */
import type { ApiDependencies } from '../../src/api/http/context.ts'
import { keystoneClient } from '../../src/identity/keystone-client.ts'
import { keystoneHttp } from '../../src/identity/keystone-http.ts'
import { keystoneIdentity } from '../../src/identity/keystone-identity.ts'
import { keystoneSignIn } from '../../src/identity/sign-in.ts'
import type { Ending } from './database.ts'
import { type FakeKeystone, startFakeKeystone, tokenInProject } from './fake-keystone.ts'

export const ALICE = { user: 'alice', password: 'correct horse', project: 'shop', domain: 'Default' } as const
/** Id of the project of Alice. */
export const SHOP = 'shop-id'
/** Of her, in `tokens` of the Keystone. */
export const TOKEN_OF_ALICE = 'token-of-alice'

/** With which the service asks a Keystone of recordings. */
const ACCOUNT = { username: 'octavia', password: 'secret', project: 'service', domain: 'Default' }

/** A Keystone of recordings, in which Alice has this role in the project `shop`. */
export async function keystoneWithAlice(t: Ending, role: 'reader' | 'member'): Promise<FakeKeystone> {
  const keystone = await startFakeKeystone(t)
  keystone.tokens.set(TOKEN_OF_ALICE, tokenInProject({ id: SHOP, name: ALICE.project }, [role]))
  keystone.people.set(ALICE.user, { password: ALICE.password, token: TOKEN_OF_ALICE })
  return keystone
}

export interface KeystoneSettings {
  /** Address of its API, version included. */
  readonly url: string
  readonly account?: typeof ACCOUNT
  /** Milliseconds for which an identity is remembered. */
  readonly cacheMs?: number
}

/** Identity and sign-in with a Keystone, as the service has them; what they hold ends with the test. */
export function keystoneIdentityAt(
  t: Ending,
  { url, account = ACCOUNT, cacheMs = 3_600_000 }: KeystoneSettings,
): Required<Pick<ApiDependencies, 'identify' | 'signIn'>> {
  const client = keystoneClient({ url, account, log: { warn: () => undefined, info: () => undefined } })
  const http = keystoneHttp(url)
  t.after(() => Promise.all([client.close(), http.close()]).then(() => undefined))
  const identify = keystoneIdentity({ client, url, cacheMs })
  return { identify, signIn: keystoneSignIn({ http, forget: identify.forget }) }
}
