/**
 * A real PostgreSQL in HM_DATA_DIR, started and stopped by the service, so that nobody has to set one up. Everything
 * above sees only its URL. If the server dies while the service runs, it is started again on the same port.
 */
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { POSTGRES_LOG_MAX_BYTES, POSTGRES_RESTART_MS } from '../../domain/limits.ts'
import { type Account, chooseAccount } from './account.ts'
import { type Binaries, locateBinaries } from './binaries.ts'
import { ensureCluster, POSTGRES_NAME, readPassword } from './cluster.ts'
import { lockFolder } from './folder-lock.ts'
import { chooseHome, type Home, makeDataDir, rememberedHome } from './home.ts'
import { freePort, livePort, type Postmaster, startPostmaster, stopLeftover } from './postmaster.ts'
import { StartRefusal } from '../start-refusal.ts'

export interface EmbeddedPostgresOptions {
  /** HM_DATA_DIR, absolute or relative to the working directory; made if it is not there. */
  readonly dataDir: string
  /** False only for tests: no fsync. */
  readonly durable: boolean
  /** Gets messages for people: recovery from a crash, a server that died. */
  readonly log: (message: string) => void
}

export interface EmbeddedPostgres {
  /** With the password: never to be logged. */
  readonly url: string
  readonly port: number
  readonly version: string
  /** Folder that holds the cluster, its log and its password file. */
  readonly home: string
  /** Name of the account that PostgreSQL runs as when that is not our own. */
  readonly account: string | undefined
  /** A command line for people, without the password. */
  readonly psql: string
  /** Stops the server and frees the data folder; safe to call twice. */
  stop(): Promise<void>
}

/**
 * Starts the embedded PostgreSQL, makes its cluster first if there is none. Throws StartRefusal when that is
 * impossible: no binaries for this machine, data of another major version, a folder in use or out of reach.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  makeDataDir(options.dataDir)
  const dataDir = realpathSync(options.dataDir)
  const unlock = await lockFolder(dataDir)
  try {
    const account = chooseAccount(rememberedHome(dataDir).cluster)
    const home = chooseHome(dataDir, account)
    const binaries = locateBinaries(home.dir, account)
    await stopLeftover(home.cluster, options.log)
    const password = await ensureCluster(home, binaries, account, options.durable)
    const server = await Server.start({ home, binaries, account, durable: options.durable, log: options.log })
    return describe(server, home, { password, version: binaries.version, account, unlock })
  } catch (error) {
    unlock()
    throw error
  }
}

/**
 * The address of the server that another process has started in this data folder; undefined when none accepts
 * connections.
 */
export function runningEmbeddedUrl(dataDir: string): string | undefined {
  if (!existsSync(dataDir)) return undefined
  const home = rememberedHome(realpathSync(dataDir))
  const port = livePort(home.cluster)
  const password = port === undefined ? undefined : readPassword(home)
  return port === undefined || password === undefined ? undefined : urlOf(password, port)
}

function urlOf(password: string, port: number): string {
  return `postgresql://${POSTGRES_NAME}:${password}@127.0.0.1:${port}/${POSTGRES_NAME}`
}

interface Facts {
  readonly password: string
  readonly version: string
  readonly account: Account | undefined
  readonly unlock: () => void
}

function describe(server: Server, home: Home, facts: Facts): EmbeddedPostgres {
  const { port } = server
  return {
    url: urlOf(facts.password, port),
    port,
    version: facts.version,
    home: home.dir,
    account: facts.account?.name,
    psql: `PGPASSFILE='${home.pgpass}' psql -h 127.0.0.1 -p ${port} -U ${POSTGRES_NAME} ${POSTGRES_NAME}`,
    stop: async () => {
      await server.stop()
      facts.unlock()
    },
  }
}

interface ServerOptions {
  readonly home: Home
  readonly binaries: Binaries
  readonly account: Account | undefined
  readonly durable: boolean
  readonly log: (message: string) => void
}

/** The running server: one port for its whole life, one postmaster after another. */
class Server {
  readonly port: number
  readonly #options: ServerOptions
  #postmaster: Postmaster
  #stopping: Promise<void> | undefined
  /** Ends when the current postmaster has ended and, if it was started again, that start is decided. */
  #upkeep: Promise<void> = Promise.resolve()
  readonly #abort = new AbortController()

  private constructor(options: ServerOptions, port: number, postmaster: Postmaster) {
    this.#options = options
    this.port = port
    this.#postmaster = postmaster
    this.#keepUp(postmaster)
  }

  /** Prefers the port of the last start, so that a psql command that was noted down keeps working. */
  static async start(options: ServerOptions): Promise<Server> {
    const { home } = options
    setLogAside(home.log)
    const last = existsSync(home.port) ? Number(readFileSync(home.port, 'utf8')) : 0
    // Another try: a program may take the port after our check, and the shared memory of a killed server is only free
    // when its last session has ended.
    const tries = 5
    for (let tried = 1; tried <= tries; tried += 1) {
      const port = await freePort(
        tried === 1 && Number.isInteger(last) && last > 0 && last < 65536 ? last : 0,
      )
      const postmaster = await startOnce(options, port)
      if (postmaster !== undefined) {
        writeFileSync(home.port, String(port))
        return new Server(options, port, postmaster)
      }
      await wait(tried * POSTGRES_RESTART_MS.min)
    }
    throw new StartRefusal(
      `the embedded PostgreSQL does not start; ${home.log} ends with:\n${lastLines(home.log)}`,
    )
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#abort.abort()
    await this.#postmaster.stop()
    await this.#upkeep
  }

  async #tryToStart(): Promise<Postmaster | undefined> {
    try {
      return await startOnce(this.#options, this.port)
    } catch (error) {
      // No descriptor, no memory, a full disk: the next try may succeed.
      this.#options.log(`PostgreSQL could not be started: ${(error as Error).message}`)
      return undefined
    }
  }

  #keepUp(postmaster: Postmaster): void {
    this.#upkeep = postmaster.ended.then(() => this.#restart())
  }

  async #restart(): Promise<void> {
    let backOffMs = POSTGRES_RESTART_MS.min
    while (this.#stopping === undefined) {
      this.#options.log(
        `PostgreSQL ended by itself; starting it again (${this.#options.home.log} may say why)`,
      )
      const postmaster = await this.#tryToStart()
      if (postmaster !== undefined) {
        this.#postmaster = postmaster
        // A stop during this start has only stopped the former postmaster.
        if (this.#abort.signal.aborted) await postmaster.stop()
        else this.#keepUp(postmaster)
        return
      }
      await wait(backOffMs, undefined, { signal: this.#abort.signal }).catch(() => undefined)
      backOffMs = Math.min(backOffMs * 2, POSTGRES_RESTART_MS.max)
    }
  }
}

async function startOnce(options: ServerOptions, port: number): Promise<Postmaster | undefined> {
  const log = openSync(options.home.log, 'a', 0o600)
  try {
    const { binaries, account, durable } = options
    return await startPostmaster({ binaries, account, cluster: options.home.cluster, port, log, durable })
  } finally {
    closeSync(log)
  }
}

function setLogAside(path: string): void {
  if (existsSync(path) && statSync(path).size > POSTGRES_LOG_MAX_BYTES) renameSync(path, `${path}.1`)
}

function lastLines(path: string): string {
  if (!existsSync(path)) return ''
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-5).join('\n')
}
