/**
 * Who may use NATS: one account per site. An account divides more than permissions do: a server sends its answers, and
 * what consumers read, to whatever subject was asked for, without a look at permissions. With one account for all sites, a
 * site could so have the server write into the stream of another (docs/adr/0040-nats-accounts.md).
 *
 * The operator's key is the only secret that is kept. Of a site's keys the public halves stay here; the credentials are
 * given out once.
 */
import { nkeys } from '@nats-io/transport-node'
import { PROBER_SUBSCRIPTIONS_MAX } from '../../domain/limits.ts'
import {
  accountJwt,
  credentials,
  type KeyPair,
  operatorJwt,
  type Permissions,
  type Role,
  seedOf,
} from './nats-jwt.ts'
import { proberPublishes, proberSubscribes } from '../subjects.ts'

/** What is kept, as JSON in a file. Keys are public, but for `operatorSeed`. */
export interface Access {
  readonly operatorSeed: string
  /** Kept as it was first made: a running server takes no other one. */
  readonly operatorJwt: string
  readonly systemAccount: string
  readonly sites: Readonly<Record<string, SiteKeys>>
}

export interface SiteKeys {
  readonly account: string
  /** Sign the users of each role; only these users are let in. */
  readonly probers: string
  readonly leafNodes: string
  readonly relay: string
  /** The user of the probers, whom a leaf node at the site lets in. */
  readonly proberUser: string
}

/** Credentials of a site: a secret of its probers, one of its leaf nodes, and one of the relay. */
export interface SiteCredentials {
  readonly probers: string
  readonly leafNodes: string
  readonly relay: string
}

export interface Issued {
  readonly access: Access
  readonly credentials: SiteCredentials
}

/** `issuedAt`: seconds since 1970. */
export function newAccess(issuedAt: number): Access {
  const operator = nkeys.createOperator()
  const systemAccount = nkeys.createAccount().getPublicKey()
  return {
    operatorSeed: seedOf(operator),
    operatorJwt: operatorJwt(operator, systemAccount, issuedAt),
    systemAccount,
    sites: {},
  }
}

/** With new credentials for the site, which has an account from then on. Those that it had are not accepted any more. */
export function withCredentials(access: Access, site: string, issuedAt: number): Issued {
  const account = access.sites[site]?.account ?? nkeys.createAccount().getPublicKey()
  const prober = newUser(account, `prober of ${site}`, issuedAt)
  const leafNode = newUser(account, `leaf node of ${site}`, issuedAt)
  const relay = newUser(account, `relay of ${site}`, issuedAt)
  const keys: SiteKeys = {
    account,
    probers: prober.signingKey,
    leafNodes: leafNode.signingKey,
    relay: relay.signingKey,
    proberUser: prober.user,
  }
  return {
    access: { ...access, sites: { ...access.sites, [site]: keys } },
    credentials: {
      probers: prober.credentials,
      leafNodes: leafNode.credentials,
      relay: relay.credentials,
    },
  }
}

/** Nobody of the site is let in any more; what NATS keeps for it stays on the hub's disk. */
export function withoutSite(access: Access, site: string): Access {
  const sites = Object.fromEntries(Object.entries(access.sites).filter(([name]) => name !== site))
  return { ...access, sites }
}

/** A user with a signing key of its own, which is forgotten: a new one replaces both. */
function newUser(account: string, name: string, issuedAt: number) {
  const signingKey: KeyPair = nkeys.createAccount()
  const user = nkeys.createUser()
  return {
    signingKey: signingKey.getPublicKey(),
    user: user.getPublicKey(),
    credentials: credentials(signingKey, { user, name, account }, issuedAt),
  }
}

/** The part of the hub's configuration that says who is let in, and what they may do. It has no secret. */
export function accountsConfiguration(access: Access, issuedAt: number): string {
  const operator = nkeys.fromSeed(new TextEncoder().encode(access.operatorSeed))
  const system = { account: access.systemAccount, name: 'SYS', roles: [] }
  const sites = Object.entries(access.sites).map(([name, keys]) => ({
    account: keys.account,
    name,
    roles: rolesOf(name, keys),
  }))
  const accounts = [system, ...sites].map(
    (one) => `  # ${one.name}\n  ${one.account}: ${accountJwt(operator, one, issuedAt)}\n`,
  )
  return `# Made by "healthmonitor nats-access", which writes it anew. After a change: nats-server --signal reload
operator: ${access.operatorJwt}
system_account: ${access.systemAccount}
resolver: MEMORY
resolver_preload: {
${accounts.join('')}}
`
}

/** A prober's credential is no leaf node's: older servers let leaf nodes publish what they like in their account (ADR 40). */
function rolesOf(site: string, { probers, leafNodes, relay }: SiteKeys): readonly Role[] {
  const permissions = proberPermissions(site)
  const subscriptionsMax = PROBER_SUBSCRIPTIONS_MAX
  return [
    { name: 'prober', key: probers, permissions, connections: ['STANDARD'], subscriptionsMax },
    {
      name: 'leaf node',
      key: leafNodes,
      permissions,
      connections: ['LEAFNODE', 'LEAFNODE_WS'],
      subscriptionsMax,
    },
    { name: 'relay', key: relay, connections: ['STANDARD'], subscriptionsMax: -1 },
  ]
}

/**
 * What the probers of a site, and its leaf node, may do in the site's account: they make and delete nothing that is kept.
 * The rights of a client are looked at after the API of the domain was mapped to that without one, and those of a leaf
 * node before, so both are here.
 */
export function proberPermissions(site: string): Permissions {
  const publish = new Set([...proberPublishes(site), ...proberPublishes(site, '$JS.API')])
  return { publish: [...publish], subscribe: proberSubscribes(site) }
}

/** The part of a leaf node's configuration that lets the site's probers in, with the same credentials as at the hub. */
export function leafUsers({ proberUser }: SiteKeys): string {
  return `# Made by "healthmonitor nats-access": the probers of this site, by their credentials.\nusers: [ { nkey: ${proberUser} } ]\n`
}
