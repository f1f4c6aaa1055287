/** `healthmonitor nats-access`: who may use NATS: the accounts of the hub, and the credentials of sites. */
import { LOCAL_SITE, SITE_NAME_MAX } from '../../domain/limits.ts'
import { isSiteName } from '../../domain/site/site-name.ts'
import { StartRefusal } from '../../runtime/start-refusal.ts'
import {
  AccessRefusal,
  issueCredentials,
  removeSites,
  rewriteAccounts,
  sitesOf,
} from '../../site/access/access-folder.ts'
import { type Command, parseFlags, UsageError } from '../command-line.ts'

const FLAGS = {
  folder: {
    type: 'string',
    value: 'FOLDER',
    default: './nats-access',
    what: 'where keys, accounts and credentials are',
  },
} as const
const ACTIONS = ['add', 'renew', 'remove', 'accounts', 'list'] as const
type Action = (typeof ACTIONS)[number]
/** Actions about sites that are named. */
const ABOUT_SITES: readonly Action[] = ['add', 'renew', 'remove']

export const natsAccessCommand: Command = {
  summary: 'makes the accounts and credentials by which sites use NATS',
  about: [
    'Makes what sites need that are reached over NATS: an account for each SITE, credentials for its probers and for the relay, and accounts.conf for the hub, an nats-server. "add" is for new sites; "renew" replaces the credentials of sites, "remove" lets nobody of them in any more; "accounts" writes accounts.conf anew, for what this version needs; "list" names the sites. FOLDER has secrets: keep it where only the operator reads it.',
    'After each change, take accounts.conf to the hub and let the server read it: nats-server --signal reload. docs/nats-accounts.md has the whole set-up.',
    '  healthmonitor nats-access add fra ams',
  ],
  words: [
    { name: 'ACTION', what: ACTIONS.join(', '), choices: ACTIONS },
    { name: 'SITE', isOptional: true, isRepeated: true },
  ],
  flags: FLAGS,
  exits: { 1: 'refused, with the reason; nothing was changed' },
  run: (args) => {
    const { values, words } = parseFlags(args, FLAGS, { min: 1, max: Infinity, named: 'ACTION' })
    const [action, ...sites] = words
    if (!isAction(action)) throw new UsageError(`${JSON.stringify(action)} is none of ${ACTIONS.join(', ')}`)
    assertSites(action, sites)
    process.stdout.write(forPeople(() => act(action, values.folder, sites)))
    return Promise.resolve(0)
  },
}

function isAction(word: string | undefined): word is Action {
  return ACTIONS.some((action) => action === word)
}

function assertSites(action: Action, sites: readonly string[]): void {
  const areWanted = ABOUT_SITES.includes(action)
  if (areWanted && sites.length === 0) throw new UsageError('SITE is missing')
  const [excess] = areWanted ? [] : sites
  if (excess !== undefined) throw new UsageError(`${JSON.stringify(excess)} is not understood`)
  for (const [index, site] of sites.entries()) {
    if (!isSiteName(site))
      throw new UsageError(
        `${JSON.stringify(site)} is no name of a site: at most ${SITE_NAME_MAX} small letters, digits and hyphens`,
      )
    if (site === LOCAL_SITE) throw new UsageError(`probers of the site ${LOCAL_SITE} use the database`)
    if (sites.indexOf(site) < index) throw new UsageError(`${site} is named twice`)
  }
}

/** Does it, and returns the text for the operator. */
function act(action: Action, folder: string, sites: readonly string[]): string {
  switch (action) {
    case 'add':
    case 'renew':
      issueCredentials(folder, sites, action === 'renew')
      return `${sites.map((site) => newCredentials(folder, site)).join('')}${changed(folder)}`
    case 'remove':
      removeSites(folder, sites)
      return changed(folder)
    case 'accounts':
      rewriteAccounts(folder)
      return changed(folder)
    case 'list':
      return sitesOf(folder)
        .map((site) => `${site}\n`)
        .join('')
  }
}

const newCredentials = (folder: string, site: string): string =>
  `${site}: ${folder}/sites/${site} is for the site, ${folder}/relay/${site}.creds for the relay\n`

const changed = (folder: string): string =>
  `${folder}/accounts.conf is written: take it to the hub, then "nats-server --signal reload" there\n`

function forPeople(run: () => string): string {
  try {
    return run()
  } catch (error) {
    if (error instanceof AccessRefusal) throw new StartRefusal(error.message, { cause: error })
    throw error
  }
}
