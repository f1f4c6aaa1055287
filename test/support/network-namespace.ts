/**
 * A network of a test's own (Linux, root): a namespace in which probers and their targets live and in which the test may
 * take away routes, ports and devices. PostgreSQL is reached through a socket in the file system, which no namespace
 * divides.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import type { TestDatabase } from './database.ts'

export interface Namespace {
  readonly name: string
  /** What a command becomes part of the namespace by. */
  readonly within: readonly string[]
  /** Runs a shell command in it; throws with its complaint when it fails. */
  run(command: string): void
  /** Servers in it, of TCP, HTTP (200) and UDP, on these addresses; resolves to their port. */
  serve(t: TestContext, addresses: readonly string[]): Promise<number>
}

let made = 0

/** A namespace with loopback up; undefined, with the test skipped and the reason, where this process may not make one. */
export function makeNamespace(t: TestContext): Namespace | undefined {
  const name = `hm-test-${process.pid}-${made++}`
  const { status, stderr, error } = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' })
  if (status !== 0) {
    t.skip(`no network namespace here: ${error?.message ?? stderr}`)
    return undefined
  }
  t.after(() => void spawnSync('ip', ['netns', 'del', name]))
  const within = ['ip', 'netns', 'exec', name]
  const run = (command: string): void => {
    const done = spawnSync('ip', ['netns', 'exec', name, 'sh', '-ec', command], { encoding: 'utf8' })
    if (done.status !== 0) throw new Error(`${command}: ${done.stderr}`)
  }
  run('ip link set lo up')
  return { name, within, run, serve: (test, addresses) => serve(test, within, addresses) }
}

const SERVER = `
const { createServer } = require('node:http')
const { createSocket } = require('node:dgram')
const [first, ...others] = JSON.parse(process.argv[1])
const listen = (host, port) => new Promise((resolve) => {
  const server = createServer((request, response) => response.end('ok'))
  server.listen(port, host, () => {
    const { port: bound } = server.address()
    createSocket(host.includes(':') ? 'udp6' : 'udp4').bind(bound, host, () => resolve(bound))
  })
})
listen(first, 0).then(async (port) => {
  for (const host of others) await listen(host, port)
  console.log(port)
})
process.stdin.on('end', () => process.exit()).resume()`

async function serve(
  t: TestContext,
  within: readonly string[],
  addresses: readonly string[],
): Promise<number> {
  const [command, ...args] = [...within, process.execPath, '-e', SERVER, JSON.stringify(addresses)]
  const child: ChildProcess = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => void child.kill('SIGKILL'))
  if (child.stdout === null) throw new Error('the servers have no output')
  for await (const line of createInterface(child.stdout)) return Number(line)
  throw new Error('the servers did not start')
}

/** The database through a socket in the file system. */
export async function throughFileSystem(t: TestContext, database: TestDatabase): Promise<TestDatabase> {
  const url = new URL(database.url)
  if (url.searchParams.has('host')) return database
  const dir = mkdtempSync(join(tmpdir(), 'hm-socket-'))
  const { hostname } = url
  const port = Number(url.port || 5432)
  const server = createServer((near) => {
    const far = connect(port, hostname)
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(join(dir, '.s.PGSQL.5432'), resolve))
  t.after(() => {
    server.close()
    rmSync(dir, { recursive: true, force: true })
  })
  url.port = '5432'
  url.searchParams.set('host', dir)
  return { ...database, url: url.href }
}
