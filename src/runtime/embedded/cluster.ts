/**
 * The cluster: made once by initdb, UTF-8 with the C locale (byte order, the same on every machine), SCRAM for every
 * connection, a random password. It appears under its name only when it is complete, so that a start that was killed
 * leaves nothing half-made behind.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { StartRefusal } from '../start-refusal.ts'
import { type Account, runAs } from './account.ts'
import { type Binaries, POSTGRES_ENVIRONMENT } from './binaries.ts'
import type { Home } from './home.ts'

/** Folder in which a cluster is made; moved to its place when it is complete. */
const MAKING = 'initdb-'

/** Name of the role and of the database. */
export const POSTGRES_NAME = 'healthmonitor'

/**
 * Creates the cluster if there is none, and returns the password of the role. Refuses a cluster of another major
 * version. `durable` false (tests) leaves out the sync of the new files.
 */
export async function ensureCluster(
  home: Home,
  binaries: Binaries,
  account: Account | undefined,
  durable: boolean,
): Promise<string> {
  if (!existsSync(home.cluster)) return createCluster(home, binaries, account, durable)
  const major = readFileSync(join(home.cluster, 'PG_VERSION'), 'utf8').trim()
  if (major !== binaries.major) {
    throw new StartRefusal(
      `${home.cluster} was made by PostgreSQL ${major}, and this version brings PostgreSQL ${binaries.major}: dump it with the version that made it and load it here, or set HM_DATA_DIR to an empty folder, or set DATABASE_URL`,
    )
  }
  return readPassword(home) ?? resetPassword(home, binaries, account)
}

async function createCluster(
  home: Home,
  binaries: Binaries,
  account: Account | undefined,
  durable: boolean,
): Promise<string> {
  const password = randomBytes(24).toString('hex')
  await removeHalfMade(home)
  const making = mkdtempSync(join(home.dir, MAKING))
  try {
    const cluster = join(making, 'cluster')
    const passwordFile = join(making, 'password')
    mkdirSync(cluster, { mode: 0o700 })
    writeFileSync(passwordFile, password, { mode: 0o600 })
    if (account !== undefined) {
      for (const path of [making, cluster, passwordFile]) chownSync(path, account.uid, account.gid)
    }
    const options = ['-U', POSTGRES_NAME, '-A', 'scram-sha-256', '--pwfile', passwordFile, '-E', 'UTF8']
    const sync = durable ? [] : ['--no-sync']
    await run(
      binaries.initdb,
      [...options, '--locale=C', '--no-instructions', ...sync, '-D', cluster],
      account,
    )
    await singleUser(binaries, account, cluster, `create database ${POSTGRES_NAME};\n`)
    writePassword(home, password)
    renameSync(cluster, home.cluster)
  } finally {
    rmSync(making, { recursive: true, force: true })
  }
  return password
}

/**
 * The data folder is locked, so these can only come from a start that was killed. Its initdb may live on and write
 * while the folder is emptied: the removal is tried again, for at most 3 s, until initdb misses its folder and ends.
 */
async function removeHalfMade(home: Home): Promise<void> {
  for (const name of readdirSync(home.dir)) {
    if (!name.startsWith(MAKING)) continue
    await rm(join(home.dir, name), { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  }
}

/** The password file was lost: a process that may write the cluster may set a new password. */
async function resetPassword(home: Home, binaries: Binaries, account: Account | undefined): Promise<string> {
  const password = randomBytes(24).toString('hex')
  await singleUser(binaries, account, home.cluster, `alter role ${POSTGRES_NAME} password '${password}';\n`)
  writePassword(home, password)
  return password
}

/** Of the role; undefined when its file is not there or not ours. */
export function readPassword(home: Home): string | undefined {
  if (!existsSync(home.pgpass)) return undefined
  return /^127\.0\.0\.1:\*:\*:healthmonitor:([0-9a-f]+)$/m.exec(readFileSync(home.pgpass, 'utf8'))?.[1]
}

/** In psql's own format (libpq-pgpass), so that the printed psql command shows no secret. */
function writePassword(home: Home, password: string): void {
  writeFileSync(home.pgpass, `127.0.0.1:*:*:${POSTGRES_NAME}:${password}\n`, { mode: 0o600 })
}

/** Runs SQL on a cluster that is not running (postgres --single), the way to do it without any client program. */
async function singleUser(
  binaries: Binaries,
  account: Account | undefined,
  cluster: string,
  sql: string,
): Promise<void> {
  // In this mode a newline ends a statement.
  await run(
    binaries.postgres,
    ['--single', '-D', cluster, '-c', 'log_min_messages=error', 'postgres'],
    account,
    sql,
  )
}

function run(
  program: string,
  options: readonly string[],
  account: Account | undefined,
  input = '',
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      options,
      { cwd: '/', env: POSTGRES_ENVIRONMENT, maxBuffer: 1024 * 1024, ...runAs(account) },
      (error, stdout, stderr) => {
        process.off('exit', endWithUs)
        const output = `${stderr}${stdout}`.trim().slice(-500)
        if (error === null && !/^\S* ?\[?\d*\]?.*\b(ERROR|FATAL|PANIC):/m.test(stderr)) resolve()
        else
          reject(
            new StartRefusal(`PostgreSQL could not prepare its data folder: ${output}`, { cause: error }),
          )
      },
    )
    // A cancelled start leaves no process that still writes.
    const endWithUs = (): void => void child.kill('SIGTERM')
    process.once('exit', endWithUs)
    child.stdin?.on('error', () => {
      // The program ended before it read its input; its exit code says why.
    })
    child.stdin?.end(input)
  })
}
