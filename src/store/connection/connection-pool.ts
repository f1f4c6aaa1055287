/** The connections to PostgreSQL of one process or part of it: how they are opened, acquired, released and closed. */
import pg from 'pg'
import {
  ACQUIRE_TIMEOUT_MS,
  ANSWER_TIMEOUT_MS,
  CLOSE_TIMEOUT_MS,
  IDLE_CONNECTION_MS,
  LOCK_TIMEOUT_MS,
  STATEMENT_TIMEOUT_MS,
} from '../../domain/limits.ts'
import { columnTypes } from './column-types.ts'
import { connectionUrl, type DatabaseUrl } from './connection-url.ts'
import { type Notice, Notices } from './notices.ts'
import { send, statementOf } from './session.ts'

export interface DatabaseOptions {
  readonly url: DatabaseUrl
  /** Shown in pg_stat_activity. */
  readonly applicationName: string
  readonly maxConnections: number
  /** Milliseconds that an idle connection is kept; infinite for one whose session holds a lock. Default IDLE_CONNECTION_MS. */
  readonly idleMs?: number
  /**
   * Its statements look rows up by index, also where a table is known to be tiny; absent = the planner decides. For
   * statements that a session keeps prepared: made when there were a few members, a plan that walks the table for each
   * of 1 000 rows lasts until the table is analyzed again, while a pool of 50 000 members is being probed.
   */
  readonly isByIndex?: boolean
}

/** No connection was free, or the server accepted no new one, for ACQUIRE_TIMEOUT_MS. */
export class NoConnectionError extends Error {
  constructor(cause: unknown) {
    super(`no connection within ${ACQUIRE_TIMEOUT_MS} ms`, { cause })
    this.name = 'NoConnectionError'
  }
}

/** PostgreSQL's own default, 4, is for spinning disks. */
const RANDOM_PAGE_COST = 1.1

/**
 * Every statement has a limit for waiting and running. JIT is off: only the estimated cost of the roll-up is high, and
 * compiling it takes longer (100 ms) than running it. Random reads are cheap, so that indexes are preferred to full
 * scans: the data is in memory or on an SSD.
 */
export const SESSION_SETTINGS = `set lock_timeout = ${LOCK_TIMEOUT_MS}; set statement_timeout = ${STATEMENT_TIMEOUT_MS};
  set timezone = 'UTC'; set jit = off; set random_page_cost = ${RANDOM_PAGE_COST}`

const BY_INDEX = '; set enable_seqscan = off'

/** Messages of the driver when its own limit, which we set, has passed: in the queue, and while connecting. */
const TOO_LATE =
  /^(?:timeout exceeded when trying to connect|Connection terminated due to connection timeout|timeout expired)$/

/** Without a flush of the log: it is no harm to lose one in a crash. */
const NOTIFY = `select set_config('synchronous_commit', 'off', true), pg_notify(n.channel, n.payload)
  from unnest($1::text[], $2::text[]) n (channel, payload)`

/** A pool of connections, made when they are needed. Every one that was acquired has to be released. */
export class ConnectionPool {
  /** What transactions tell when they are committed. */
  readonly notices = new Notices((notices) => this.#notify(notices))
  readonly #pool: pg.Pool
  readonly #url: DatabaseUrl
  /** Those that have not been closed. */
  readonly #open = new Set<pg.PoolClient>()
  #destroyed: Promise<void> | undefined

  constructor(options: DatabaseOptions) {
    const { url, applicationName, maxConnections, idleMs = IDLE_CONNECTION_MS, isByIndex = false } = options
    const settings = isByIndex ? SESSION_SETTINGS + BY_INDEX : SESSION_SETTINGS
    this.#url = url
    this.#pool = new pg.Pool({
      connectionString: connectionUrl(url),
      application_name: applicationName,
      keepAlive: true,
      connectionTimeoutMillis: ACQUIRE_TIMEOUT_MS,
      // The pool takes 0 for never.
      idleTimeoutMillis: Number.isFinite(idleMs) ? idleMs : 0,
      max: maxConnections,
      // Pipelining: independent statements are sent without waiting for each other's results.
      pipeline: true,
      types: columnTypes,
      // Its types do not say so, but the driver waits for it (brianc/node-postgres#3620).
      // oxlint-disable-next-line typescript/no-misused-promises -- see above
      onConnect: (connection) => send(connection as pg.Client, { text: settings }, ACQUIRE_TIMEOUT_MS),
    })
    // An idle connection that breaks needs no action; during a statement, the statement rejects.
    this.#pool.on('error', () => undefined)
    this.#pool.on('connect', (connection) => {
      this.#open.add(connection)
      connection.on('error', () => undefined)
    })
    this.#pool.on('remove', (connection) => this.#open.delete(connection))
  }

  /** Acquires a connection. Rejects with NoConnectionError, or with the reason why none can be opened. */
  async acquire(): Promise<pg.PoolClient> {
    // The pool makes each connection by its options as they are then.
    this.#pool.options.connectionString = connectionUrl(this.#url)
    try {
      return await this.#pool.connect()
    } catch (error) {
      throw error instanceof Error && TOO_LATE.test(error.message) ? new NoConnectionError(error) : error
    }
  }

  /** Releases a connection. One whose socket is destroyed is not used again. */
  release(connection: pg.PoolClient): void {
    connection.release(connection.connection.stream.destroyed)
  }

  /**
   * Closes the connections, those in use when they are released, and resolves when PostgreSQL has closed all of them.
   * One that does not close within CLOSE_TIMEOUT_MS is destroyed.
   */
  destroy(): Promise<void> {
    this.#destroyed ??= this.#destroy()
    return this.#destroyed
  }

  async #notify(notices: readonly Notice[]): Promise<void> {
    const connection = await this.acquire()
    try {
      const columns = [notices.map(({ channel }) => channel), notices.map(({ payload }) => payload)]
      await send(connection, statementOf(NOTIFY, columns), ANSWER_TIMEOUT_MS)
    } finally {
      this.release(connection)
    }
  }

  async #destroy(): Promise<void> {
    await this.notices.close()
    // Resolves when all were released; they are closing then.
    await this.#pool.end()
    const timer = setTimeout(() => {
      for (const { connection } of this.#open) connection.stream.destroy()
    }, CLOSE_TIMEOUT_MS)
    await new Promise<void>((resolve) => {
      const resolveWhenClosed = () => {
        if (this.#open.size === 0) resolve()
      }
      this.#pool.on('remove', resolveWhenClosed)
      resolveWhenClosed()
    })
    clearTimeout(timer)
  }
}
