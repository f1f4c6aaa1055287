/**
 * A lease of the whole service: an advisory lock of a session of its own. It ends with the session, so the lease of a
 * killed process is free at once. A frozen process does not renew it: PostgreSQL 14 and newer then ends the session.
 */
import type { DatabaseUrl } from './connection-url.ts'
import { ownConnection } from './own-connection.ts'
import { send } from './session.ts'

export interface LeaseSession {
  /** Whether this session has the lease now; it keeps it until it ends. */
  take(): Promise<boolean>
  /** Renews the lease. Rejects when the session does not answer. */
  renew(): Promise<void>
  /** Releases the lease. */
  end(): Promise<void>
  /** Closes the connection at once, without a message to PostgreSQL. */
  destroy(): void
}

export interface LeaseOptions {
  readonly url: DatabaseUrl
  readonly applicationName: string
  readonly key: number
  /** Milliseconds without a statement after which PostgreSQL ends the session. */
  readonly sessionMs: number
  /** Milliseconds without an answer after which the session counts as lost. */
  readonly answerMs: number
}

/** Opens a session. `onEnd` is called once when it has ended, for whatever reason. Rejects when it cannot connect. */
export async function openLease(options: LeaseOptions, onEnd: () => void): Promise<LeaseSession> {
  const client = ownConnection(options)
  let hasEnded = false
  client.on('error', () => undefined)
  client.once('end', () => {
    hasEnded = true
    onEnd()
  })
  const destroy = (): void => void client.connection.stream.destroy()
  const run = <Row>(text: string, values: unknown[] = []) =>
    send<Row>(client, values.length === 0 ? { text } : { text, values }, options.answerMs)
  try {
    await client.connect()
    await run(`select set_config(name, $1, false) from pg_settings where name = 'idle_session_timeout'`, [
      String(options.sessionMs),
    ])
  } catch (error) {
    destroy()
    throw error
  }
  return {
    take: async () => {
      const { rows } = await run<{ mine: boolean }>('select pg_try_advisory_lock($1) as mine', [options.key])
      return rows[0]?.mine === true
    },
    renew: async () => void (await run('select')),
    end: async () => {
      if (!hasEnded) await run('select pg_advisory_unlock_all()').catch(() => undefined)
      destroy()
    },
    destroy,
  }
}
