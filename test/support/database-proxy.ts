/** A TCP proxy before PostgreSQL that can be taken away and brought back on the same port. */
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { Ending } from './database.ts'

export interface DatabaseProxy {
  /** The database's URL through the proxy. */
  readonly url: string
  /** Cuts every connection and refuses new ones. */
  goAway(): Promise<void>
  comeBack(): Promise<void>
}

/** Starts a proxy before a database; it ends with the test. */
export async function startDatabaseProxy(t: Ending, databaseUrl: string): Promise<DatabaseProxy> {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let server: Server | undefined
  let port = 0

  async function comeBack(): Promise<void> {
    const listening = createServer((inner) => {
      const outer = connect(Number(target.port || 5432), target.hostname)
      for (const socket of [inner, outer]) {
        sockets.add(socket)
        socket.on('error', () => undefined)
        socket.on('close', () => {
          sockets.delete(socket)
          inner.destroy()
          outer.destroy()
        })
      }
      inner.pipe(outer)
      outer.pipe(inner)
    })
    await new Promise<void>((resolve, reject) => {
      listening.once('error', reject)
      listening.listen(port, '127.0.0.1', resolve)
    })
    port = (listening.address() as AddressInfo).port
    server = listening
  }

  async function goAway(): Promise<void> {
    const listening = server
    if (listening === undefined) return
    server = undefined
    const closed = new Promise<void>((resolve) => listening.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    await closed
  }

  await comeBack()
  t.after(goAway)
  const through = new URL(databaseUrl)
  through.hostname = '127.0.0.1'
  through.port = String(port)
  return { url: through.href, goAway, comeBack }
}
