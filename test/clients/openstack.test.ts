/** The real `openstack` command against the development identity. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { developmentIdentity } from '../../src/identity/development.ts'
import { developmentIdentify } from '../../src/identity/development-identify.ts'
import { type Api, type Json, startApi } from '../support/api.ts'
import type { Ending } from '../support/database.ts'

const run = promisify(execFile)

async function start(t: Ending): Promise<Api> {
  const development = developmentIdentity({ key: Buffer.alloc(32, 1), defaultProject: 'default' })
  const identity = {
    developmentIdentity: development,
    identify: developmentIdentify(development, 'default'),
  }
  return await startApi(t, { identity, networkReads: true })
}

/** Runs the command as a user of the project; gives what it printed, parsed. */
async function openstack(api: Api, project: string, args: readonly string[]): Promise<Json> {
  const env = {
    PATH: '/usr/bin:/bin',
    OS_AUTH_URL: `${api.url}/identity/v3`,
    OS_IDENTITY_API_VERSION: '3',
    OS_USERNAME: 'admin',
    OS_PASSWORD: 'any',
    OS_PROJECT_NAME: project,
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: 'RegionOne',
  }
  const { stdout } = await run('openstack', [...args, '-f', 'json'], { env, timeout: 60_000 })
  return JSON.parse(stdout)
}

test('token issue, catalog list and show: a token of the API, and addresses of this service', async (t) => {
  const api = await start(t)
  const token = await openstack(api, 'default', ['token', 'issue'])
  assert.equal(token.project_id, 'default')
  const listed = await api.request('GET', '/v2.0/lbaas/loadbalancers', undefined, {
    'x-auth-token': token.id,
  })
  assert.equal(listed.status, 200)
  const catalogue = await openstack(api, 'demo', ['catalog', 'list'])
  // A catalogue has no order.
  assert.deepEqual(
    new Set(catalogue.map((entry: Json) => entry.Type)),
    new Set(['identity', 'load-balancer', 'network', 'elb', 'elbv3']),
  )
  const shown = await openstack(api, 'demo', ['catalog', 'show', 'load-balancer'])
  assert.ok(JSON.stringify(shown).includes(`${api.url}/load-balancer`))
})

test('projects and users by name and id, subnets by id and name', async (t) => {
  const api = await start(t)
  const demo = await openstack(api, 'default', ['project', 'show', 'demo'])
  assert.equal((await openstack(api, 'default', ['project', 'show', demo.id])).id, demo.id)
  assert.equal((await openstack(api, 'default', ['user', 'show', 'admin'])).name, 'admin')
  const id = randomUUID()
  assert.equal((await openstack(api, 'default', ['subnet', 'show', id])).id, id)
  assert.equal((await openstack(api, 'default', ['subnet', 'show', 'my-net'])).name, 'my-net')
})
