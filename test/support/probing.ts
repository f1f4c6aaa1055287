/** What the tests of the probers share: one attempt as a promise, targets, a black hole, and a count of open sockets. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import type { ProbeResult } from '../../src/domain/result/probe-result.ts'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import type { Probe } from '../../src/probe/probe.ts'
import { listenApart } from './ports.ts'

export function targetOf(server: Server, more: Partial<ProbeTarget> = {}): ProbeTarget {
  const { address, port, family } = server.address() as AddressInfo
  return { type: 'TCP', address, family: family === 'IPv6' ? 6 : 4, port, timeoutMs: 1000, ...more }
}

export interface Attempt {
  readonly result: Promise<ProbeResult>
  readonly cancel: (why: 'timeout' | 'shutdown') => void
  /** How often `done` was called so far. */
  readonly calls: () => number
}

/** Starts one attempt and asserts that `done` is not called before the prober returned. */
export function attempt(probe: Probe, target: ProbeTarget): Attempt {
  let returned = false
  let calls = 0
  let settle: (result: ProbeResult) => void
  const result = new Promise<ProbeResult>((resolve) => {
    settle = resolve
  })
  const cancel = probe(target, (given) => {
    assert.ok(returned, 'done was called before the prober returned')
    calls++
    settle(given)
  })
  returned = true
  return { result, cancel, calls: () => calls }
}

/** One attempt that a timer of the test ends after `target.timeoutMs`. */
export async function probeWithin(probe: Probe, target: ProbeTarget): Promise<ProbeResult> {
  const { result, cancel } = attempt(probe, target)
  const deadline = setTimeout(cancel, target.timeoutMs, 'timeout')
  try {
    return await result
  } finally {
    clearTimeout(deadline)
  }
}

/** A listener at a port of its own that is closed, with all its connections, when the test ends. */
export async function listen(
  t: TestContext,
  onConnection: (socket: Socket) => void,
  address = '127.0.0.1',
): Promise<Server> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    onConnection(socket)
  })
  await listenApart((port) => once(server.listen(port, address), 'listening'))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return server
}

/** A server with TLS on port 0 of 127.0.0.1 that is closed, with all its connections, when the test ends. */
export async function servingTls<Tls extends Server>(t: TestContext, server: Tls): Promise<Tls> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket.on('error', () => undefined)))
  server.on('secureConnection', (socket: Socket) => socket.on('error', () => undefined))
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return server
}

/** A GET of `/` in HTTP/1.1 that expects 200. */
export const getFrom = (host: string) =>
  ({ method: 'GET', path: '/', version: '1.1', host, expectedCodes: [{ from: 200, to: 200 }] }) as const

/** A TCP port of `address` on which nobody listens, and which the kernel gives to nobody. */
export function closedPort(address = '127.0.0.1'): Promise<number> {
  return listenApart(async (port) => {
    const server = createServer().listen(port, address)
    await once(server, 'listening')
    await new Promise((resolve) => server.close(resolve))
  })
}

/**
 * A port on loopback that answers no SYN: a listener with a full backlog. The listener is a stopped child process, since
 * libuv would accept, and so empty the backlog, in this one.
 */
export async function blackHole(t: TestContext): Promise<ProbeTarget> {
  return (await wakableBlackHole(t)).target
}

/** The same, and how to make it accept: the next SYN is answered, which the kernel sends a second after the first. */
export async function wakableBlackHole(t: TestContext): Promise<{ target: ProbeTarget; wake: () => void }> {
  const { spawn } = await import('node:child_process')
  const program =
    "const s=require('net').createServer((c)=>c.on('error',()=>{})).listen({port:0,host:'127.0.0.1',backlog:1},()=>{process.stdout.write(String(s.address().port))})"
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const port = await new Promise<number>((resolve) => {
    child.stdout.once('data', (text: Buffer) => resolve(Number(text.toString())))
  })
  child.kill('SIGSTOP')
  const fillers: Socket[] = []
  t.after(() => {
    for (const socket of fillers) socket.destroy()
  })
  // Fill until a connection is not accepted by the kernel any more.
  for (let filled = false; !filled; ) {
    assert.ok(fillers.length < 16, 'the backlog does not fill')
    const filler = connect({ port, host: '127.0.0.1' })
    filler.on('error', () => undefined)
    fillers.push(filler)
    filled = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(resolve, 100, true)
      filler.once('connect', () => {
        clearTimeout(timer)
        resolve(false)
      })
    })
  }
  return {
    target: { type: 'TCP', address: '127.0.0.1', family: 4, port, timeoutMs: 200 },
    wake: () => child.kill('SIGCONT'),
  }
}

/** Sockets that this process has open, as the kernel sees it. */
export function openSockets(): number {
  let count = 0
  for (const descriptor of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${descriptor}`).startsWith('socket:')) count++
    } catch (error) {
      // The descriptor of the folder that is being read is gone by now.
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOENT')
    }
  }
  return count
}

/** Waits until `condition` holds, looking again on every turn of the event loop for at most `withinMs`. */
export async function until(condition: () => boolean, withinMs = 2000): Promise<void> {
  const end = performance.now() + withinMs
  while (!condition()) {
    assert.ok(performance.now() < end, 'the condition did not come true in time')
    await new Promise((resolve) => setImmediate(resolve))
  }
}
