/**
 * NATS as deploy/nats sets it up: a hub with TLS, leaf nodes and WebSocket, the leaf node of a site, and the accounts and
 * credentials of `healthmonitor nats-access`. The configurations are those files, with paths and addresses of the test.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node'
import { issueCredentials } from '../../src/site/access/access-folder.ts'
import { PROBER_INBOX, RELAY_INBOX } from '../../src/site/subjects.ts'
import type { Ending } from './database.ts'
import { folderOfTest } from './folders.ts'
import { type NatsBinary, type NatsPlace, type NatsServer, startNatsServer } from './nats-server.ts'
import { type Authority, makeAuthority } from './tls-authority.ts'

const DEPLOY = resolve(import.meta.dirname, '../../../deploy/nats')
/** Milliseconds that a client waits for a connection. */
const CONNECT_MS = 5000

export interface Hub {
  readonly server: NatsServer
  /** Of `nats-access`. */
  readonly folder: string
  readonly authority: Authority
  /** Reads accounts.conf anew. */
  reload(): Promise<void>
}

/** Where a server listens and is reached; default 127.0.0.1. */
export interface Placed {
  readonly host?: string
  readonly within?: readonly string[]
}

/** The hub of deploy/nats/hub.conf, with accounts for these sites. */
export async function startHub(
  t: Ending,
  binary: NatsBinary,
  sites: readonly string[],
  { host = '127.0.0.1', within = [] }: Placed = {},
): Promise<Hub> {
  const folder = join(folderOfTest(), 'nats-access')
  issueCredentials(folder, sites, false)
  const authority = makeAuthority(folderOfTest())
  const { cert, key } = authority.issue('hub', [`IP:${host}`, 'DNS:localhost'])
  const configuration = (place: NatsPlace): string =>
    changed('hub.conf', [
      ['"0.0.0.0:4222"', `"${host}:${place.port('client')}"`],
      ['"127.0.0.1:8222"', `"${host}:${place.port('http')}"`],
      ['"0.0.0.0:7422"', `"${host}:${place.port('leaf')}"`],
      ['"0.0.0.0:443"', `"${host}:${place.port('websocket')}"`],
      ['"/etc/nats/hub.pem"', `"${cert}"`],
      ['"/etc/nats/hub.key"', `"${key}"`],
      ['"/var/lib/nats"', `"${join(place.folder, 'jetstream')}"`],
      ['"accounts.conf"', `"${relativeTo(place.folder, join(folder, 'accounts.conf'))}"`],
    ])
  const server = await startNatsServer(t, { binary, configuration, host, within })
  return { server, folder, authority, reload: () => server.reload(configuration) }
}

/** How the leaf node of a site dials out to the hub. */
export type Dialled = 'tls' | 'wss'

/** The leaf node of deploy/nats/site.conf; reaching the hub may take it a moment. */
export async function startLeaf(
  t: Ending,
  {
    hub,
    site,
    binary,
    by,
  }: { readonly hub: Hub; readonly site: string; readonly binary: NatsBinary; readonly by: Dialled },
  { host = '127.0.0.1', within = [] }: Placed = {},
): Promise<NatsServer> {
  const { server, folder, authority } = hub
  const hubHost = new URL(server.url).hostname
  const url =
    by === 'tls' ? `tls://${hubHost}:${server.port('leaf')}` : `wss://${hubHost}:${server.port('websocket')}`
  const given = join(folder, 'sites', site)
  const configuration = (place: NatsPlace): string =>
    changed('site.conf', [
      ['"127.0.0.1:4222"', `"${host}:${place.port('client')}"`],
      ['"127.0.0.1:8222"', `"${host}:${place.port('http')}"`],
      ['"wss://hub.example.org:443"', `"${url}"`],
      ['"/etc/nats/leaf.creds"', `"${join(given, 'leaf.creds')}"`],
      ['"/etc/nats/ca.pem"', `"${authority.ca}"`],
      ['"leaf-users.conf"', `"${relativeTo(place.folder, join(given, 'leaf-users.conf'))}"`],
    ])
  return await startNatsServer(t, { binary, configuration, host, within })
}

/** A file of deploy/nats in which each of these texts is replaced. Throws when the file does not have one. */
function changed(name: string, replaced: readonly (readonly [text: string, by: string])[]): string {
  return replaced.reduce(
    (text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`${name} has no ${from}`)
      return text.replaceAll(from, to)
    },
    readFileSync(join(DEPLOY, name), 'utf8'),
  )
}

/** `include` of nats-server takes paths relative to the file alone. */
function relativeTo(folder: string, path: string): string {
  return `../${path.slice(resolve(folder, '..').length + 1)}`
}

/** Who connects: the probers of a site, its leaf node, or the relay. */
export type User = 'prober' | 'leaf' | 'relay'

export function credentialsFile(folder: string, site: string, user: User): string {
  return user === 'relay'
    ? join(folder, 'relay', `${site}.creds`)
    : join(folder, 'sites', site, `${user}.creds`)
}

export interface Connecting {
  readonly url: string
  readonly credentials: string
  /** Path of the CA; absent = not over TLS, as on loopback at a site. */
  readonly ca?: string
}

/** A client that ends with the test. Rejects when it is not let in. */
export async function connectNats(
  t: Ending,
  { url, credentials, ca }: Connecting,
  user: User,
): Promise<NatsConnection> {
  const connection = await connect({
    servers: url,
    authenticator: credsAuthenticator(readFileSync(credentials)),
    inboxPrefix: user === 'relay' ? RELAY_INBOX : PROBER_INBOX,
    timeout: CONNECT_MS,
    reconnect: false,
    ...(ca === undefined ? {} : { tls: { caFile: ca } }),
  })
  t.after(() => connection.close())
  return connection
}

/** The same at the hub. */
export function connectToHub(
  t: Ending,
  { server, folder, authority }: Hub,
  [site, user]: readonly [site: string, user: User],
): Promise<NatsConnection> {
  const credentials = credentialsFile(folder, site, user)
  return connectNats(t, { url: server.url, credentials, ca: authority.ca }, user)
}
