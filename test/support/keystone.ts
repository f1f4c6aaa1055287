/** A real Keystone, which test/clients/keystone-up.sh has started with its accounts (KEYSTONE_URL). */
import assert from 'node:assert/strict'

/** Address of its API, version included. */
export const KEYSTONE_URL = process.env['KEYSTONE_URL'] ?? 'http://127.0.0.1:5000/v3'

/** Of the accounts, the one that may validate the tokens of others. */
export const SERVICE_ACCOUNT = {
  username: 'octavia',
  password: 'octaviapw',
  project: 'service',
  domain: 'Default',
}

/** Scope of a project of the domain Default. */
export const projectScope = (name: string) => ({ project: { name, domain: { name: 'Default' } } })

/** Logs in; the token. */
export async function tokenOf(name: string, scope: unknown): Promise<string> {
  const user = { name, password: `${name}pw`, domain: { name: 'Default' } }
  const answer = await fetch(`${KEYSTONE_URL}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auth: { identity: { methods: ['password'], password: { user } }, scope } }),
  })
  assert.equal(answer.status, 201, `login of ${name}`)
  return answer.headers.get('x-subject-token') ?? assert.fail('no token')
}

/** Makes the service at this address known in the catalogue, in a region of its own; the region's name. */
export async function registerService(base: string): Promise<string> {
  const token = await tokenOf('admin', projectScope('admin'))
  const call = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(KEYSTONE_URL + path, {
      method,
      headers: { 'content-type': 'application/json', 'x-auth-token': token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    assert.ok(answer.ok, `${method} ${path}: ${answer.status}`)
    return (await answer.json()) as { services: readonly { id: string; type: string }[] }
  }
  const region = `Region${new URL(base).port}`
  const addresses: Readonly<Record<string, string>> = {
    identity: KEYSTONE_URL,
    'load-balancer': `${base}/load-balancer`,
    network: base,
  }
  for (const { id, type } of (await call('GET', '/services')).services) {
    const url = addresses[type]
    if (url === undefined) continue
    for (const side of ['public', 'internal', 'admin']) {
      const endpoint = { service_id: id, interface: side, region, url, enabled: true }
      await call('POST', '/endpoints', { endpoint })
    }
  }
  return region
}
