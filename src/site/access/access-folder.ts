/**
 * The folder in which access to NATS is kept, only for its owner:
 *
 *     keys.json                  the operator's key, and the public keys of the sites
 *     accounts.conf              for the hub
 *     relay/SITE.creds           for the relay
 *     sites/SITE/prober.creds    for the probers of the site
 *     sites/SITE/leaf.creds      for its leaf node, if it has one
 *     sites/SITE/leaf-users.conf for its leaf node
 *
 * Each file is written beside its place and renamed: a command that was interrupted leaves no half file, and may be
 * given again.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { NATS_KEYS_MAX_BYTES } from '../../domain/limits.ts'
import {
  type Access,
  accountsConfiguration,
  leafUsers,
  newAccess,
  type SiteKeys,
  withCredentials,
  withoutSite,
} from './access.ts'

/** The folder is not as the command needs it; the message says so to a person. Nothing was changed. */
export class AccessRefusal extends Error {}

const KEYS = 'keys.json'
const OWNER_ONLY = 0o600
/** Without secrets: the server, another user, reads it. */
const EVERYBODY_READS = 0o644

/** Gives each of these sites credentials. `renew`: they have some, which are replaced; otherwise they are new. */
export function issueCredentials(folder: string, sites: readonly string[], renew: boolean): void {
  const found = readAccess(folder)
  if (found === undefined && renew) throw noAccess(folder)
  let access = found ?? newAccess(now())
  for (const site of sites) {
    const isKnown = Object.hasOwn(access.sites, site)
    if (renew && !isKnown) throw new AccessRefusal(`there is no site ${site} in ${folder}`)
    if (!renew && isKnown)
      throw new AccessRefusal(`${folder} has the site ${site}: "renew" replaces its credentials`)
  }
  const issued = sites.map((site) => {
    const one = withCredentials(access, site, now())
    access = one.access
    return { site, ...one.credentials }
  })
  for (const { site, probers, leafNodes, relay } of issued) {
    write(join(folder, 'sites', site, 'prober.creds'), probers, OWNER_ONLY)
    write(join(folder, 'sites', site, 'leaf.creds'), leafNodes, OWNER_ONLY)
    write(
      join(folder, 'sites', site, 'leaf-users.conf'),
      leafUsers(access.sites[site] as SiteKeys),
      EVERYBODY_READS,
    )
    write(join(folder, 'relay', `${site}.creds`), relay, OWNER_ONLY)
  }
  writeAccess(folder, access)
}

/** Lets nobody of these sites in any more, and deletes their credentials. */
export function removeSites(folder: string, sites: readonly string[]): void {
  let access = knownAccess(folder)
  for (const site of sites) {
    if (!Object.hasOwn(access.sites, site)) throw new AccessRefusal(`there is no site ${site} in ${folder}`)
    access = withoutSite(access, site)
  }
  writeAccess(folder, access)
  for (const site of sites) {
    rmSync(join(folder, 'sites', site), { recursive: true, force: true })
    rmSync(join(folder, 'relay', `${site}.creds`), { force: true })
  }
}

/** Writes accounts.conf anew, with what a prober of this version needs; credentials stay as they are. */
export function rewriteAccounts(folder: string): void {
  writeAccess(folder, knownAccess(folder))
}

/** Names of the sites, in their order. */
export function sitesOf(folder: string): readonly string[] {
  return Object.keys(knownAccess(folder).sites)
}

function knownAccess(folder: string): Access {
  const access = readAccess(folder)
  if (access === undefined) throw noAccess(folder)
  return access
}

const noAccess = (folder: string): AccessRefusal =>
  new AccessRefusal(`there is no ${KEYS} in ${folder}: "add" makes it`)

function readAccess(folder: string): Access | undefined {
  const path = join(folder, KEYS)
  let text: string
  try {
    if (statSync(path).size > NATS_KEYS_MAX_BYTES) throw notOurs(path)
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const value = parsed(text)
  if (!isAccess(value)) throw notOurs(path)
  return value
}

const notOurs = (path: string): AccessRefusal =>
  new AccessRefusal(`${path} is not a file of "healthmonitor nats-access"`)

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isAccess(value: unknown): value is Access {
  if (typeof value !== 'object' || value === null) return false
  const { operatorSeed, operatorJwt, systemAccount, sites } = value as Partial<Record<keyof Access, unknown>>
  const areTexts = [operatorSeed, operatorJwt, systemAccount].every((text) => typeof text === 'string')
  return areTexts && typeof sites === 'object' && sites !== null && Object.values(sites).every(isSiteKeys)
}

function isSiteKeys(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { account, probers, leafNodes, relay, proberUser } = value as Partial<Record<keyof SiteKeys, unknown>>
  return [account, probers, leafNodes, relay, proberUser].every((key) => typeof key === 'string')
}

/** The keys first: an accounts.conf without its keys could not be written again. */
function writeAccess(folder: string, access: Access): void {
  write(join(folder, KEYS), `${JSON.stringify(access, null, 2)}\n`, OWNER_ONLY)
  write(join(folder, 'accounts.conf'), accountsConfiguration(access, now()), EVERYBODY_READS)
}

function write(path: string, text: string, mode: number): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const beside = `${path}.new`
  rmSync(beside, { force: true })
  writeFileSync(beside, text, { mode, flag: 'wx' })
  renameSync(beside, path)
}

/** Seconds since 1970, as tokens have it. */
const now = (): number => Math.floor(Date.now() / 1000)
