/**
 * A leaf node that a thief wrote: it has the credential of a site, and says what it likes in the protocol between servers,
 * which a real leaf node would not say.
 *
 * Source: server/leafnode.go and server/parser.go of nats-server: INFO in plain text, then TLS; CONNECT with the token and the
 * nonce signed; LS+ for a subscription, LMSG for a message.
 */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { nkeys } from '@nats-io/transport-node'
import type { Ending } from './database.ts'
import { until } from './service.ts'

export interface RawLeaf {
  publish(subject: string, payload: string, reply?: string): void
  subscribe(subject: string, queue?: string): void
  /** Resolves when the server has read everything until now: whether it still has the connection. */
  isKept(): Promise<boolean>
  /** Subjects of the messages that came. */
  heard(): readonly string[]
}

interface Way {
  readonly host: string
  readonly port: number
  /** Paths. */
  readonly ca: string
  readonly credentials: string
}

/** A server keeps one leaf node of a name. */
let made = 0

/** Connected, and let in. Rejects when it is not. Ends with the test. */
export async function connectRawLeaf(t: Ending, { host, port, ca, credentials }: Way): Promise<RawLeaf> {
  const plain = connect(port, host)
  t.after(() => void plain.destroy())
  const { nonce } = await greeting(plain)
  const socket = connectTls({ socket: plain, host, ca: readFileSync(ca) })
  t.after(() => void socket.destroy())
  let said = ''
  socket.on('error', ({ message }) => (said += message))
  socket.setEncoding('utf8').on('data', (more: string) => {
    said += more
    if (more.includes('PING')) socket.write('PONG\r\n')
  })
  const isKept = async (): Promise<boolean> => {
    const before = count(said, 'PONG\r\n')
    socket.write('PING\r\n')
    await until(() => socket.destroyed || count(said, 'PONG\r\n') > before, 'the server to have read it')
    return !socket.destroyed
  }
  const name = `thief-${made++}`
  const about = { name, server_id: name, version: '2.9.10', headers: true, protocol: 1 }
  socket.write(`CONNECT ${JSON.stringify({ ...about, ...signed(credentials, nonce) })}\r\n`)
  if (!(await isKept())) throw new Error(`the leaf node was turned away: ${said}`)
  return {
    publish: (subject, payload, reply) =>
      socket.write(
        `LMSG ${subject} ${reply === undefined ? '' : `${reply} `}${Buffer.byteLength(payload)}\r\n${payload}\r\n`,
      ),
    subscribe: (subject, queue) =>
      socket.write(`LS+ ${subject}${queue === undefined ? '' : ` ${queue} 1`}\r\n`),
    isKept,
    heard: () => [...said.matchAll(/^LMSG (\S+)/gm)].map(([, subject = '']) => subject),
  }
}

const count = (text: string, part: string): number => text.split(part).length - 1

/** What the server says before TLS. */
async function greeting(socket: Socket): Promise<{ readonly nonce: string }> {
  const text = await new Promise<string>((resolve, reject) => {
    socket.once('error', reject).once('data', (bytes: Buffer) => resolve(bytes.toString()))
  })
  return JSON.parse(text.replace(/^INFO /, '')) as { nonce: string }
}

/** From a credentials file. */
function signed(path: string, nonce: string): { readonly jwt: string; readonly sig: string } {
  const [jwt = '', seed = ''] = [...readFileSync(path, 'utf8').matchAll(/^-+BEGIN.*\n(\S+)\n/gm)].map(
    ([, text = '']) => text,
  )
  const pair = nkeys.fromSeed(new TextEncoder().encode(seed))
  return { jwt, sig: Buffer.from(pair.sign(Buffer.from(nonce))).toString('base64url') }
}
