import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DomainError } from '../../../src/domain/errors.ts'
import type { KeystoneHttp } from '../../../src/identity/keystone-http.ts'
import { keystoneSignIn } from '../../../src/identity/sign-in.ts'

/** What is cached while a person signs out, where a request uses the token before Keystone answers. */
function aSignOut(answer: () => ReturnType<KeystoneHttp['ask']>) {
  const cached = new Set(['token'])
  const wasCachedAtKeystone: boolean[] = []
  const http = {
    ask: () => {
      wasCachedAtKeystone.push(cached.has('token'))
      cached.add('token')
      return answer()
    },
  }
  const signIn = keystoneSignIn({ http, forget: (token) => void cached.delete(token) })
  return { signOut: () => signIn.signOut('token'), cached, wasCachedAtKeystone }
}

test('a token that a request has used during the sign-out is no longer cached after it', async () => {
  for (const status of [204, 401, 404]) {
    const { signOut, cached, wasCachedAtKeystone } = aSignOut(() =>
      Promise.resolve({ status, subjectToken: undefined, body: undefined }),
    )
    await signOut()
    assert.deepEqual([...cached], [], `status ${status}`)
    assert.deepEqual(wasCachedAtKeystone, [false], 'it is forgotten before Keystone is asked, too')
  }
})

test('it is not cached either when Keystone fails or is away', async () => {
  const away = new DomainError('IDENTITY_UNAVAILABLE', 'Keystone is away')
  for (const answer of [
    () => Promise.resolve({ status: 503, subjectToken: undefined, body: undefined }),
    () => Promise.reject(away),
  ]) {
    const { signOut, cached } = aSignOut(answer)
    await assert.rejects(signOut(), { code: 'IDENTITY_UNAVAILABLE' })
    assert.deepEqual([...cached], [])
  }
})
