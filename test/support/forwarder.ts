/**
 * A TCP forwarder in front of PostgreSQL, or of another server, with which a test takes it away: cut, frozen, refused, or
 * moved to another port.
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Ending } from './database.ts'

/** What is noted of clients: enough for the first requests of a test. */
const PIECES_MAX = 100

export interface Forwarder {
  readonly port: number
  /** `open`: forwards. `cut`: connections are closed at once. `frozen`: nothing moves, nothing is answered. */
  set(state: 'open' | 'cut' | 'frozen', toPort?: number): void
  /** Cuts every connection, and refuses new ones: nothing listens. */
  refuse(): Promise<void>
  /** After `refuse`: listens again, on the same port. */
  listenAgain(): Promise<void>
  /** Whether a client has sent something that contains this text, in one piece. */
  hasPassed(text: string): boolean
}

export async function startForwarder(t: Ending, toPort: number): Promise<Forwarder> {
  let state: 'open' | 'cut' | 'frozen' = 'open'
  let target = toPort
  const sockets = new Set<Socket>()
  const sent: string[] = []
  const keep = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  }
  const server = createServer((near) => {
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
    near.on('data', (bytes: Buffer) => {
      if (sent.length < PIECES_MAX) sent.push(bytes.toString('latin1'))
    })
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  await listenAt(server, 0)
  const { port: ownPort } = server.address() as AddressInfo
  const destroyAll = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  t.after(() => {
    destroyAll()
    server.close()
  })
  return {
    port: ownPort,
    refuse: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      destroyAll()
      await closed
    },
    listenAgain: () => listenAt(server, ownPort),
    hasPassed: (text) => sent.some((piece) => piece.includes(text)),
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

/** Port 0: any. Rejects when something else listens there. */
function listenAt(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** The URL of a database through a forwarder that is made for it. */
export async function throughForwarder(
  t: Ending,
  databaseUrl: string,
): Promise<{ readonly url: string; readonly forwarder: Forwarder }> {
  const url = new URL(databaseUrl)
  const forwarder = await startForwarder(t, Number(url.port || 5432))
  url.host = `127.0.0.1:${forwarder.port}`
  return { url: url.href, forwarder }
}
