/** A RabbitMQ of a test: its own name, ports and folders; and a listener of oslo.messaging beside it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { selfSigned } from './certificate.ts'
import type { Ending } from './database.ts'
import { until } from './service.ts'

/** In the sources: the compiler does not copy it. */
const LISTENER = resolve(import.meta.dirname, '../../../test/clients/amqp-listener.py')
const VERSIONS = '/usr/lib/rabbitmq/lib'
/** Python of Debian's packages. */
const PYTHON = '/usr/bin/python3'
const USER = 'tester'
export const PASSWORD = 'p4ss%2Cword'

/** Why these tests cannot run here; undefined: they can. */
export function missingForAmqp(): string | undefined {
  if (rabbitmqServer() === undefined) return 'RabbitMQ is missing: apt-get install rabbitmq-server'
  const asked = spawnSync(PYTHON, ['-c', 'import oslo_messaging'], { stdio: 'ignore' })
  return asked.status === 0 ? undefined : 'oslo.messaging is missing: apt-get install python3-oslo.messaging'
}

function rabbitmqServer(): string | undefined {
  if (!existsSync(VERSIONS)) return undefined
  return readdirSync(VERSIONS)
    .map((version) => join(VERSIONS, version, 'sbin/rabbitmq-server'))
    .find((path) => existsSync(path))
}

export interface RabbitMq {
  readonly port: number
  /** As HM_AMQP_URL. */
  readonly url: string
  /** The same over TLS; only `certificate`, a file, vouches for it. */
  readonly tlsUrl: string
  readonly certificate: string
  /** Starts it, again with what it had stored. */
  start(): Promise<void>
  /** SIGTERM ends it in an orderly way, SIGKILL at once. */
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

/** A RabbitMQ with its files in an empty folder. It runs, and ends with the test. */
export async function startRabbitMq(t: Ending, folder: string): Promise<RabbitMq> {
  const ports = await freePorts()
  const { port, tlsPort, epmdPort } = ports
  const epmd = startGroup('epmd', ['-address', '127.0.0.1', '-port', String(epmdPort)], {})
  t.after(() => endGroup(epmd, 'SIGKILL'))
  const env = settingsOf(folder, ports)
  let server: ChildProcess | undefined
  const rabbit: RabbitMq = {
    port,
    url: `amqp://${USER}:${PASSWORD}@127.0.0.1:${port}`,
    tlsUrl: `amqps://${USER}:${PASSWORD}@localhost:${tlsPort}`,
    certificate: join(folder, CERTIFICATE),
    start: async () => {
      const started = startGroup(rabbitmqServer() ?? '', [], env)
      server = started
      await until(() => started.exitCode !== null || accepts(port), 'RabbitMQ to listen')
      if (started.exitCode !== null) throw new Error(`RabbitMQ ended with code ${started.exitCode}`)
    },
    stop: async (signal) => {
      if (server !== undefined) await endGroup(server, signal)
      server = undefined
    },
  }
  t.after(() => rabbit.stop('SIGKILL'))
  await until(() => accepts(epmdPort), 'epmd to listen')
  await rabbit.start()
  return rabbit
}

const CERTIFICATE = 'certificate.pem'

interface Ports {
  readonly port: number
  readonly tlsPort: number
  readonly distributionPort: number
  readonly epmdPort: number
}

/** Nothing outside the folder is read or written, and it listens on loopback only. */
function settingsOf(folder: string, { port, tlsPort, distributionPort, epmdPort }: Ports): NodeJS.ProcessEnv {
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const { key, cert } = selfSigned('localhost')
  file(CERTIFICATE, cert)
  mkdirSync(join(folder, 'mnesia'))
  return {
    HOME: folder,
    RABBITMQ_CONF_ENV_FILE: file('env.conf', ''),
    RABBITMQ_CONFIG_FILE: file(
      'rabbitmq.conf',
      [
        `listeners.tcp.1 = 127.0.0.1:${port}`,
        `listeners.ssl.1 = 127.0.0.1:${tlsPort}`,
        `ssl_options.certfile = ${join(folder, CERTIFICATE)}`,
        `ssl_options.keyfile = ${file('key.pem', key)}`,
        `default_user = ${USER}`,
        `default_pass = ${decodeURIComponent(PASSWORD)}`,
        'disk_free_limit.absolute = 10MB',
        'vm_memory_high_watermark.absolute = 512MB',
        '',
      ].join('\n'),
    ),
    RABBITMQ_ENABLED_PLUGINS_FILE: file('enabled_plugins', '[].'),
    RABBITMQ_NODENAME: `healthmonitor-${port}@localhost`,
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: folder,
    RABBITMQ_LOGS: join(folder, 'rabbitmq.log'),
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}',
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
  }
}

/** What tests look at. */
export interface HeardPayload {
  readonly event_id: string
  readonly from?: string
  readonly to?: string
  readonly reason?: string
  readonly member?: { readonly id: string }
}

/** One notification as a listener of oslo.messaging was given it. */
export interface Heard {
  readonly event_type: string
  readonly publisher_id: string
  readonly message_id: string
  readonly priority: string
  readonly timestamp: string
  readonly context: Readonly<Record<string, unknown>>
  readonly payload: HeardPayload
  /** Seconds since 1970. */
  readonly heard_at: number
}

/** A listener as Ceilometer and others have it: it declares exchange and queue itself, and consumes. Ends with the test. */
export async function startListener(t: Ending, rabbit: RabbitMq, topic = 'notifications') {
  const url = `rabbit://${USER}:${PASSWORD}@127.0.0.1:${rabbit.port}/`
  const child = startGroup(PYTHON, [LISTENER, url, topic], {}, 'pipe')
  t.after(() => endGroup(child, 'SIGKILL'))
  const heard: Heard[] = []
  let isReady = false
  if (child.stdout === null) throw new Error('no standard output')
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'ready') isReady = true
    else heard.push(JSON.parse(line) as Heard)
  })
  await until(() => isReady || child.exitCode !== null, 'the listener')
  if (!isReady) throw new Error(`the listener ended with code ${child.exitCode}`)
  return heard
}

/** In a process group of its own: its own children end with it. */
function startGroup(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  stdout: 'ignore' | 'pipe' = 'ignore',
): ChildProcess {
  const { PATH, LANG } = process.env
  return spawn(command, args, {
    env: { PATH, LANG, ...env },
    stdio: ['ignore', stdout, 'ignore'],
    detached: true,
  })
}

async function endGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  // The start script passes SIGTERM on; a SIGKILL it cannot.
  process.kill(signal === 'SIGKILL' ? -child.pid : child.pid, signal)
  await ended
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  return (await new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  }).finally(() => socket.destroy())) as boolean
}

async function freePorts(): Promise<Ports> {
  return {
    port: await freePort(),
    tlsPort: await freePort(),
    distributionPort: await freePort(),
    epmdPort: await freePort(),
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}
