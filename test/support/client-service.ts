/** The whole program for clients of other makers, and how such a client is run. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Ending } from './database.ts'
import { folderOfTest } from './folders.ts'
import { KEYSTONE_URL, registerService, SERVICE_ACCOUNT } from './keystone.ts'
import { startService } from './service.ts'

/** Scripts and configurations of the clients: in the sources, the compiler does not copy them. */
export const CLIENTS = resolve(import.meta.dirname, '../../../test/clients')
/** Recordings. */
export const VECTORS = resolve(import.meta.dirname, '../../../test/vectors')
/** Programs that were built once. */
export const BUILT = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'healthmonitor-clients')

export const IDENTITIES = ['development', 'keystone'] as const
export type Identity = (typeof IDENTITIES)[number]

/** Milliseconds that a client may take for its whole life on a busy machine. */
const CLIENT_MS = 800_000

type Environment = Readonly<Record<string, string>>

export interface ClientService {
  /** Base URL of the API, without a slash at the end. */
  readonly api: string
  /** The settings of a client. */
  readonly env: Environment
}

/** Starts the program with this identity on free ports; it ends with the test. */
export async function startForClients(t: Ending, identity: Identity): Promise<ClientService> {
  const { api } = await startService(t, folderOfTest(), SETTINGS[identity])
  const region = identity === 'keystone' ? await registerService(api) : 'RegionOne'
  const env = {
    OS_AUTH_URL: identity === 'keystone' ? KEYSTONE_URL : `${api}/identity/v3`,
    OS_IDENTITY_API_VERSION: '3',
    OS_USERNAME: 'admin',
    OS_PASSWORD: 'adminpw',
    OS_PROJECT_NAME: 'admin',
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: region,
  }
  return { api, env }
}

/** Members of these tests are of loopback, which is denied by default where tenants are separated. */
const SETTINGS: Readonly<Record<Identity, Environment>> = {
  development: {},
  keystone: {
    HM_AUTH: 'keystone',
    HM_KEYSTONE_URL: KEYSTONE_URL,
    HM_KEYSTONE_USERNAME: SERVICE_ACCOUNT.username,
    HM_KEYSTONE_PASSWORD: SERVICE_ACCOUNT.password,
    HM_KEYSTONE_PROJECT: SERVICE_ACCOUNT.project,
    HM_KEYSTONE_DOMAIN: SERVICE_ACCOUNT.domain,
    HM_NETWORK_READS: '1',
    HM_PROBE_ALLOW: '127.0.0.0/8,::1/128',
  },
}

/** Runs a client to its end, which must be a success; gives all that it printed. */
export async function runClient(command: string, args: readonly string[], env: Environment): Promise<string> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(OS_|HM_|TF_VAR_|NODE_TEST)/.test(name))
  const child = spawn(command, args, {
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: CLIENT_MS,
  })
  let output = ''
  const listen = (data: Buffer) => {
    output += data.toString()
  }
  child.stdout.on('data', listen)
  child.stderr.on('data', listen)
  const code = await new Promise<number | null>((ended, failed) => {
    child.once('error', failed)
    child.once('close', ended)
  })
  assert.equal(code, 0, `${command} ${args.join(' ')}\n${output}`)
  return output
}

/** The first of two ports in a row that are free. */
export async function twoFreePorts(): Promise<number> {
  for (;;) {
    const first = await freePort(0)
    const taken = await freePort(first + 1).catch(() => undefined)
    if (taken !== undefined) return first
  }
}

function freePort(port: number): Promise<number> {
  return new Promise((found, failed) => {
    const server = createServer()
    server.once('error', failed)
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => found(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
