import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { SUBNET } from '../support/api-objects.ts'
import { folderOfTest } from '../support/folders.ts'
import { type Service, startService, until } from '../support/service.ts'
import { startTargets, type Target } from '../support/targets.ts'

/** A member at the target that is probed every second. */
async function configure(service: Service, target: Target): Promise<void> {
  const post = async (path: string, body: object): Promise<string> => {
    const answer = await fetch(`${service.api}/v2.0/lbaas/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    assert.equal(answer.status, 201, path)
    const [made] = Object.values((await answer.json()) as Record<string, { id: string }>)
    return made?.id ?? ''
  }
  const loadbalancer_id = await post('loadbalancers', { loadbalancer: { vip_subnet_id: SUBNET } })
  const pool_id = await post('pools', {
    pool: { loadbalancer_id, protocol: 'TCP', lb_algorithm: 'ROUND_ROBIN' },
  })
  const member = { address: target.address, protocol_port: target.port, subnet_id: SUBNET }
  await post(`pools/${pool_id}/members`, { member })
  await post('healthmonitors', {
    healthmonitor: { pool_id, type: 'TCP', delay: 1, timeout: 1, max_retries: 1 },
  })
}

/** A request whose body has begun and goes on only when `finish` is called. */
async function slowRequest(t: TestContext, service: Service) {
  const { hostname, port } = new URL(service.api)
  const socket: Socket = connect(Number(port), hostname)
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  const body = JSON.stringify({ loadbalancer: { vip_subnet_id: SUBNET } })
  const head = [
    'POST /v2.0/lbaas/loadbalancers HTTP/1.1',
    `Host: ${hostname}:${port}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, 5)}`)
  let answer = ''
  socket.on('data', (data) => {
    answer += data.toString('latin1')
  })
  socket.on('error', () => undefined)
  return { finish: () => void socket.write(body.slice(5)), answer: () => answer }
}

test('SIGTERM while a client is slow: probing goes on until it has its answer, then everything ends in order', async (t) => {
  const [target] = (await startTargets(t, 1)) as [Target]
  const service = await startService(t, folderOfTest())
  await configure(service, target)
  await until(() => target.probedAt.length > 1, 'probes')
  const slow = await slowRequest(t, service)
  const isTaken = async () => (await fetch(`${service.api}/livez`)).status === 200
  await until(isTaken, 'the connection before this one to be taken')
  service.kill('SIGTERM')
  const probes = target.probedAt.length
  await until(() => target.probedAt.length >= probes + 4, 'four more probes')
  assert.equal(slow.answer(), '', 'the client still waits')
  slow.finish()
  const { code, err } = await service.finished
  assert.match(slow.answer(), /^HTTP\/1\.1 201 /)
  assert.equal(code, 0, err)
})
