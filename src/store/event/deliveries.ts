/** The positions of receivers: up to which event each one was given them. */
import { type Db, query } from '../connection/database.ts'

/** The position of a receiver; a new one begins with the next event. */
export async function receiverPosition(db: Db, receiver: string): Promise<number> {
  const [row] = await query<{ position: number }>(
    db,
    `with made as (
       insert into delivery (receiver, position)
       select $1, greatest((select coalesce(max(position), 0) from event), (select purged_to from event_retention))
       on conflict (receiver) do nothing returning position
     )
     select position from made union all select position from delivery where receiver = $1`,
    [receiver],
  )
  if (row === undefined) throw new Error(`receiver ${receiver} has no position`)
  return row.position
}

/** Notes that a receiver was given every event up to a position; never goes back. */
export async function advanceReceiver(db: Db, receiver: string, position: number): Promise<void> {
  await query(db, 'update delivery set position = $2 where receiver = $1 and position < $2', [
    receiver,
    position,
  ])
}

/** Events that a receiver was not given yet, and how long ago the oldest of them happened, in seconds. */
export interface ReceiverLag {
  readonly receiver: string
  readonly events: number
  readonly seconds: number
}

export async function readReceiverLags(db: Db): Promise<readonly ReceiverLag[]> {
  return await query<ReceiverLag>(
    db,
    `select d.receiver, greatest(0, newest.position - d.position)::float8 as events,
       coalesce(extract(epoch from clock_timestamp() - oldest.at), 0)::float8 as seconds
     from delivery d
     cross join (select coalesce(max(position), 0) as position from event) newest
     left join lateral (select at from event where position > d.position order by position limit 1) oldest on true
     order by d.receiver`,
  )
}
