/** A process that starts an embedded PostgreSQL, says so, and waits to be killed: argv = data folder. */
import { startEmbeddedPostgres } from '../../src/runtime/embedded/embedded-postgres.ts'

const postgres = await startEmbeddedPostgres({
  dataDir: process.argv[2] ?? '',
  durable: false,
  log: () => undefined,
})
process.stdout.write(`${postgres.url}\n`)
setInterval(() => undefined, 60_000)
