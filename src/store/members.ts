/** Statements on members. */
import { type Db, query } from './database.ts'

/** The distinct addresses of a pool's members. */
export async function addressesOfPool(db: Db, poolId: string): Promise<string[]> {
  const rows = await query<{ address: string }>(db, 'select distinct address from member where pool_id = ?', [
    poolId,
  ])
  return rows.map((row) => row.address)
}
