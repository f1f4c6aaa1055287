/** `healthmonitor migrate`: brings the schema to this version, and ends. */
import { parseConfig } from '../../runtime/config/config.ts'
import { createLog } from '../../runtime/output/log.ts'
import { migrate, neededDatabaseUrl, openReadyDatabase } from '../process/database.ts'
import { processCommand } from './process-command.ts'

export const migrateCommand = processCommand({
  summary: 'brings the database to the schema of this version, and ends (needs DATABASE_URL)',
  about: 'Brings the database to the schema of this version, and ends.',
  needsDatabaseAs: 'migrate',
  run: migrateAndReport,
  ends: true,
})

/** Resolves when the schema is this version's. Throws StartRefusal, or SchemaTooNewError. */
async function migrateAndReport(environment: NodeJS.ProcessEnv): Promise<void> {
  const config = parseConfig(environment)
  const url = neededDatabaseUrl(config, 'migrate')
  const log = createLog({ level: config.logLevel, process: 'migrate' })
  const db = await openReadyDatabase({
    url,
    applicationName: 'healthmonitor migrate',
    maxConnections: 1,
    log,
  })
  try {
    const applied = await migrate(db, url, log)
    process.stdout.write(
      applied.length === 0 ? 'the schema is up to date\n' : `applied: ${applied.join(', ')}\n`,
    )
  } finally {
    await db.destroy()
  }
}
