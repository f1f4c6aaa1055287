/** A TCP forwarder in front of PostgreSQL, with which a test takes it away: cut, frozen, or moved to another port. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Ending } from './database.ts'

export interface Forwarder {
  readonly port: number
  /** `open`: forwards. `cut`: connections are closed at once. `frozen`: nothing moves, nothing is answered. */
  set(state: 'open' | 'cut' | 'frozen', toPort?: number): void
  /** Connections that were made to it so far. */
  accepted(): number
}

export async function startForwarder(t: Ending, toPort: number): Promise<Forwarder> {
  let state: 'open' | 'cut' | 'frozen' = 'open'
  let target = toPort
  const sockets = new Set<Socket>()
  let accepted = 0
  const keep = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  }
  const server = createServer((near) => {
    accepted++
    keep(near)
    if (state === 'cut') {
      near.destroy()
      return
    }
    if (state === 'frozen') {
      near.pause()
      return
    }
    const far = connect({ port: target, host: '127.0.0.1' })
    keep(far)
    near.pipe(far).pipe(near)
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const destroyAll = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  t.after(() => {
    destroyAll()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    accepted: () => accepted,
    set: (next, port = target) => {
      state = next
      target = port
      if (next === 'frozen') {
        for (const socket of sockets) {
          socket.unpipe()
          socket.pause()
        }
      } else destroyAll()
    },
  }
}
