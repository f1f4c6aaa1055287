/**
 * A client of NATS in another network namespace: a process that makes the stream of a site's configuration, or asks how
 * many messages it has, each time it is told to. Started by `startAsker`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect, credsAuthenticator } from '@nats-io/transport-node'
import { HUB_DOMAIN, namesOf, PROBER_INBOX } from '../../src/site/subjects.ts'
import type { Ending } from './database.ts'
import type { Namespace } from './network-namespace.ts'

/** Milliseconds that an answer may take. */
const ANSWER_MS = 1000

export interface Asker {
  /** Makes the stream, with one message. */
  make(): Promise<void>
  /** Messages of the stream; undefined when no answer came within a second. */
  messages(): Promise<number | undefined>
}

/** What the process is given, as JSON. */
interface Given {
  readonly url: string
  /** Path of the credentials. */
  readonly credentials: string
  readonly site: string
  /** Path of the CA; absent = not over TLS. */
  readonly ca?: string
}

type Order = 'make' | 'messages'

/** In a namespace, connected. Ends with the test. */
export async function startAsker(t: Ending, { within }: Namespace, given: Given): Promise<Asker> {
  const [command, ...args] = [
    ...within,
    process.execPath,
    fileURLToPath(import.meta.url),
    JSON.stringify(given),
  ] as const
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const next = async (): Promise<number | null> => {
    const { value, done } = await lines.next()
    if (done === true) throw new Error('the client has ended')
    return JSON.parse(value) as number | null
  }
  const tell = (order: Order): Promise<number | null> => {
    child.stdin.write(`${order}\n`)
    return next()
  }
  await next()
  return {
    make: async () => {
      if ((await tell('make')) !== 1) throw new Error('the stream was not made')
    },
    messages: async () => (await tell('messages')) ?? undefined,
  }
}

async function obey({ url, credentials, site, ca }: Given): Promise<void> {
  const connection = await connect({
    servers: url,
    authenticator: credsAuthenticator(readFileSync(credentials)),
    inboxPrefix: PROBER_INBOX,
    maxReconnectAttempts: -1,
    ...(ca === undefined ? {} : { tls: { caFile: ca } }),
  })
  const { streams } = await jetstreamManager(connection, {
    domain: HUB_DOMAIN,
    checkAPI: false,
    timeout: ANSWER_MS,
  })
  const { config, configStream, configSubjects } = namesOf(site)
  const orders: Readonly<Record<Order, () => Promise<number>>> = {
    make: async () => {
      await streams.add({ name: configStream, subjects: [configSubjects] })
      connection.publish(config(0, 0), 'configuration')
      await connection.flush()
      return (await streams.info(configStream)).state.messages
    },
    messages: async () => (await streams.info(configStream)).state.messages,
  }
  process.stdout.write('null\n')
  for await (const order of createInterface(process.stdin)) {
    const answer = await orders[order as Order]().catch(() => null)
    process.stdout.write(`${JSON.stringify(answer)}\n`)
  }
}

const [, program, given = ''] = process.argv
if (program === fileURLToPath(import.meta.url)) await obey(JSON.parse(given) as Given)
