/** The server and the template that the integration tests of a run share. */
import { openDatabase, query } from '../../src/store/connection/database.ts'
import { createTemplate, dropDatabase, testServer } from '../../test/support/postgres.ts'

export interface Databases {
  readonly environment: NodeJS.ProcessEnv
  /** Drops what tests that were ended have left. */
  sweep(): Promise<void>
  stop(): Promise<void>
}

export async function startDatabases(): Promise<Databases> {
  const server = await testServer()
  const template = `hm_template_${process.pid}`
  await createTemplate(server.url, template)
  const db = openDatabase({ url: server.url, applicationName: 'mutation', maxConnections: 1 })
  const sweep = async (): Promise<void> => {
    const left = await query<{ datname: string }>(
      db,
      String.raw`select datname::text from pg_database where datname like 'hm\_test\_%'`,
    )
    for (const { datname } of left) await dropDatabase(server.url, datname)
  }
  return {
    environment: { TEST_DATABASE_URL: server.url, TEST_DATABASE_TEMPLATE: template },
    sweep,
    stop: async () => {
      await sweep()
      await db.destroy()
      await dropDatabase(server.url, template)
      await server.stop()
    },
  }
}
