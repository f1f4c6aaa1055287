/** The transaction of a request that writes; what it changes becomes events that say who sent it. */
import { type Database, transaction, type Tx } from '../../store/connection/database.ts'
import { OUTBOX_CHANNEL } from '../../store/event/event-channels.ts'
import { ParentIsLockedError } from '../../store/configuration/parents.ts'
import type { ApiContext } from '../http/context.ts'

/** As `transaction`. Throws IMMUTABLE where others have locked a parent for too long. */
export async function writing<Result>(
  ctx: ApiContext,
  { db }: { readonly db: Database },
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  const settings = {
    'healthmonitor.request': requestOf(ctx),
    'healthmonitor.tells': 'on',
    // A session keeps the plans of triggers and foreign keys: made while a table was tiny, they would walk it for each
    // row that is written, until the table is analyzed again.
    enable_seqscan: 'off',
  }
  const written = transaction(
    db,
    async (tx) => {
      // Triggers write the events; they leave the notification to this.
      tx.tellAfterCommit(OUTBOX_CHANNEL, '')
      return await work(tx)
    },
    { settings },
  )
  return await written.catch(async (error: unknown) => {
    throw error instanceof ParentIsLockedError ? await error.refusal(db) : error
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
