/**
 * HAProxy from Debian's packages in its two parts of the bench: the target that counts what arrives, and the peer whose
 * checks are measured beside ours. One thread each. Ended by their process ids.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { PeerKind } from './engine-kinds.ts'

/** Connections that the target takes at one time. */
const TARGET_CONNECTIONS = 9500
const START_WITHIN_MS = 20_000
/** HAProxy compares each name with all others of its backend: with 50 000 in one it takes a minute to start. */
const SERVERS_PER_BACKEND = 1000

export interface HaProxy {
  readonly pid: number
  /** One command of HAProxy's runtime API. */
  ask(command: string): Promise<string>
  readonly stop: () => void
}

/** What arrived at one port of the target since it started. */
export interface Arrivals {
  readonly connections: number
  readonly requests: number
  /** TLS handshakes, and those of them that resumed a session. */
  readonly handshakes: number
  readonly resumed: number
}

const HEAD = (socket: string, connections: number): string => `global
  nbthread 1
  maxconn ${connections}
  stats socket ${socket} mode 600
defaults
  timeout connect 3s
  timeout client 60s
  timeout http-keep-alive 60s
  timeout server 60s
`

export interface TargetOptions {
  /** Name → port. */
  readonly ports: Readonly<Record<string, number>>
  readonly speaks?: PeerKind | undefined
}

export interface HaProxyTarget extends HaProxy {
  arrivals(name: string): Promise<Arrivals>
}

/** Answers 200 on every port, on all addresses of this host. */
export async function startTarget(folder: string, { ports, speaks }: TargetOptions): Promise<HaProxyTarget> {
  const key = speaks === undefined ? undefined : KEYS[speaks]
  const bound =
    key === undefined
      ? speaks === 'http2'
        ? ' proto h2'
        : ''
      : ` ssl crt ${makeCertificate(folder, key)} ssl-min-ver TLSv1.3`
  const frontends = Object.entries(ports).map(
    ([name, port]) => `frontend ${name}
  mode http
  bind 0.0.0.0:${port} backlog 4096${bound}
  http-request return status 200 content-type text/plain string ok
`,
  )
  const socket = join(folder, 'target.sock')
  const running = await start(folder, 'target', HEAD(socket, TARGET_CONNECTIONS) + frontends.join(''))
  return {
    ...running,
    arrivals: async (name) => {
      const [head = '', ...lines] = (await running.ask('show stat')).split('\n')
      const columns = head.replace('# ', '').split(',')
      const line = lines.find((candidate) => candidate.startsWith(`${name},FRONTEND`))?.split(',') ?? []
      const field = (column: string): number => Number(line[columns.indexOf(column)] ?? 0)
      return {
        connections: field('conn_tot'),
        requests: field('req_tot'),
        // ssl_sess counts new sessions alone.
        handshakes: field('ssl_sess') + field('ssl_reused_sess'),
        resumed: field('ssl_reused_sess'),
      }
    },
  }
}

/** HAProxy has no check of gRPC. */
export type HaProxyKind = Exclude<PeerKind, 'grpc'>

/** What a server's line says beside. */
const WITH: Readonly<Record<HaProxyKind, string>> = {
  tcp: '',
  http: '',
  https: ' check-ssl verify none',
  'https-rsa': ' check-ssl verify none',
  http2: ' check-proto h2',
}

export interface PeerOptions {
  readonly kind: HaProxyKind
  /** TLS sessions are resumed. */
  readonly isResumed: boolean
  readonly addresses: readonly string[]
  readonly port: number
  readonly intervalMs: number
  readonly timeoutMs: number
}

/** The same checks, made by HAProxy: plain `check inter`, for HTTP `option httpchk` with a host. */
export async function startPeer(folder: string, options: PeerOptions): Promise<HaProxy> {
  const { kind, addresses, port, intervalMs, timeoutMs } = options
  const extra = WITH[kind] + (KEYS[kind] === undefined || options.isResumed ? '' : ' no-ssl-reuse')
  const check =
    kind === 'tcp' ? '' : '  option httpchk\n  http-check send meth GET uri / ver HTTP/1.1 hdr host bench\n'
  const mode = kind === 'tcp' ? 'tcp' : 'http'
  const backends: string[] = []
  for (let from = 0; from < addresses.length; from += SERVERS_PER_BACKEND) {
    const servers = addresses
      .slice(from, from + SERVERS_PER_BACKEND)
      .map(
        (address, i) =>
          `  server s${i} ${address}:${port} check${extra} inter ${intervalMs}ms fall 3 rise 3\n`,
      )
    backends.push(
      `backend checked${from}\n  mode ${mode}\n  timeout check ${timeoutMs}ms\n${check}${servers.join('')}`,
    )
  }
  return await start(folder, 'peer', HEAD(join(folder, 'peer.sock'), 1000) + backends.join(''))
}

/** The keys of certificates, in openssl's words. */
const KEYS: Readonly<Partial<Record<PeerKind, string>>> = {
  https: 'ec -pkeyopt ec_paramgen_curve:prime256v1',
  'https-rsa': 'rsa:2048',
}

/** A certificate of its own with such a key, as one file; its path. */
function makeCertificate(folder: string, kindOfKey: string): string {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
  const made = spawnSync('openssl', [
    ...`req -x509 -newkey ${kindOfKey} -nodes -days 2 -subj /CN=bench`.split(' '),
    '-keyout',
    key,
    '-out',
    certificate,
  ])
  if (made.status !== 0) throw new Error(`openssl: ${made.stderr.toString()}`)
  const both = join(folder, 'target.pem')
  writeFileSync(both, readFileSync(certificate, 'utf8') + readFileSync(key, 'utf8'))
  return both
}

async function start(folder: string, name: string, config: string): Promise<HaProxy> {
  const file = join(folder, `${name}.cfg`)
  writeFileSync(file, config)
  const child = spawn('haproxy', ['-f', file, '-db', '-q'], { stdio: ['ignore', 'ignore', 'inherit'] })
  const socket = join(folder, `${name}.sock`)
  await answering(child, name, socket)
  return {
    pid: child.pid ?? 0,
    ask: (command) => ask(socket, command),
    stop: () => void child.kill('SIGKILL'),
  }
}

async function answering(child: ChildProcess, name: string, socket: string): Promise<void> {
  let failure: Error | undefined
  child.once('error', (error) => {
    failure = new Error('HAProxy is needed (apt-get install haproxy)', { cause: error })
  })
  const deadline = performance.now() + START_WITHIN_MS
  for (;;) {
    if (failure !== undefined) throw failure
    if (child.exitCode !== null) throw new Error(`HAProxy (${name}) ended with ${child.exitCode}`)
    if (performance.now() > deadline) throw new Error(`HAProxy (${name}) does not answer`)
    try {
      await ask(socket, 'show info')
      return
    } catch {
      await wait(20)
    }
  }
}

async function ask(path: string, command: string): Promise<string> {
  const socket = connect({ path })
  await once(socket, 'connect')
  socket.write(`${command}\n`)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  return answer
}
