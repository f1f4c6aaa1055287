/** Statements on the tags of load balancers and listeners, which have paths of their own. */
import type { Tag } from '../../domain/types.ts'
import { isLbaas } from '../door/lbaas-only.ts'
import { type Db, type Tx, query } from '../connection/database.ts'

export type Tagged = 'loadbalancer' | 'listener'

const TABLES: Readonly<Record<Tagged, string>> = { loadbalancer: 'load_balancer', listener: 'listener' }
/** Doors have no listeners. */
const ONLY: Readonly<Record<Tagged, string>> = { loadbalancer: isLbaas('load_balancer'), listener: 'true' }

export interface TaggedKey {
  readonly resource: Tagged
  readonly id: string
  readonly projectId: string
}

/** The tags of an object of the project; undefined when there is no such object. */
export async function findTags(db: Db, key: TaggedKey): Promise<readonly Tag[] | undefined> {
  const rows = await query<{ tags: Tag[] }>(
    db,
    `select tags from ${TABLES[key.resource]} where id = $1 and project_id = $2 and ${ONLY[key.resource]}`,
    [key.id, key.projectId],
  )
  return rows[0]?.tags
}

/** As `findTags`, with a lock on the object until commit. */
export async function lockTags(tx: Tx, key: TaggedKey): Promise<readonly Tag[] | undefined> {
  const rows = await query<{ tags: Tag[] }>(
    tx,
    `select tags from ${TABLES[key.resource]} where id = $1 and project_id = $2 and ${ONLY[key.resource]} for no key update`,
    [key.id, key.projectId],
  )
  return rows[0]?.tags
}

export async function writeTags(tx: Tx, key: TaggedKey, tags: readonly Tag[]): Promise<void> {
  await query(
    tx,
    `update ${TABLES[key.resource]} set tags = $1::jsonb, updated_at = now() where id = $2 and project_id = $3`,
    [JSON.stringify(tags), key.id, key.projectId],
  )
}
