/** One connection: how a statement is sent on it, and a transaction. */
import pg from 'pg'
import type { Notice } from './notices.ts'
import { ANSWER_TIMEOUT_MS, NAMED_STATEMENTS_MAX, ROLLBACK_TIMEOUT_MS } from '../../domain/limits.ts'

interface Statement {
  readonly text: string
  /** A statement with a name is parsed and planned once per connection. */
  readonly name?: string
  readonly values?: unknown[]
}

/** Names of statements by their texts. */
const names = new Map<string, string>()

/** The statement as the driver takes it. */
export function statementOf(text: string, bindings: readonly unknown[]): Statement {
  // Without bindings it may be several.
  if (bindings.length === 0) return { text }
  const values = [...bindings]
  const known = names.get(text)
  if (known !== undefined) return { text, name: known, values }
  // There are as many texts of lists as combinations of filters and sort keys: the first ones are the usual ones.
  if (names.size >= NAMED_STATEMENTS_MAX) return { text, values }
  const name = `hm${names.size}`
  names.set(text, name)
  return { text, name, values }
}

/** SQLSTATEs with which PostgreSQL ends a session: they come before the connection closes. */
const ENDED = /^(?:57P0\d|08...)$/

/**
 * Sends a statement at once. Rejects with the driver's error, or when no answer came in time (0: no limit): the
 * connection is closed.
 */
export function send<Row>(
  connection: pg.Client,
  statement: Statement,
  timeoutMs: number,
): Promise<{ readonly rows: Row[]; readonly command: string }> {
  const { stream } = connection.connection
  // What is sent in one go leaves in one packet.
  stream.cork()
  process.nextTick(() => stream.uncork())
  return new Promise((resolve, reject) => {
    const late = () => {
      reject(new Error(`timeout expired: no answer within ${timeoutMs} ms`))
      // `end` would wait for the results of all statements in progress.
      stream.destroy()
    }
    const timer = timeoutMs > 0 ? setTimeout(late, timeoutMs) : undefined
    connection.query(statement, (error: Error | null, result: unknown) => {
      clearTimeout(timer)
      if (!error) return resolve(result as { rows: Row[]; command: string })
      if ('code' in error && ENDED.test(String(error.code))) stream.destroy()
      // For the log: the statement without its values.
      reject(Object.assign(error, { sql: statement.text }))
    })
  })
}

/** SQLSTATE of a statement in a transaction that has failed already. */
const IN_FAILED_TRANSACTION = '25P02'

function isConsequence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === IN_FAILED_TRANSACTION
}

/** Settings of one transaction, by their names: readers of them are triggers. */
export type TxSettings = Readonly<Record<string, string>>

/** BEGIN with the settings of the transaction: as one text, it is one message. */
function beginWith(settings: TxSettings): string {
  const sets = Object.entries(settings).map(
    ([name, value]) => `; set local ${name} = ${pg.escapeLiteral(value)}`,
  )
  return `begin${sets.join('')}`
}

/**
 * A transaction on one connection. BEGIN is sent with the first statement, and `commitWith` sends COMMIT with the last
 * ones: on a busy machine, waiting for a round trip costs more than the statement.
 */
export class Tx {
  readonly #connection: pg.Client
  readonly #assertWanted: () => void
  readonly #begun: Promise<unknown>
  readonly #notices: Notice[] = []
  #committed: Promise<void> | undefined

  constructor(connection: pg.Client, assertWanted: () => void, settings: TxSettings = {}) {
    this.#connection = connection
    this.#assertWanted = assertWanted
    this.#begun = send(connection, { text: beginWith(settings) }, ANSWER_TIMEOUT_MS)
    // The caller of the statement gets the error.
    this.#begun.catch(() => undefined)
  }

  /** Notifications that are sent when it is committed (notices.ts). */
  get notices(): readonly Notice[] {
    return this.#notices
  }

  tellAfterCommit(channel: string, payload: string): void {
    this.#notices.push({ channel, payload })
  }

  async run<Row>(sql: string, bindings: readonly unknown[], timeoutMs: number): Promise<Row[]> {
    if (this.#committed !== undefined) throw new Error('the transaction is committed already')
    const sent = send<Row>(this.#connection, statementOf(sql, bindings), timeoutMs)
    try {
      const [, { rows }] = await Promise.all([this.#begun, sent])
      return rows
    } catch (error) {
      // Of statements that run together, the error of the one that failed comes first.
      if (isConsequence(error)) await new Promise((resolve) => setImmediate(resolve))
      throw error
    }
  }

  /**
   * Sends COMMIT after the last statements, which `last` sends without waiting. If one of them fails, the transaction
   * is rolled back, and this rejects with its error.
   */
  async commitWith<Results>(last: () => Promise<Results>): Promise<Results> {
    const results = last()
    const committed = this.commit()
    committed.catch(() => undefined)
    const given = await results
    await committed
    return given
  }

  /** Resolves when it is on disk; a second call does nothing. */
  async commit(): Promise<void> {
    if (this.#committed === undefined) {
      this.#assertWanted()
      this.#committed = this.#commit()
    }
    await this.#committed
  }

  async #commit(): Promise<void> {
    const ended = send(this.#connection, { text: 'commit' }, ANSWER_TIMEOUT_MS)
    const [, { command }] = await Promise.all([this.#begun, ended])
    if (command !== 'COMMIT') throw new Error('the transaction was undone: a statement in it had failed')
  }

  /**
   * Rolls back what was not committed. Never rejects: a connection that does not answer is closed, which also rolls
   * back.
   */
  async rollback(): Promise<void> {
    if (this.#committed !== undefined) {
      await this.#committed.catch(() => undefined)
      return
    }
    this.#committed = Promise.resolve()
    await send(this.#connection, { text: 'rollback' }, ROLLBACK_TIMEOUT_MS).catch(() => undefined)
  }
}
