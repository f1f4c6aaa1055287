/** A running service with a pool of real listeners, for tests of the commands that ask it. */
import assert from 'node:assert/strict'
import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { SUBNET } from './api-objects.ts'
import type { Ending } from './database.ts'
import { folderOfTest } from './folders.ts'
import { type Finished, runProgram, type Service, startService } from './service.ts'

/** A listener that goes up and down on a port of its own. */
export interface Switchable {
  readonly port: number
  up(): Promise<void>
  down(): Promise<void>
}

export interface TerminalWorld {
  readonly service: Service
  readonly poolId: string
  /** `web-1`, `web-2`, `web-3`: the first two are up at the beginning. */
  readonly members: readonly { readonly id: string; readonly name: string; readonly target: Switchable }[]
  /** Runs a command against the service to its end. */
  run(...args: readonly string[]): Promise<Finished>
  /** Creates an object by dialect octavia; returns its id. */
  create(path: string, kind: string, fields: object): Promise<string>
}

/** Members are probed every 100 ms; one result decides. */
export async function terminalWorld(t: Ending): Promise<TerminalWorld> {
  const service = await startService(t, folderOfTest(), {})
  const create = (path: string, kind: string, fields: object) => post(service.api, path, { kind, fields })
  const loadBalancer = await create('/loadbalancers', 'loadbalancer', { name: 'web', vip_subnet_id: SUBNET })
  const listener = await create('/listeners', 'listener', {
    loadbalancer_id: loadBalancer,
    protocol: 'TCP',
    protocol_port: 80,
  })
  const poolId = await create('/pools', 'pool', {
    name: 'app',
    listener_id: listener,
    protocol: 'TCP',
    lb_algorithm: 'ROUND_ROBIN',
  })
  const targets = await Promise.all([switchable(t), switchable(t), switchable(t)])
  const members = []
  for (const [n, target] of targets.entries()) {
    const name = `web-${n + 1}`
    const fields = { name, address: '127.0.0.1', protocol_port: target.port }
    members.push({ id: await create(`/pools/${poolId}/members`, 'member', fields), name, target })
  }
  await targets[2]?.down()
  await create('/healthmonitors', 'healthmonitor', {
    pool_id: poolId,
    type: 'TCP',
    delay: 1,
    timeout: 1,
    max_retries: 1,
    options: { interval_ms: 100, timeout_ms: 90, fall: 1 },
  })
  const run = (...args: readonly string[]) =>
    runProgram(args, { COLUMNS: '', HM_LISTEN: service.api.slice('http://'.length) })
  for (const [name, state] of [
    ['web-1', 'ONLINE'],
    ['web-2', 'ONLINE'],
    ['web-3', 'OFFLINE'],
  ] as const) {
    const { code, err } = await run('wait', name, '--for', state, '--timeout', '60')
    assert.equal(code, 0, err)
  }
  return { service, poolId, members, run, create }
}

async function post(
  api: string,
  path: string,
  { kind, fields }: { readonly kind: string; readonly fields: object },
): Promise<string> {
  const answer = await fetch(`${api}/load-balancer/v2.0/lbaas${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ [kind]: fields }),
  })
  const body = (await answer.json()) as Record<string, { readonly id: string }>
  assert.equal(answer.status, 201, JSON.stringify(body))
  return body[kind]?.id ?? ''
}

async function switchable(t: Ending): Promise<Switchable> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
  })
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', () => resolve())
    })
  await listen(0)
  const { port } = server.address() as AddressInfo
  const down = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  t.after(async () => {
    if (server.listening) await down()
  })
  return { port, up: () => listen(port), down }
}
