/** The pools of a mesh by their keys: what was wanted of them when they were written, and which inbounds they have. */
import { type Tx, query } from '../connection/database.ts'

/** Key of a pool → digest of all that was wanted of it; `scopeId`: the row that its pools share. */
export async function readPoolDigests(tx: Tx, scopeId: string): Promise<ReadonlyMap<string, string>> {
  const rows = await query<{ key: string; digest: string | null }>(
    tx,
    `select door_key as key, echo->>'digest' as digest from pool where load_balancer_id = $1`,
    [scopeId],
  )
  return new Map(rows.map(({ key, digest }) => [key, digest ?? '']))
}

/** The keys of the pools in which one of these inbounds (`dataplane:port`) is probed. */
export async function readKeysOfPoolsWith(
  tx: Tx,
  scopeId: string,
  inbounds: readonly string[],
): Promise<readonly string[]> {
  if (inbounds.length === 0) return []
  const rows = await query<{ key: string }>(
    tx,
    `select distinct p.door_key as key from pool p join member m on m.pool_id = p.id
     where p.load_balancer_id = $1 and jsonb_exists_any(m.echo->'inbounds', $2)`,
    [scopeId, inbounds],
  )
  return rows.map(({ key }) => key)
}
