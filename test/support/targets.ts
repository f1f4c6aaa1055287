/** Many little TCP servers on loopback that note when they were probed. */
import { type AddressInfo, createServer, type Server } from 'node:net'
import type { Ending } from './database.ts'

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
export async function startTargets(t: Ending, count: number): Promise<readonly Target[]> {
  return await Promise.all(Array.from({ length: count }, () => startTarget(t)))
}

async function startTarget(t: Ending): Promise<Target> {
  const probedAt: number[] = []
  let server: Server | undefined
  const listenOn = (port: number): Promise<number> =>
    new Promise((resolve, reject) => {
      const fresh = createServer((socket) => {
        probedAt.push(performance.now())
        socket.on('error', () => undefined)
        socket.resume()
      })
      fresh.on('error', reject)
      fresh.listen(port, '127.0.0.1', () => resolve((fresh.address() as AddressInfo).port))
      server = fresh
    })
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      if (server?.listening === true) server.close(() => resolve())
      else resolve()
    })
  const port = await listenOn(0)
  t.after(stop)
  const restart = async (): Promise<void> => {
    await listenOn(port)
  }
  return { address: '127.0.0.1', port, probedAt, stop, restart }
}
