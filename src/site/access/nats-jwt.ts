/**
 * JSON web tokens as NATS has them (decentralised authentication): an operator signs accounts, keys of an account sign its
 * users, and a server needs the operator's and the accounts' tokens alone. Ed25519 over `header.body`, both in base64url.
 *
 * Source: https://docs.nats.io/running-a-nats-service/nats_admin/security/jwt; version 2 of the claims of
 * github.com/nats-io/jwt. A scoped signing key is a key that signs users of one role: what a user of it may do stands in the
 * account, so it changes without new credentials.
 */
import { createHash } from 'node:crypto'
import { nkeys } from '@nats-io/transport-node'
import {
  NATS_SITE_CONSUMERS_MAX,
  NATS_SITE_DISK_MAX_BYTES,
  NATS_SITE_MEMORY_MAX_BYTES,
  NATS_SITE_STREAMS_MAX,
} from '../../domain/limits.ts'

/** A pair of keys of NATS (Ed25519), whose public half begins with O (operator), A (account) or U (user). */
export type KeyPair = ReturnType<typeof nkeys.createUser>

/** Subjects that a user may publish and subscribe; absent = all. */
export interface Permissions {
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
}

/** The users that one signing key of an account may sign. */
export interface Role {
  readonly name: string
  /** Public half of the signing key. */
  readonly key: string
  /** Absent = everything in the account. */
  readonly permissions?: Permissions
  /** How its users connect, in the words of NATS. */
  readonly connections: readonly ('STANDARD' | 'LEAFNODE' | 'LEAFNODE_WS')[]
  /** Subscriptions of one connection; -1 = any number. */
  readonly subscriptionsMax: number
}

const HEADER = { typ: 'JWT', alg: 'ed25519-nkey' }
const VERSION = 2
const ANY = -1
/** Limits of an account without bounds of its own; the server's bounds hold. */
const CONNECTION_LIMITS = {
  subs: ANY,
  data: ANY,
  payload: ANY,
  imports: ANY,
  exports: ANY,
  wildcards: true,
  conn: ANY,
  leaf: ANY,
}
const JETSTREAM_LIMITS = {
  mem_storage: NATS_SITE_MEMORY_MAX_BYTES,
  disk_storage: NATS_SITE_DISK_MAX_BYTES,
  streams: NATS_SITE_STREAMS_MAX,
  consumer: NATS_SITE_CONSUMERS_MAX,
}

/** The operator's own token. `issuedAt`: seconds since 1970. Servers take no other one without a restart. */
export function operatorJwt(operator: KeyPair, systemAccount: string, issuedAt: number): string {
  const nats = { type: 'operator', version: VERSION, system_account: systemAccount }
  return signed(operator, { sub: operator.getPublicKey(), name: 'healthmonitor', iat: issuedAt, nats })
}

/** An account: for what is said about the server itself, without roles; or for a site, with JetStream on disk. */
export function accountJwt(
  operator: KeyPair,
  {
    account,
    name,
    roles,
  }: { readonly account: string; readonly name: string; readonly roles: readonly Role[] },
  issuedAt: number,
): string {
  const limits = roles.length === 0 ? CONNECTION_LIMITS : { ...CONNECTION_LIMITS, ...JETSTREAM_LIMITS }
  const nats = {
    type: 'account',
    version: VERSION,
    limits,
    signing_keys: roles.map(signingKey),
    default_permissions: { pub: {}, sub: {} },
  }
  return signed(operator, { sub: account, name, iat: issuedAt, nats })
}

function signingKey({ name, key, permissions, connections, subscriptionsMax }: Role): object {
  const rights =
    permissions === undefined
      ? {}
      : { pub: { allow: permissions.publish }, sub: { allow: permissions.subscribe } }
  return {
    kind: 'user_scope',
    key,
    role: name,
    template: {
      subs: subscriptionsMax,
      data: ANY,
      payload: ANY,
      allowed_connection_types: connections,
      ...rights,
    },
  }
}

/** Credentials of a user that this signing key vouches for, as a file that clients and leaf nodes of NATS read. */
export function credentials(
  signingKeyPair: KeyPair,
  { user, name, account }: { readonly user: KeyPair; readonly name: string; readonly account: string },
  issuedAt: number,
): string {
  const nats = { type: 'user', version: VERSION, issuer_account: account }
  const token = signed(signingKeyPair, { sub: user.getPublicKey(), name, iat: issuedAt, nats })
  return `-----BEGIN NATS USER JWT-----
${token}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
${seedOf(user)}
------END USER NKEY SEED------
`
}

/** The secret half, as text that begins with S. */
export function seedOf(pair: KeyPair): string {
  return new TextDecoder().decode(pair.getSeed())
}

interface Claims {
  readonly sub: string
  readonly name: string
  readonly iat: number
  readonly nats: object
}

function signed(issuer: KeyPair, claims: Claims): string {
  const body = { iss: issuer.getPublicKey(), ...claims }
  const jti = createHash('sha256').update(JSON.stringify(body)).digest('hex')
  const text = `${base64url(HEADER)}.${base64url({ jti, ...body })}`
  return `${text}.${Buffer.from(issuer.sign(Buffer.from(text))).toString('base64url')}`
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
