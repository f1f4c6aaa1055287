/** `healthmonitor dump` and `restore`: the service's tables into a file and back, without PostgreSQL's own programs. */
import { createReadStream, createWriteStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { PassThrough, pipeline as joined, type Writable } from 'node:stream'
import { createGunzip, createGzip } from 'node:zlib'
import { parseConfig } from '../../runtime/config/config.ts'
import { createLog } from '../../runtime/output/log.ts'
import { Progress } from '../../runtime/output/progress.ts'
import { StartRefusal } from '../../runtime/start-refusal.ts'
import { type Counts, dumpTo, type OnCopied, RestoreRefusal, restoreFrom } from '../../store/backup/backup.ts'
import { type Command, parseFlags } from '../command-line.ts'
import { assertSchemaCurrent, migrate } from '../process/database.ts'
import { withOwnDatabase } from '../process/own-database.ts'
import { version } from '../version.ts'

const ONE_FILE = { min: 1, max: 1, named: 'FILE' }
const FILE_WORD = [{ name: 'FILE', isFile: true }] as const

export const dumpCommand: Command = {
  summary: 'writes all objects, statuses and transitions into a file',
  about: [
    'Writes all objects, statuses, transitions and quotas into a new FILE, as they are at one moment. The service may run meanwhile. If the name ends in .gz, the file is compressed. The database is that of DATABASE_URL, else the embedded one of HM_DATA_DIR.',
    'The file contains what monitors send, Authorization headers included, so only its owner may read it. "healthmonitor restore" of this version or a newer one reads it. psql can load it too, all of it or nothing, into an empty database that "healthmonitor migrate" of the same version has prepared and that no service uses.',
  ],
  words: FILE_WORD,
  run: async (args, environment) => {
    const file = parseFlags(args, {}, ONE_FILE).words[0] ?? ''
    const config = parseConfig(environment)
    const log = createLog({ level: config.logLevel, process: 'dump' })
    const counts = await withOwnDatabase(config, { command: 'dump', log }, async (source) => {
      await assertSchemaCurrent(source.db)
      const progress = new Progress()
      const onCopied: OnCopied = (table, position, count, bytes) =>
        progress.show(`dump: table ${position} of ${count}, ${table}; ${megabytes(bytes)} MB`, table)
      return await intoFile(file, (out) => dumpTo(source, out, { version, onCopied })).finally(() =>
        progress.end(),
      )
    })
    return report(`${file} holds`, counts)
  },
}

export const restoreCommand: Command = {
  summary: 'fills an empty database from such a file',
  about: [
    'Fills an empty database from a FILE that "healthmonitor dump" of this version or an older one has made. It restores everything or nothing. The database is that of DATABASE_URL, else the embedded one of HM_DATA_DIR. No service may run on it.',
  ],
  words: FILE_WORD,
  run: async (args, environment) => {
    const file = parseFlags(args, {}, ONE_FILE).words[0] ?? ''
    const config = parseConfig(environment)
    const log = createLog({ level: config.logLevel, process: 'restore' })
    const input = await openFile(file)
    const counts = await withOwnDatabase(
      config,
      { command: 'restore', log, mayMake: true },
      async (source) => {
        const progress = new Progress()
        progress.show('restore: the schema')
        const onTable = (table: string) =>
          progress.show(`restore: ${Math.floor(input.share() * 100)} % of the file, ${table}`, table)
        const restored = await refusedForPeople(() =>
          restoreFrom(source, input.bytes, onTable).finally(() => progress.end()),
        )
        await migrate(source.db, source.url, log)
        return restored
      },
    )
    return report('restored', counts)
  },
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1)

function report(what: string, counts: Counts): number {
  const shown = ['load_balancer', 'listener', 'pool', 'member', 'health_monitor', 'member_transition']
  const parts = shown.map((table) => `${counts[table] ?? 0} ${table.replace('_', ' ')}s`)
  process.stdout.write(`${what} ${parts.join(', ')}\n`)
  return 0
}

/**
 * Creates the file, readable by its owner only; it is deleted when the work fails. Throws StartRefusal when it exists.
 */
async function intoFile(file: string, work: (out: Writable) => Promise<Counts>): Promise<Counts> {
  const out = new PassThrough()
  const target = createWriteStream(file, { flags: 'wx', mode: 0o600 })
  const written = file.endsWith('.gz') ? pipeline(out, createGzip(), target) : pipeline(out, target)
  try {
    await new Promise((resolve, reject) => {
      target.once('open', resolve)
      target.once('error', reject)
    })
  } catch (error) {
    await written.catch(() => undefined)
    throw new StartRefusal(
      `the dump cannot be written: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
  try {
    const counts = await Promise.race([
      work(out),
      written.then(() => Promise.reject(new Error('the file ended'))),
    ])
    out.end()
    await written
    return counts
  } catch (error) {
    out.destroy()
    await written.catch(() => undefined)
    await rm(file, { force: true })
    throw error instanceof Error && 'code' in error && error.code === 'ENOSPC'
      ? new StartRefusal(`the dump cannot be written: ${error.message}`, { cause: error })
      : error
  }
}

interface Input {
  readonly bytes: AsyncIterable<Uint8Array>
  /** How much of the file was read, from 0 to 1. */
  readonly share: () => number
}

async function openFile(file: string): Promise<Input> {
  const source = createReadStream(file)
  await new Promise((resolve, reject) => {
    source.once('open', resolve)
    source.once('error', (error) => reject(new StartRefusal(`the dump cannot be read: ${error.message}`)))
  })
  const { size } = await stat(file)
  // An error of the source ends the whole stream with that error.
  const bytes = file.endsWith('.gz') ? joined(source, createGunzip(), () => undefined) : source
  return { bytes, share: () => Math.min(1, source.bytesRead / Math.max(1, size)) }
}

/** The error of the dump, its compression or PostgreSQL, in one line. */
async function refusedForPeople(work: () => Promise<Counts>): Promise<Counts> {
  try {
    return await work()
  } catch (error) {
    const isExpected = error instanceof RestoreRefusal || (error instanceof Error && 'code' in error)
    if (!isExpected) throw error
    throw new StartRefusal(`the dump cannot be restored, and nothing was changed: ${error.message}`, {
      cause: error,
    })
  }
}
