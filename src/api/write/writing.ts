/** The transaction of a request that writes; what it changes becomes events that say who sent it. */
import { type Database, query, transaction, type Tx } from '../../store/connection/database.ts'
import type { ApiContext } from '../http/context.ts'

/** As `transaction`. */
export async function writing<Result>(
  ctx: ApiContext,
  { db }: { readonly db: Database },
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  return await transaction(db, async (tx) => {
    const named = query(tx, `select set_config('healthmonitor.request', $1, true)`, [requestOf(ctx)])
    // Where this fails, so does every statement after it, and the caller of those gets the error.
    named.catch(() => undefined)
    return await work(tx)
  })
}

/** Ids only: events are read by the whole project. */
function requestOf({ state: { requestId, identity } }: ApiContext): string {
  return JSON.stringify({
    request_id: requestId,
    project_id: identity.projectId,
    ...(identity.userId === undefined ? {} : { user_id: identity.userId }),
  })
}
