/**
 * The database of commands that a person runs beside the service: that of DATABASE_URL, else the embedded one of
 * HM_DATA_DIR. If a service runs on that, the command connects to it; else it is started for the time of the command.
 */
import { existsSync } from 'node:fs'
import type { Config } from '../../runtime/config/config.ts'
import { runningEmbeddedUrl, startEmbeddedPostgres } from '../../runtime/embedded/embedded-postgres.ts'
import type { Log } from '../../runtime/output/log.ts'
import { StartRefusal } from '../../runtime/start-refusal.ts'
import type { Source } from '../../store/backup/backup.ts'
import { openReadyDatabase } from './database.ts'

/**
 * Runs `work` on it. With `mayMake` an embedded one is made where there is none; else that is a StartRefusal, as is a
 * server that cannot be used.
 */
export async function withOwnDatabase<Result>(
  config: Config,
  {
    command,
    log,
    mayMake = false,
  }: { readonly command: string; readonly log: Log; readonly mayMake?: boolean },
  work: (source: Source) => Promise<Result>,
): Promise<Result> {
  const { url, stop } = await ownServer(config, command, mayMake)
  try {
    const applicationName = `healthmonitor ${command}`
    const db = await openReadyDatabase({ url, applicationName, maxConnections: 1, log })
    try {
      return await work({ url, db })
    } finally {
      await db.destroy()
    }
  } finally {
    await stop()
  }
}

interface OwnServer {
  readonly url: string
  readonly stop: () => Promise<void>
}

async function ownServer(config: Config, command: string, mayMake: boolean): Promise<OwnServer> {
  const nothing = () => Promise.resolve()
  if (config.databaseUrl !== undefined) return { url: config.databaseUrl, stop: nothing }
  if (!mayMake && !existsSync(config.dataDir)) {
    throw new StartRefusal(
      `${command} finds no database: there is no ${config.dataDir}. Start healthmonitor serve first, or set HM_DATA_DIR or DATABASE_URL`,
    )
  }
  const running = runningEmbeddedUrl(config.dataDir)
  if (running !== undefined) return { url: running, stop: nothing }
  const server = await startEmbeddedPostgres({ dataDir: config.dataDir, durable: true, log: () => undefined })
  return { url: server.url, stop: () => server.stop() }
}
