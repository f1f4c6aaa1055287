/** `healthmonitor migrate`: brings the schema to this version, and ends. */
import { parseConfig } from '../../runtime/config.ts'
import { createLog } from '../../runtime/log.ts'
import { migrate as migrateSchema, neededDatabaseUrl, openReadyDatabase } from '../process/database.ts'

/** Resolves when the schema is this version's. Throws StartRefusal, or SchemaTooNewError. */
export async function migrate(environment: NodeJS.ProcessEnv): Promise<void> {
  const config = parseConfig(environment)
  const url = neededDatabaseUrl(config, 'migrate')
  const log = createLog({ level: config.logLevel, process: 'migrate' })
  const db = await openReadyDatabase(url, 'healthmonitor migrate', 1, log)
  try {
    const applied = await migrateSchema(db, url, log)
    process.stdout.write(
      applied.length === 0 ? 'the schema is up to date\n' : `applied: ${applied.join(', ')}\n`,
    )
  } finally {
    await db.destroy()
  }
}
