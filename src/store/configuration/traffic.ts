/** Traffic seen on a pool: a latch, for intervals that hold until then. */
import { CONFIG_CHANNEL } from '../probing/config-channel.ts'
import { type Db, query } from '../connection/database.ts'

/** Stores that traffic was seen, and notifies probers the first time; it is never reset. */
export async function noteTraffic(db: Db, poolId: string): Promise<void> {
  await query(
    db,
    `with noted as (
       update pool set traffic_seen_at = now(), config_version = config_version + 1
       where id = $1 and traffic_seen_at is null returning shard
     )
     select pg_notify('${CONFIG_CHANNEL}', shard::text) from noted`,
    [poolId],
  )
}
