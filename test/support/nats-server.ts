/**
 * A real nats-server of a test: its own ports, configuration and JetStream folder. It is started again with what it had
 * stored, killed, or frozen. Debian's is found on the path; NATS_SERVER names another one, such as a current release.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Ending } from './database.ts'
import { folderOfTest } from './folders.ts'
import { portApart } from './ports.ts'
import { until } from './service.ts'

/** Where Debian has it: this folder is not on the path of ordinary users. */
const DEBIAN = '/usr/sbin/nats-server'
/** Characters of its log that are kept: a server that logs each of many refusals does not fill the memory. */
const LOG_MAX = 1_000_000
/** How often other ports are tried where somebody took one meanwhile. */
const TRIES = 5

/** A program that is a nats-server. */
export interface NatsBinary {
  readonly path: string
  /** Such as 2.9.10. */
  readonly version: string
}

let found: readonly NatsBinary[] | undefined

/** Every nats-server here, the oldest first: the one of NATS_SERVER, and the one of the path or of Debian. */
export function natsServers(): readonly NatsBinary[] {
  found ??= [process.env['NATS_SERVER'] || [], ['nats-server', DEBIAN].find((path) => versionOf(path)) ?? []]
    .flat()
    .flatMap((path) => {
      const version = versionOf(path)
      return version === undefined ? [] : [{ path, version }]
    })
    .toSorted((one, other) => one.version.localeCompare(other.version, 'en', { numeric: true }))
    .filter(({ version }, index, all) => all[index - 1]?.version !== version)
  return found
}

function versionOf(path: string): string | undefined {
  const { stdout, error } = spawnSync(path, ['--version'], { encoding: 'utf8' })
  return error === undefined ? /v(\d+\.\d+\.\d+)/.exec(stdout)?.[1] : undefined
}

/** The oldest nats-server here; undefined, with the test skipped and the reason, where there is none. */
export function natsServerOrSkip(t: TestContext): NatsBinary | undefined {
  const [binary] = natsServers()
  if (binary === undefined) t.skip('nats-server is missing: apt-get install nats-server')
  return binary
}

/** A test on every nats-server here: one test of this title for each, or one that is skipped where there is none. */
export function testOnNats(title: string, body: (t: TestContext, binary: NatsBinary) => Promise<void>): void {
  for (const binary of natsServers()) test(`${title} (nats-server ${binary.version})`, (t) => body(t, binary))
  if (natsServers().length === 0) test(title, (t) => void natsServerOrSkip(t))
}

/** What a configuration may name. */
export interface NatsPlace {
  /** An empty folder. JetStream is in its folder `jetstream`. */
  readonly folder: string
  /** A free port of this name, the same at each start; `client` is the one that clients connect to. */
  readonly port: (name: string) => number
}

export interface NatsSetup {
  /** Default: the oldest here. */
  readonly binary?: NatsBinary | undefined
  /** The text of the configuration. Default: `withJetStream`. */
  readonly configuration?: (place: NatsPlace) => string
  /** Default: 127.0.0.1. What clients connect to; the configuration says where it listens. */
  readonly host?: string
  /** As `Namespace.within`: the server runs in that namespace. */
  readonly within?: readonly string[]
}

export interface NatsServer extends NatsPlace {
  readonly binary: NatsBinary
  /** nats://HOST:PORT of clients. */
  readonly url: string
  /** Starts it again with what it had stored; on the same ports, unless they are taken. */
  start(): Promise<void>
  /** SIGTERM (default) ends it in an orderly way, SIGKILL at once. Nothing happens when it does not run. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Stops the process without ending it: connections stay open and nothing is answered. */
  freeze(): void
  thaw(): void
  /** Takes another configuration without a restart; resolves when the server has taken it, rejects when it refused. */
  reload(configuration: (place: NatsPlace) => string): Promise<void>
  /** What it has logged since it was last started. */
  log(): string
}

/** A server for everybody, with JetStream on disk. `domain`: of JetStream; `further`: more lines. */
export function withJetStream(further = '', domain = 'hub'): (place: NatsPlace) => string {
  return ({ folder, port }) => `
listen: 127.0.0.1:${port('client')}
server_name: ${domain}
jetstream { store_dir: "${join(folder, 'jetstream')}", domain: ${domain}, max_mem: 64MB, max_file: 16GB }
${further}
`
}

/** A server that runs, and ends with the test. Rejects with its log when it does not start. */
export async function startNatsServer(t: Ending, setup: NatsSetup = {}): Promise<NatsServer> {
  const binary = setup.binary ?? natsServers()[0]
  if (binary === undefined) throw new Error('nats-server is missing: apt-get install nats-server')
  const server = new Running(binary, setup)
  t.after(() => server.stop('SIGKILL'))
  await server.startFirst()
  return server
}

class Running implements NatsServer {
  readonly binary: NatsBinary
  readonly folder = folderOfTest()
  private readonly host: string
  private readonly within: readonly string[]
  private configuration: (place: NatsPlace) => string
  private readonly ports = new Map<string, number>()
  private process: ChildProcess | undefined
  private text = ''

  constructor(
    binary: NatsBinary,
    { configuration = withJetStream(), host = '127.0.0.1', within = [] }: NatsSetup,
  ) {
    this.binary = binary
    this.configuration = configuration
    this.host = host
    this.within = within
  }

  readonly port = (name: string): number => {
    const port = this.ports.get(name) ?? portApart()
    this.ports.set(name, port)
    return port
  }

  get url(): string {
    return `nats://${this.host}:${this.port('client')}`
  }

  async startFirst(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.start()
        return
      } catch (error) {
        if (tries === TRIES || !this.text.includes('address already in use')) throw error
        this.ports.clear()
      }
    }
  }

  async start(): Promise<void> {
    const [command, ...args] = [...this.within, this.binary.path, '-c', this.writeConfiguration()] as const
    this.text = ''
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    this.process = child
    child.once('error', ({ message }) => {
      this.text += message
    })
    child.stderr.setEncoding('utf8').on('data', (more: string) => {
      this.text = (this.text + more).slice(-LOG_MAX)
    })
    await until(() => hasEnded(child) || this.text.includes('Server is ready'), 'nats-server to be ready')
    if (hasEnded(child)) throw new Error(`nats-server ended with code ${child.exitCode}: ${this.text}`)
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.process
    this.process = undefined
    if (child === undefined || hasEnded(child)) return
    const ended = once(child, 'exit')
    child.kill(signal)
    // A frozen one would keep SIGTERM until it is thawed.
    child.kill('SIGCONT')
    await ended
  }

  freeze(): void {
    this.process?.kill('SIGSTOP')
  }

  thaw(): void {
    this.process?.kill('SIGCONT')
  }

  async reload(configuration: (place: NatsPlace) => string): Promise<void> {
    this.configuration = configuration
    this.writeConfiguration()
    const before = this.text.length
    this.process?.kill('SIGHUP')
    const said = (): string => this.text.slice(before)
    await until(() => /Reloaded server configuration|Failed to reload/.test(said()), 'nats-server to reload')
    if (said().includes('Failed to reload')) throw new Error(said())
  }

  log(): string {
    return this.text
  }

  private writeConfiguration(): string {
    const path = join(this.folder, 'nats-server.conf')
    writeFileSync(path, this.configuration(this))
    return path
  }
}

function hasEnded({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null
}
