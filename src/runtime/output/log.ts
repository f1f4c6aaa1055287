/**
 * The log: one JSON line per event on standard error (standard output is for people). Writing never waits for a slow
 * reader or a full disk, because the probe loop logs too: see `log-destination.ts`.
 *
 * Levels: error = the service cannot do its work; warn = it can, and somebody should look; info = lifecycle, requests
 * and transitions; debug = what recovers by itself.
 */
import { pino, type DestinationStream, type Logger } from 'pino'
import { LogDestination } from './log-destination.ts'
import { writerOf } from './standard-streams.ts'

export type Log = Logger
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

export interface LogOptions {
  readonly level: LogLevel
  /** `api`, `prober-1` …: field `process` of every line. */
  readonly process: string
  /** Called when lines were lost because they could not be written. */
  readonly onDropped?: (lines: number) => void
  /** Absent: standard error. */
  readonly destination?: DestinationStream
}

/** Fields whose values are never written, wherever they are in the first three levels of a line. */
const SECRET_FIELDS = [
  'authorization',
  'cookie',
  'password',
  'databaseUrl',
  'DATABASE_URL',
  'HM_KEYSTONE_PASSWORD',
  '["x-auth-token"]',
  '["x-subject-token"]',
]

/** A password inside a URL, also in the text of an error of a driver. */
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/?#@"]*:)[^\s@"]+@/gi

/** The logger of a process; `log.child({ pool_id })` makes those of its parts. */
export function createLog(options: LogOptions): Log {
  const { level, process: name, destination } = options
  return pino(
    {
      level,
      base: { process: name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_FIELDS.flatMap(atAnyDepth), censor: '***' },
      serializers: { err: errorFields },
      hooks: { streamWrite: (line) => line.replace(URL_PASSWORD, '$1***@') },
    },
    destination ?? toStandardError(options),
  )
}

function toStandardError({ process: name, onDropped = () => undefined }: LogOptions): DestinationStream {
  const destination = new LogDestination({
    writer: writerOf(2),
    onDropped,
    notice: (lines) => {
      const line = { level: 'warn', time: new Date().toISOString(), process: name, pid: process.pid, lines }
      return `${JSON.stringify({ ...line, msg: 'log lines were lost here: they could not be written' })}\n`
    },
  })
  process.on('exit', () => destination.flushSync())
  return destination
}

/**
 * An error in the log. Errors of the operating system, and of a wait for a connection, have no stack: it says nothing
 * useful.
 */
function errorFields(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  if (error instanceof AggregateError && error.errors.every(isOfTheSystem)) {
    const messages = error.errors.map((each: unknown) => (each as Error).message)
    return { type: error.name, message: messages.join('; ') }
  }
  if (error.name === 'NoConnectionError')
    return { type: 'Error', message: 'no connection to PostgreSQL in time' }
  if (!isOfTheSystem(error)) return pino.stdSerializers.err(error)
  return { type: error.name, message: error.message, code: (error as NodeJS.ErrnoException).code }
}

function isOfTheSystem(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'code' in error
}

function atAnyDepth(field: string): string[] {
  const inner = field.startsWith('[') ? field : `.${field}`
  return [field, `*${inner}`, `*.*${inner}`]
}
