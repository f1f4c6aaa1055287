/**
 * Where an embedded PostgreSQL keeps its files. Normally that is HM_DATA_DIR itself; when the account that PostgreSQL
 * runs as cannot enter it (root with a checkout below a 0700 folder), it is a new folder below /var/lib, and a link
 * `home` in HM_DATA_DIR remembers it. A link instead of a name made from the path alone: a fresh checkout at an old
 * path starts with a fresh database, and no old one is ever deleted.
 *
 *   home/postgresql        the cluster (0700, of the account)
 *   home/postgresql.log    what the server says
 *   home/pgpass            password, in psql's format (0600)
 *   home/port              the port of the last start
 *   home/binaries-<v>      a copy of the binaries, only when those in node_modules cannot be used in place
 */
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { StartRefusal } from '../start-refusal.ts'
import { type Account, canEnter } from './account.ts'

export interface Home {
  readonly dir: string
  readonly cluster: string
  readonly log: string
  readonly pgpass: string
  readonly port: string
}

const ELSEWHERE = '/var/lib'

export function homeAt(dir: string): Home {
  return {
    dir,
    cluster: join(dir, 'postgresql'),
    log: join(dir, 'postgresql.log'),
    pgpass: join(dir, 'pgpass'),
    port: join(dir, 'port'),
  }
}

/** The home that an earlier start chose for this data folder, or the data folder itself. */
export function rememberedHome(dataDir: string): Home {
  const link = join(dataDir, 'home')
  return homeAt(lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(link) : dataDir)
}

/**
 * Makes HM_DATA_DIR if needed; refuses one that we may not write. Under root it can be passed through but not listed:
 * the account reaches its cluster, and what lies beside it has modes of its own.
 */
export function makeDataDir(dataDir: string): void {
  try {
    const made = mkdirSync(dataDir, { recursive: true })
    if (made !== undefined) chmodSync(dataDir, process.getuid?.() === 0 ? 0o711 : 0o700)
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new StartRefusal(
      `the data folder ${dataDir} cannot be used by this account (${error instanceof Error ? error.message : String(error)}): set HM_DATA_DIR to a folder that it may write, or set DATABASE_URL`,
      { cause: error },
    )
  }
}

/**
 * The home to use with this account: the remembered one if the account can enter it, else a new one below /var/lib.
 * Refuses when data is already in a place that the account cannot enter: data never moves by itself.
 */
export function chooseHome(dataDir: string, account: Account | undefined): Home {
  const home = rememberedHome(dataDir)
  if (account === undefined) return home
  if (existsSync(home.dir) && canEnter(account, home.dir)) return home
  if (home.dir !== dataDir || existsSync(home.cluster)) {
    throw new StartRefusal(
      `${home.dir} holds the database, but PostgreSQL runs as ${account.name} here and cannot enter that folder: let ${account.name} pass through every folder above it (chmod o+x), or move the data and set HM_DATA_DIR`,
    )
  }
  const elsewhere = mkdtempSync(join(ELSEWHERE, `healthmonitor-${basename(dirname(dataDir))}-`))
  chmodSync(elsewhere, 0o711)
  symlinkSync(elsewhere, join(dataDir, 'home'))
  return homeAt(elsewhere)
}
