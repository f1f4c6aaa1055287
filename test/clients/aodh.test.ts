/** Aodh's evaluator of loadbalancer_member_health, unchanged, on a pool of this service. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import type { Json } from '../support/api.ts'
import { CLIENTS, type ClientService, startForClients } from '../support/client-service.ts'
import { folderOfTest } from '../support/folders.ts'
import { until } from '../support/service.ts'

const PYTHON = '/usr/bin/python3'

/** A POST of dialect octavia. */
async function octavia({ api }: ClientService, token: string, path: string, body: Json): Promise<Json> {
  const answer = await fetch(`${api}/load-balancer/v2.0/lbaas/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-auth-token': token },
    body: JSON.stringify(body),
  })
  assert.equal(answer.status, 201, await answer.clone().text())
  return await answer.json()
}

async function tokenOf({ env }: ClientService): Promise<string> {
  const domain = { name: env['OS_USER_DOMAIN_NAME'] }
  const user = { name: env['OS_USERNAME'], password: env['OS_PASSWORD'], domain }
  const auth = {
    identity: { methods: ['password'], password: { user } },
    scope: { project: { name: env['OS_PROJECT_NAME'], domain } },
  }
  const answer = await fetch(`${env['OS_AUTH_URL']}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auth }),
  })
  return answer.headers.get('x-subject-token') ?? ''
}

/** A pool with one member on this port that is checked every second; its id. */
async function makePool(service: ClientService, port: number): Promise<string> {
  const token = await tokenOf(service)
  const post = (path: string, body: Json) => octavia(service, token, path, body)
  const subnet = '7c4f6d3a-2c1e-4f0a-9b53-0d6f3f1c9a11'
  const { loadbalancer } = await post('loadbalancers', { loadbalancer: { vip_subnet_id: subnet } })
  const { listener } = await post('listeners', {
    listener: { loadbalancer_id: loadbalancer.id, protocol: 'HTTP', protocol_port: 80 },
  })
  const { pool } = await post('pools', {
    pool: { listener_id: listener.id, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' },
  })
  await post(`pools/${pool.id}/members`, { member: { address: '127.0.0.1', protocol_port: port } })
  await post('healthmonitors', {
    healthmonitor: { pool_id: pool.id, type: 'HTTP', delay: 1, timeout: 1, max_retries: 1 },
  })
  return pool.id as string
}

/** The evaluator as a process; `state` evaluates the alarm and gives its state. */
function startAodh(t: TestContext, { env }: ClientService, poolId: string) {
  const { PATH } = process.env
  const child = spawn(PYTHON, [join(CLIENTS, 'aodh-evaluate.py'), folderOfTest(), poolId], {
    // Of packages that know nothing of newer ones.
    env: { PATH, PYTHONWARNINGS: 'ignore', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const states: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [, state] = /^state: (.*)$/.exec(line) ?? []
    if (state !== undefined) states.push(state)
  })
  return async () => {
    const count = states.length
    child.stdin.write('evaluate\n')
    await until(() => states.length > count || child.exitCode !== null, 'an evaluation')
    return states.at(-1)
  }
}

test("Aodh's alarm on the members of a pool is ok while they answer, and raised when one dies", async (t) => {
  if (spawnSync(PYTHON, ['-c', 'import aodh, octaviaclient'], { stdio: 'ignore' }).status !== 0)
    return t.skip('Aodh is missing: apt-get install python3-aodh python3-octaviaclient')
  const member = createServer((_, response) => response.end()).listen(0, '127.0.0.1')
  await once(member, 'listening')
  t.after(() => member.close())
  const service = await startForClients(t, 'development')
  const poolId = await makePool(service, (member.address() as AddressInfo).port)
  const state = startAodh(t, service, poolId)
  assert.equal(await state(), 'ok')
  member.close()
  member.closeAllConnections()
  await until(async () => (await state()) === 'alarm', 'the alarm')
})
