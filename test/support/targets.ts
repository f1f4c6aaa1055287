/**
 * Many little TCP servers on loopback that note when they were probed. Nobody else answers at the port of one that was
 * stopped: they listen at an address of this process, at ports that the kernel gives to nobody.
 */
import { createServer, type Server } from 'node:net'
import type { Ending } from './database.ts'
import { listenApart, OWN_LOOPBACK } from './ports.ts'

export interface Target {
  readonly address: string
  readonly port: number
  /** `performance.now()` of every connection. */
  readonly probedAt: readonly number[]
  /** From now on connections are refused; resolves when they are. */
  stop(): Promise<void>
  /** Listens again on the same port. */
  restart(): Promise<void>
}

/** Starts `count` servers, each on a port of its own; all are closed when the test ends. */
export async function startTargets(
  t: Ending,
  count: number,
  address = OWN_LOOPBACK,
): Promise<readonly Target[]> {
  return await Promise.all(Array.from({ length: count }, () => startTarget(t, address)))
}

async function startTarget(t: Ending, address: string): Promise<Target> {
  const probedAt: number[] = []
  let server: Server | undefined
  const listenOn = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const fresh = createServer((socket) => {
        probedAt.push(performance.now())
        socket.on('error', () => undefined)
        socket.resume()
      })
      fresh.on('error', reject)
      fresh.listen(port, address, resolve)
      server = fresh
    })
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      if (server?.listening === true) server.close(() => resolve())
      else resolve()
    })
  const port = await listenApart(listenOn)
  t.after(stop)
  return { address, port, probedAt, stop, restart: () => listenOn(port) }
}
