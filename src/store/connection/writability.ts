/** Whether PostgreSQL accepts writes, tested without leaving rows. */
import { type Database, query, transaction } from './database.ts'

/**
 * Whether a write of the API would be taken: false on a standby and while transactions are read-only. Rejects as a write would when
 * nothing more can be written: rows that do not fit into a statement's memory need room in the data folder, and a message
 * in the write-ahead log, which nobody reads, has to reach the disk before the commit is answered.
 */
export async function takesWrites(db: Database): Promise<boolean> {
  return await transaction(db, async (tx) => {
    const [, rows] = await Promise.all([
      query(tx, `set local work_mem = '64kB'`),
      query<{ takesWrites: boolean }>(
        tx,
        `select current_setting('transaction_read_only') = 'off' as "takesWrites", count(*) from generate_series(1, 5000)`,
      ),
    ])
    if (rows[0]?.takesWrites !== true) return false
    await query(tx, `select pg_logical_emit_message(true, 'healthmonitor', 'writes are taken')`)
    return true
  })
}
