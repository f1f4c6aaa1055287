/**
 * The connection to PostgreSQL: statements, transactions with retries, and the meaning of the driver's errors. All
 * other files of `store/` contain statements.
 */
import { DomainError } from '../../domain/errors.ts'
import {
  ANSWER_TIMEOUT_MS,
  TRANSACTION_PAUSE_MS,
  TRANSACTION_TIMEOUT_MS,
  TRANSACTION_TRIES,
} from '../../domain/limits.ts'
import { ConnectionPool, type DatabaseOptions, NoConnectionError } from './connection-pool.ts'
import { send, statementOf, Tx, type TxSettings } from './session.ts'

export { type DatabaseOptions, NoConnectionError } from './connection-pool.ts'
export { Tx } from './session.ts'

/** A pool of connections; `destroy` closes them. */
export type Database = ConnectionPool
/** A pool of connections or one transaction: every statement of the store takes either. */
export type Db = Database | Tx

/** Opens a pool; connects on the first statement. Close with `db.destroy()`. */
export function openDatabase(options: DatabaseOptions): Database {
  return new ConnectionPool(options)
}

/**
 * Rows of a statement; `$1`, `$2` and so on are the bindings. A connection that gives no answer within `timeoutMs` (its
 * network is gone: the statement's own limit is the server's) is thrown away.
 *
 * In a transaction the statement is sent before this returns, so several can be in progress together. Outside of one, a
 * statement that a deadlock ends is sent again.
 */
export async function query<Row>(
  db: Db,
  sql: string,
  bindings: readonly unknown[] = [],
  timeoutMs = ANSWER_TIMEOUT_MS,
): Promise<Row[]> {
  if (db instanceof Tx) return await db.run<Row>(sql, bindings, timeoutMs)
  // Also one that only reads: a migration takes locks on tables.
  return await retried(async () => {
    const connection = await db.acquire()
    try {
      return (await send<Row>(connection, statementOf(sql, bindings), timeoutMs)).rows
    } finally {
      db.release(connection)
    }
  })
}

/** SQLSTATEs after which the same transaction may succeed: serialization failure, deadlock. */
const RETRYABLE = new Set(['40001', '40P01'])

/**
 * Runs one transaction, again after a deadlock or a serialization failure (at most `TRANSACTION_TRIES` times, with a
 * growing random pause). `work` must have no effects but its statements. Throws STORE_UNAVAILABLE when PostgreSQL is
 * silent for longer than a transaction may take. What it tells (`tellAfterCommit`) is sent when it is committed.
 */
export async function transaction<Result>(
  db: Database,
  work: (tx: Tx) => Promise<Result>,
  options: TransactionOptions = {},
): Promise<Result> {
  return await retried(() => boundedTransaction(db, work, options))
}

/**
 * Runs statements that only read on one connection, so that a request never holds more than the one that it was admitted
 * for. They are sent without waiting for each other (`Promise.all`). In a transaction they are part of it.
 */
export async function onOneConnection<Result>(db: Db, read: (tx: Tx) => Promise<Result>): Promise<Result> {
  return await (db instanceof Tx ? read(db) : transaction(db, read))
}

/** As `onOneConnection`, of one moment: what others commit meanwhile is in none of the statements. */
export async function ofOneMoment<Result>(db: Database, read: (tx: Tx) => Promise<Result>): Promise<Result> {
  return await transaction(db, async (tx) => {
    await query(tx, 'set transaction isolation level repeatable read, read only')
    return await read(tx)
  })
}

export interface TransactionOptions {
  /** Absent = TRANSACTION_TIMEOUT_MS. */
  readonly timeoutMs?: number
  readonly settings?: TxSettings
}

/** Runs something that a deadlock or a serialization failure undoes, and repeats it as `transaction` does. */
export async function retried<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= TRANSACTION_TRIES || !RETRYABLE.has(sqlState(error) ?? '')) throw error
      const pauseMs = Math.random() * TRANSACTION_PAUSE_MS * 2 ** attempt
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
}

/**
 * One attempt. A frozen server answers neither BEGIN nor COMMIT, and the driver would wait for ever: after `timeoutMs`
 * the caller gets an error, and the transaction is rolled back when the server answers again.
 */
async function boundedTransaction<Result>(
  db: Database,
  work: (tx: Tx) => Promise<Result>,
  { timeoutMs = TRANSACTION_TIMEOUT_MS, settings }: TransactionOptions,
): Promise<Result> {
  let isAbandoned = false
  const silent = () => new DomainError('STORE_UNAVAILABLE', 'the database does not answer')
  const assertWanted = () => {
    if (isAbandoned) throw silent()
  }
  const running = runTransaction(db, work, { assertWanted, settings })
  let timer: NodeJS.Timeout | undefined
  const abandoned = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      isAbandoned = true
      running.catch(() => undefined)
      reject(silent())
    }, timeoutMs)
  })
  try {
    return await Promise.race([running, abandoned])
  } finally {
    clearTimeout(timer)
  }
}

interface Attempt {
  /** Throws when the caller has stopped waiting. */
  readonly assertWanted: () => void
  readonly settings: TxSettings | undefined
}

async function runTransaction<Result>(
  db: Database,
  work: (tx: Tx) => Promise<Result>,
  { assertWanted, settings }: Attempt,
): Promise<Result> {
  const connection = await db.acquire()
  try {
    assertWanted()
    const tx = new Tx(connection, assertWanted, settings)
    try {
      const result = await work(tx)
      await tx.commit()
      db.notices.tell(tx.notices)
      return result
    } catch (error) {
      await tx.rollback()
      throw error
    }
  } finally {
    db.release(connection)
  }
}

/** The five-character SQLSTATE of a driver error, if it has one. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

/** Name of the violated constraint or unique index, if that is what the error is. */
export function violatedConstraint(error: unknown): string | undefined {
  const state = sqlState(error)
  if (state !== '23505' && state !== '23503') return undefined
  const constraint = error instanceof Error && 'constraint' in error ? error.constraint : undefined
  return typeof constraint === 'string' ? constraint : undefined
}

const SOCKET_ERRORS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  // Faults of our own host: no descriptor, no memory, no source port, no network.
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EADDRNOTAVAIL',
  'ENETUNREACH',
  'ENETDOWN',
])
/** Connection exceptions, shutdown, start-up, no free connection, read-only standby, statement timeout. */
const AWAY_STATES = /^(08...|57P0[1-5]|53[0-9A-Z]{3}|25006|57014)$/

/** Whether an error means that PostgreSQL is away (or too slow to be useful), as opposed to a refused statement. */
export function isStoreAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof AggregateError) return error.errors.some(isStoreAway)
  if (error instanceof NoConnectionError) return true
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (SOCKET_ERRORS.has(code) || AWAY_STATES.test(code)) return true
  return /Connection terminated|Client has encountered a connection error|timeout expired|not queryable/.test(
    error.message,
  )
}

/** Why PostgreSQL is away, for an operator: no stack, no internal messages of the pool. */
export function whyAway(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof AggregateError) return error.errors.map(whyAway).join('; ')
  return error.message
}

/** The refusal for a driver error; undefined for errors that are our own bug. */
export function storeRefusal(error: unknown): DomainError | undefined {
  if (isStoreAway(error)) {
    return new DomainError('STORE_UNAVAILABLE', 'the database is not available', {}, { cause: error })
  }
  const state = sqlState(error)
  if (state === '55P03' || (state !== undefined && RETRYABLE.has(state))) {
    return new DomainError(
      'CONFLICT',
      'the resource is being changed by another request',
      {},
      { cause: error },
    )
  }
  return undefined
}
