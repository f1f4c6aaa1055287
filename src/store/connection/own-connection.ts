/** A connection that is in no pool: what it does lasts as long as its session. */
import pg from 'pg'
import { ACQUIRE_TIMEOUT_MS } from '../../domain/limits.ts'
import { connectionUrl, type DatabaseUrl } from './connection-url.ts'

/** Not connected yet. */
export function ownConnection({
  url,
  applicationName,
}: {
  readonly url: DatabaseUrl
  readonly applicationName: string
}): pg.Client {
  return new pg.Client({
    connectionString: connectionUrl(url),
    application_name: applicationName,
    keepAlive: true,
    connectionTimeoutMillis: ACQUIRE_TIMEOUT_MS,
  })
}
